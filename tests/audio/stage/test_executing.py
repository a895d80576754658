"""The host as executor against a real API server: what it is asked for, under which lease, and what it says of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, find
from showstopper.api.injection import LEASE_LABEL, InjectionStatus, TargetState
from showstopper.audio.host.speaker import Voice
from showstopper.audio.settings import Identity
from showstopper.audio.stage.executing import injections
from showstopper.audio.stage.hits import Host, HostHits
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import INJECTION, LEASE
from tests.api.build import host_injection
from tests.audio.host.microphone import Microphone, is_silent, speaking
from tests.audio.host.played_stage import PlayedStage

pytestmark = pytest.mark.apiserver

PATIENCE = 60.0
POD, UID = "main-stage-host-a", "5c0ffee0-2"


@dataclass
class Operator:
    """An operator, as far as a host sees it: one run's Lease and its Injection."""

    client: Client
    namespace: str
    name: str = "silence"

    async def renew(self) -> None:
        """Renew the Lease, or make it."""
        now = to_timestamp(Clock().now())
        spec = {"holderIdentity": "operator", "renewTime": now, "leaseDurationSeconds": 10}
        metadata = {"name": self.name, "namespace": self.namespace, "labels": {LEASE_LABEL: self.name}}
        body = {"apiVersion": LEASE.group_version, "kind": "Lease", "metadata": metadata, "spec": spec}
        await self.client.apply(LEASE, body)

    async def inject(self, changes: dict[str, Any] | None = None) -> None:
        """Ask the host for dead air."""
        wish = {"metadata.name": self.name, "metadata.namespace": self.namespace, "spec.lease": self.name}
        await self.client.create(INJECTION, host_injection({**wish, **(changes or {})}))

    async def status(self) -> InjectionStatus:
        """What the host says."""
        return InjectionStatus.model_validate((await self.client.get(INJECTION, self.namespace, self.name))["status"])

    async def until(self, reason: str) -> InjectionStatus:
        """The first status with that reason."""
        deadline = time.monotonic() + PATIENCE
        while (ready := find((status := await self.status()).conditions, ConditionType.READY)) is None or (
            ready.reason != reason
        ):
            assert time.monotonic() < deadline, f"the status stays at {status}"
            await asyncio.sleep(0.02)
        return status

    async def armed(self) -> InjectionStatus:
        """Ask, and renew the Lease until it is proven."""
        await self.renew()
        await self.inject()
        deadline = time.monotonic() + PATIENCE
        while not _is_proven(status := await self.status()):
            assert time.monotonic() < deadline, f"not proven: {status}"
            await self.renew()
            await asyncio.sleep(0.1)
        return status

    async def lift(self) -> None:
        """Ask for its end."""
        change = [{"op": "add", "path": "/spec/lift", "value": True}]
        await self.client.patch(INJECTION, self.namespace, self.name, change)


def _is_proven(status: InjectionStatus) -> bool:
    return any(target.proven for target in status.targets)


@pytest.fixture
async def operator(client: Client, namespace: str) -> AsyncIterator[Operator]:
    yield Operator(client, namespace)
    for each in await client.list(INJECTION, namespace):
        await client.delete(INJECTION, namespace, each["metadata"]["name"])


@asynccontextmanager
async def at_work(operator: Operator) -> AsyncIterator[tuple[Voice, Microphone]]:
    """A host at work for the time of the block, in a pod of that name."""
    async with speaking() as (voice, microphone):
        host = Host(voice, PlayedStage(voice))
        identity = Identity(operator.namespace, POD, UID)
        made = injections(operator.client, identity, lambda clock: HostHits(host, UID, clock))
        task = asyncio.create_task(made.run())
        try:
            yield voice, microphone
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def heard(microphone: Microphone, what: Callable[[Any], bool]) -> None:
    """Wait until what is said is so, for a tenth of a second."""
    async with asyncio.timeout(PATIENCE):
        while not all(map(what, await microphone.after(10))):
            pass


def is_loud(frame: Any) -> bool:
    return not is_silent(frame)


async def test_dead_air_is_sent_proven_and_lifted(operator: Operator) -> None:
    async with at_work(operator) as (voice, microphone):
        await operator.armed()
        await operator.until("Active")
        await heard(microphone, is_silent)
        await operator.lift()
        over = await operator.until("Lifted")
        await heard(microphone, is_loud)
        assert voice.stand_in is None
    (target,) = over.targets
    assert (target.state, target.proven, target.leftovers) == (TargetState.LIFTED, True, [])
    assert target.host is not None
    assert target.host.milliseconds > 0
    assert over.backend == "voice"
    assert over.observed_generation == 2


async def test_without_renewals_the_host_speaks_again_by_itself(operator: Operator) -> None:
    async with at_work(operator) as (_, microphone):
        await operator.armed()
        over = await operator.until("LeaseLost")
        assert over.targets[0].state is TargetState.LIFTED
        await operator.renew()  # a late renewal brings nothing back
        await heard(microphone, is_loud)


async def test_who_deletes_it_lifts_it(operator: Operator) -> None:
    async with at_work(operator) as (_, microphone):
        await operator.armed()
        await heard(microphone, is_silent)
        await operator.client.delete(INJECTION, operator.namespace, operator.name)
        await heard(microphone, is_loud)


async def test_a_host_that_ends_says_so_and_its_next_life_comes_back_without_the_fault(operator: Operator) -> None:
    async with at_work(operator):
        await operator.armed()
    over = await operator.status()
    assert (over.message, over.targets[0].state) == ("the host was ended, and lifted the fault before", "Lifted")


async def test_a_host_that_died_comes_back_without_the_fault_and_says_so(operator: Operator) -> None:
    await operator.renew()
    await operator.inject()
    now = to_timestamp(Clock().now())
    armed = {"uid": UID, "pod": POD, "state": "Armed", "armedAt": now, "proven": True}
    before = {"observedGeneration": 1, "targets": [armed]}
    await operator.client.patch(
        INJECTION,
        operator.namespace,
        operator.name,
        [{"op": "add", "path": "/status", "value": before}],
        subresource="status",
    )
    async with at_work(operator) as (voice, microphone):
        over = await operator.until("AgentRestarted")
        assert "the host started anew" in (over.message or "")
        assert over.targets[0].state is TargetState.LIFTED
        await operator.renew()
        await heard(microphone, is_loud)
        assert voice.stand_in is None


@pytest.mark.parametrize(
    "changes",
    [{"spec.pod": "main-stage-host-b", "spec.targets.0.pod": "main-stage-host-b"}, {"spec.targets.0.uid": "another"}],
    ids=["of another pod", "of a former one"],
)
async def test_what_is_not_asked_of_this_pod_is_not_done(operator: Operator, changes: dict[str, Any]) -> None:
    async with at_work(operator) as (voice, microphone):
        await operator.inject(changes)
        for _ in range(10):
            await operator.renew()
            await microphone.after(10)
            assert voice.stand_in is None
