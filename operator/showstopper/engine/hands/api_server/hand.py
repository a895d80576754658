"""The API server as a hand: what the operator carries out itself, by calls on pods and by changes of objects."""

import time
from collections.abc import Collection, Mapping, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.run import ExperimentRun, TargetRecord
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.engine.hands.api_server import lasting
from showstopper.engine.hands.api_server.changes import LOOK_SECONDS, Changes
from showstopper.engine.hands.api_server.pods import PodCalls
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.planning.plan import PlannedFault
from showstopper.errors import ClusterError


class ApiServerHand:
    """The faults of one run that the operator carries out itself.

    What is done in an instant leaves nothing to lift: owners replace what they own. What lasts is put back.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._pods = PodCalls(client, clock)
        self._changes = Changes(client, clock)
        self._gone: dict[str, str] = {}
        self._listed = float("-inf")

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Make the changes, then the calls. What comes of each is in the record, and keeps no other from being made."""
        names = [each.fault.name for each in planned]
        await self._changes.make(run, names)
        for fault in _own(run):
            if fault.name in names and fault.spec.instant and (changes := self._changes.of(run, {fault.name})):
                self._pods.answered(run, fault.name, changes)
        made = [name for name in names if all(change.changed_at for change in self._changes.of(run, {name}))]
        await self._pods.call(run, made, again=again)
        return None

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What came of calls and changes, which pods are gone by now, and whether what lasts still does."""
        states = await self._pods.observe(run, self._changes)
        held = [fault for fault in _own(run) if not fault.spec.instant]
        if not held:
            return states
        await self._changes.look(run, {fault.name for fault in held})
        records = {record.name: record for record in run.status.faults}
        # Also when it is over: of those who were to be left, nobody but others takes one.
        await self._look(run, {fault.name for fault in held if fault.spec.ends_targets})
        return states | {
            fault.name: lasting.state(
                fault, records[fault.name], self._changes.of(run, {fault.name}), self._targets(run, fault)
            )
            for fault in held
            if fault.name in records
        }

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Ask again for evictions that were refused. Pods that come are of what was changed already."""
        held = {fault.name for fault in _own(run) if not fault.spec.instant}
        await self._pods.retry(run, held & set(faults))

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:  # noqa: ARG002
        """Put back what these faults have changed."""
        await self._changes.undo(run, faults)

    async def _look(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Note which targets of these faults have gone, once a second: one listing for all of them."""
        waited = [target for target in run.status.targets if target.fault in faults and not self._gone_at(target)]
        if not waited or time.monotonic() - self._listed < LOOK_SECONDS:
            return
        self._listed = time.monotonic()
        try:
            there = {pod["metadata"]["uid"] for pod in await self._client.list(POD, run.metadata.namespace)}
        except ClusterError:
            return  # it is not known now: the next look tells
        now = to_timestamp(self._clock.now())
        self._gone |= {target.uid: now for target in waited if target.uid not in there}

    def _targets(self, run: ExperimentRun, fault: Fault) -> list[TargetRecord]:
        """The targets of a fault that lasts, each with when it was found to be gone.

        Of one that ends none that proves nothing: somebody else took it, and the run has noted that.
        """
        ends = fault.spec.ends_targets
        return [
            self._pods.known(target).model_copy(update={"gone_at": gone, "proven": ends and gone is not None})
            for target in run.status.targets
            if target.fault == fault.name
            for gone in [self._gone_at(target) if ends else target.gone_at]
        ]

    def _gone_at(self, target: TargetRecord) -> str | None:
        return target.gone_at or self._gone.get(target.uid)


def _own(run: ExperimentRun) -> list[Fault]:
    return [fault for fault in run.spec.faults if fault.spec.hand is Hand.API_SERVER]
