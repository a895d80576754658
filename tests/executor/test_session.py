"""A session whose hits break: what is still done to the others, and what it says at its end."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Self, cast

import pytest

from showstopper.api.conditions import ConditionType, find
from showstopper.api.injection import InjectedTarget, Injection, InjectionStatus, TargetState
from showstopper.clock import Clock, to_timestamp
from showstopper.errors import LeaseLost
from showstopper.executor.hit import Hit
from showstopper.executor.renewals import Renewals
from showstopper.executor.reporting import Reporter
from showstopper.executor.session import Session
from showstopper.executor.status import EndReason
from tests.api.build import injection

PATIENCE = 20.0
MOMENT = 0.2
"""Seconds that a hit takes longer than the one that breaks beside it."""


class Played:
    """A hit that writes down what is done to it, and does what the test has it do besides."""

    method = None

    def __init__(self, name: str) -> None:
        self.record = InjectedTarget(uid=name, pod=name, state=TargetState.REFUSED)
        self.done: list[str] = []
        self.does: dict[str, Callable[[], object]] = {}

    def arm(self, until: float) -> None:
        self._do("arm")
        self.record.state = TargetState.ARMED

    def refresh(self, until: float) -> None:
        self._do("refresh")

    def follow(self, peers: tuple[str, ...]) -> None: ...

    def look(self) -> bool:
        return False

    def lift(self) -> None:
        self._do("lift")
        if self.record.state is TargetState.ARMED:
            self.record.state = TargetState.LIFTED

    def _do(self, what: str) -> None:
        self.does.get(what, lambda: None)()
        self.done.append(what)


class Stage:
    """A session of two hits, under a Lease that a test renews. It is factory and reporter of its session, too."""

    executor = "agent"

    def __init__(self, *before: InjectedTarget) -> None:
        self.first, self.second = Played("first"), Played("second")
        self.stuck: dict[str, str] = {}
        self.statuses: list[InjectionStatus] = []
        self._renewals = Renewals()
        asked = Injection.parse(injection())
        if before:
            asked.status = InjectionStatus(observed_generation=1, targets=list(before))
        self.session = Session(
            asked,
            factory=self,
            renewals=self._renewals,
            reporter=cast("Reporter", self),
            clock=Clock(),
            workers=ThreadPoolExecutor(4),
        )
        self.renew()

    def renew(self) -> None:
        renewal = {"renewTime": to_timestamp(time.time()), "holderIdentity": "operator"}
        self._renewals.see(self.session.lease, renewal, time.monotonic(), fresh=True)
        self.session.renewed()

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not what():
                await asyncio.sleep(0.005)

    async def started(self) -> asyncio.Task[None]:
        """The session's run, of which there is a first status."""
        running = asyncio.create_task(self.session.run())
        await self.until(lambda: self.statuses)
        return running

    @property
    def reason(self) -> str:
        """That of the last status."""
        ready = find(self.statuses[-1].conditions, ConditionType.READY)
        return ready.reason if ready else ""

    def tell(self, status: InjectionStatus, *, urgent: bool = False) -> None:
        self.statuses.append(status)

    def on(self, clock: Clock) -> Self:
        return self

    def begun(self, injection: Injection) -> bool:
        return False

    def left(self, injection: Injection) -> Mapping[str, str]:
        return self.stuck

    def begin(self, injection: Injection) -> None: ...

    def of(self, injection: Injection) -> list[Hit]:
        return [self.first, self.second]

    def keep(self, uids: Collection[str]) -> None: ...

    def forget(self, uid: str) -> None: ...


@pytest.fixture
def stage() -> Stage:
    return Stage()


def breaks(error: Exception, beside: threading.Event) -> Callable[[], None]:
    """Raises that as soon as the other is at work."""

    def does() -> None:
        assert beside.wait(PATIENCE)
        raise error

    return does


def takes_longer(begun: threading.Event) -> Callable[[], None]:
    def does() -> None:
        begun.set()
        time.sleep(MOMENT)

    return does


async def test_what_is_still_being_armed_is_lifted_too(stage: Stage) -> None:
    begun = threading.Event()
    stage.first.does["arm"] = breaks(RuntimeError("can't start new thread"), begun)
    stage.second.does["arm"] = takes_longer(begun)
    with suppress(RuntimeError):
        await stage.session.run()
    assert stage.second.done == ["arm", "lift"]
    assert [target.state for target in stage.statuses[-1].targets] == [TargetState.REFUSED, TargetState.LIFTED]
    assert stage.reason == "AgentFailed"


async def test_nothing_is_lifted_while_it_is_being_renewed(stage: Stage) -> None:
    begun = threading.Event()
    stage.first.does["refresh"] = breaks(LeaseLost("it has lifted itself"), begun)
    stage.second.does["refresh"] = takes_longer(begun)
    running = await stage.started()
    stage.renew()
    await running
    assert stage.second.done == ["arm", "refresh", "lift"]
    assert stage.reason == "LeaseLost"


async def test_a_lift_that_breaks_has_left_something_and_the_others_are_lifted(stage: Stage) -> None:
    begun = threading.Event()
    stage.first.does["lift"] = breaks(OSError("Read-only file system"), begun)
    stage.second.does["lift"] = takes_longer(begun)
    running = await stage.started()
    stage.session.end(EndReason.LIFTED)
    await running
    first, second = stage.statuses[-1].targets
    assert (first.state, second.state) == (TargetState.LEFT_OVER, TargetState.LIFTED)
    assert "Read-only file system" in (first.message or "")
    assert stage.reason == "LeftOver"


async def test_what_an_earlier_life_has_left_is_no_lifted_fault() -> None:
    stage = Stage(*(InjectedTarget(uid=uid, state=TargetState.ARMED) for uid in ("u-1", "u-2")))
    stage.stuck["u-2"] = "/sys/fs/cgroup/cgroup.freeze"
    await stage.session.run()
    first, second = stage.statuses[-1].targets
    assert (first.state, second.state) == (TargetState.LIFTED, TargetState.LEFT_OVER)
    assert stage.reason == "LeftOver"
    assert not stage.first.done
