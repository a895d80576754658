"""Agents' times on the operator's clock, whatever their own clocks show."""

from collections.abc import Iterator
from typing import cast, get_args

import pytest

from showstopper.api.injection import InjectedTarget, Injection
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import Status
from showstopper.clock import Clock, from_timestamp, to_timestamp
from showstopper.cluster.client import Client
from showstopper.engine.hands.injections import answers, times
from showstopper.engine.hands.injections.cache import InjectionCache
from tests.api.build import injection
from tests.support import build

NOW = from_timestamp("2026-06-01T00:00:00Z")
AHEAD = 25.0
"""How far the agent's clock is ahead of the operator's."""


class StandingClock(Clock):
    """Shows what it is set to."""

    at = NOW

    def now(self) -> float:
        return self.at


def told(version: int, armed: float, lifted: float | None = None) -> dict[str, object]:
    """An Injection whose one target was armed and lifted at these true times, by the clock of its agent."""
    made = injection({"metadata.name": "a", "spec.run.uid": "u-3", "spec.fault": "loss"})
    made["metadata"] |= {"uid": "uid-a", "resourceVersion": str(version), "labels": {"showstopper.dev/run": "r"}}
    target = {
        "uid": made["spec"]["targets"][0]["uid"],
        "state": "Armed" if lifted is None else "Lifted",
        "armedAt": to_timestamp(NOW + AHEAD + armed),
    }
    if lifted is not None:
        target["liftedAt"] = to_timestamp(NOW + AHEAD + lifted)
    made["status"] = {"targets": [target]}
    return made


def run_of() -> ExperimentRun:
    made = build.run(
        faults=[{"name": "loss", "target": {"component": "relay"}, "duration": "30s", "packetLoss": {"percent": "5%"}}]
    )
    made.metadata.uid = "u-3"
    return made


def lasted(injection: Injection, offset: float) -> tuple[float, float]:
    """When the fault was armed and lifted, in seconds after NOW on the operator's clock."""
    answer = answers.answers([times.placed(injection, offset)], run_of().fault("loss"))
    assert answer.armed_at is not None
    assert answer.lifted_at is not None
    return from_timestamp(answer.armed_at) - NOW, from_timestamp(answer.lifted_at) - NOW


def lasted_as_told(end: float) -> tuple[float, float]:
    """The same of a fault from 1 s to 31 s, of which our clock learns after 1.02 s and at that time."""
    clock = StandingClock()
    cache = InjectionCache(cast("Client", None), clock)
    seen = cache.subscribe(run_of(), lambda: None)
    clock.at = NOW + 1.02
    cache.learn(told(1, armed=1.0))
    clock.at = NOW + end
    cache.learn(told(2, armed=1.0, lifted=31.0))
    (injection,) = cache.of("u-3")
    return lasted(injection, seen.offset(injection))


async def test_a_clock_that_is_ahead_moves_neither_begin_nor_end() -> None:
    assert lasted_as_told(31.05) == pytest.approx((1.02, 31.02), abs=0.001)


async def test_news_that_come_late_do_not_put_the_end_off() -> None:
    """The API server was away for fourteen seconds when the fault was lifted."""
    assert lasted_as_told(45.0)[1] == pytest.approx(31.02, abs=0.001)


def test_an_operator_that_restarts_knows_the_clock_from_the_record() -> None:
    later = Injection.parse(told(2, armed=1.0, lifted=31.0))
    run = run_of()
    uid, armed = later.status.targets[0].uid, to_timestamp(NOW + 1.02)
    target = {"fault": "loss", "pod": "relay-0", "uid": uid, "armedAt": armed}
    run.status = run.status.model_validate({"targets": [target]})
    offset = times.recorded_offset(run, later)
    assert offset is not None
    assert lasted(later, offset) == pytest.approx((1.02, 31.02), abs=0.001)


def figures() -> Iterator[tuple[str, type[Status]]]:
    """The fields of a target that say when something was counted, each with its kind."""
    for name, field in InjectedTarget.model_fields.items():
        for kind in get_args(field.annotation):
            if isinstance(kind, type) and issubclass(kind, Status) and "at" in kind.model_fields:
                yield name, kind


@pytest.mark.parametrize(("name", "kind"), list(figures()))
def test_figures_of_every_kind_are_placed_and_tell_the_time(name: str, kind: type[Status]) -> None:
    """The newest time in a status is what the operator knows its clock by. An operator that has just started has no
    other than that of the figures.
    """
    injection = Injection.parse(told(1, armed=1.0))
    counted = kind.model_validate({"at": to_timestamp(NOW + AHEAD + 9.0)})
    (target,) = injection.status.targets
    injection.status.targets = [target.model_copy(update={name: counted})]
    assert times.newest(injection.status) == pytest.approx(NOW + AHEAD + 9.0)
    (target,) = times.placed(injection, -AHEAD).status.targets
    assert getattr(target, name).at == to_timestamp(NOW + 9.0)


def test_an_injection_that_says_nothing_yet_has_no_time() -> None:
    silent = Injection.parse(injection({}))
    assert times.newest(silent.status) is None
    assert times.recorded_offset(run_of(), silent) is None
