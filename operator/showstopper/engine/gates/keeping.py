"""Keeping: every ReleaseGate that is known, its answer in its status, and the runs that it asks for."""

from collections.abc import Sequence
from typing import Literal

import structlog

from showstopper.api import conditions
from showstopper.api.gate import ReleaseGate, ReleaseGateStatus, RequirementState
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock, from_timestamp, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.events import Events
from showstopper.cluster.kinds import EXPERIMENT, RELEASE_GATE
from showstopper.engine.experiments.service import Experiments
from showstopper.engine.gates import deciding, verdicts
from showstopper.engine.gates.deciding import Answer, Situation
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Rooms
from showstopper.engine.rooms.releases import DeployedReleases
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.engine.runs.service import Runs
from showstopper.engine.status_writer import StatusWriter, StatusWriters
from showstopper.engine.work_queue import WorkQueue
from showstopper.errors import ClusterError, Conflict, InvalidResource, NotFound

log = structlog.get_logger()

SYNC_SECONDS = 10.0
"""How long a new operator reads pods and workloads before it says that it does not know them."""

OBSERVED_SECONDS = 60.0
"""A write a minute and gate: what is older than two of them was written by an operator that is away."""


class Gates(WorkQueue[ReleaseGate]):
    """Gates are decided whenever a pod, a workload or a run changes, from memory, and only news is written."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        snapshots: Snapshots,
        events: Events,
        *,
        rooms: Rooms,
        runs: Runs,
        experiments: Experiments,
    ) -> None:
        super().__init__(clock)
        self._client = client
        self._snapshots = snapshots
        self._releases: dict[str, tuple[DeployedReleases | None, float]] = {}
        self._rooms = rooms
        self._runs = runs
        self._experiments = experiments
        self._events = events
        self._recorders: StatusWriters[ReleaseGate] = StatusWriters(client, RELEASE_GATE)

    async def reconcile(self, resource: ReleaseGate, seen_seconds: float) -> float | None:
        """Decide, ask for runs, and write."""
        recorder = self._recorders.of(resource)
        gate = recorder.resource
        room = self._rooms.declared(gate.metadata.namespace, gate.spec.room_ref.name)
        now = to_timestamp(self._clock.now())
        known = room is None or await self._look(gate, now)
        answer = deciding.decide(self._situation(gate, seen_seconds, known=known))
        await self._show(recorder, answer, now, known=known)
        for name, value in answer.requests.items():
            await self._ask(recorder.resource, name, value)
        moving = answer.outlook.reason is Reason.ROLLOUT_UNDER_WAY
        return deciding.MOVING_LOOK_SECONDS if moving else deciding.LOOK_SECONDS

    def pods_changed(self, namespace: str) -> None:
        """A pod or a workload of the namespace changed: its gates look now."""
        for key in self._known:
            if key[0] == namespace:
                self.enqueue(key)

    def run_changed(self, run: ExperimentRun) -> None:
        """A run's record changed: when it is over, the gates of its namespace look now."""
        if not run.finished:
            return
        for key in self._known:
            if key[0] == run.metadata.namespace:
                self.enqueue(key)

    def forget(self, resource: ReleaseGate) -> None:
        """It is gone."""
        self._recorders.forget(resource.metadata.uid)
        self._releases.pop(resource.metadata.uid, None)

    async def _look(self, gate: ReleaseGate, now: str) -> bool:
        """Whether it is known what is deployed now. What is not known opens no gate, and keeps none open.

        What is remembered is of little worth once a watch is broken, and one whose connection was cut without a word
        looks for a minute like one on which nothing happens. So workloads are read afresh before a status says that the
        operator has looked: for a new generation, where also what was changed before the gate was is known then, and
        once a minute. `now`: as the status will say, or it might say so of a look that was not due yet.
        """
        namespace = gate.metadata.namespace
        await self._snapshots.synced(namespace, SYNC_SECONDS)
        seen = gate.status.observed_generation == gate.metadata.generation
        if not seen or _renewed(gate.status.observed_at, now) == now:
            try:
                await self._snapshots.refresh(namespace)
            except ClusterError as error:
                log.warning("workloads_not_read", gate=gate.metadata.name, namespace=namespace, error=str(error))
                return False
        return self._snapshots.is_synced(namespace)

    def _situation(self, gate: ReleaseGate, seen_seconds: float, *, known: bool) -> Situation:
        """What there is to decide on. `known`: whether it is known what is deployed."""
        namespace = gate.metadata.namespace
        room = self._rooms.declared(namespace, gate.spec.room_ref.name)
        deployed = self._deployed(room, gate.spec.components) if room is not None and known else None
        before, since = self._releases.get(gate.metadata.uid, (None, self._clock.now()))
        if deployed is not None and deployed != before:
            since = self._clock.now()
            self._releases[gate.metadata.uid] = deployed, since
        return Situation(
            gate=gate,
            room=room,
            deployed=deployed,
            experiments=self._experiments.newest(namespace),
            runs=[run for run in self._runs.all() if run.metadata.namespace == namespace],
            seen_seconds=seen_seconds,
            quiet_seconds=self._clock.now() - since,
            now=self._clock.now(),
        )

    def _deployed(self, room: AudioRoom, components: Sequence[str]) -> DeployedReleases:
        """What these components run now."""
        try:
            return self._snapshots.remembered_release(room, components)
        except InvalidResource:  # the room's own status says what is wrong with it
            return DeployedReleases(())

    async def _ask(self, gate: ReleaseGate, name: str, value: str) -> None:
        """Ask for a run by annotation, as a person would. Whoever changed the experiment meanwhile is not overruled."""
        namespace = gate.metadata.namespace
        try:
            metadata = (await self._client.get(EXPERIMENT, namespace, name))["metadata"]
        except NotFound:
            return  # it was deleted: the gate says so as soon as that is told
        key = RUN_REQUESTED.replace("/", "~1")
        change: list[Object] = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
        ]
        if not metadata.get("annotations"):
            change.append({"op": "add", "path": "/metadata/annotations", "value": {}})
        change.append({"op": "add", "path": f"/metadata/annotations/{key}", "value": value})
        try:
            await self._client.patch(EXPERIMENT, namespace, name, change)
        except (Conflict, NotFound):
            return  # asked again at the next look
        log.info("gate_asked", gate=gate.metadata.name, experiment=name)
        self._events.tell(gate, Reason.RUN_REQUESTED, f"asked experiment {name} for a run", action="Request")

    async def _show(self, recorder: StatusWriter[ReleaseGate], answer: Answer, now: str, *, known: bool) -> None:
        gate = recorder.resource
        before = conditions.find(gate.status.conditions, conditions.ConditionType.READY)

        def change(fresh: ReleaseGate) -> None:
            fresh.status = status_of(fresh, answer, now, known=known)

        await recorder.write_for(gate.metadata.generation, change)
        shown = (before.status, before.reason) if before is not None else None
        if shown != (answer.outlook.ready, answer.outlook.reason):
            reason = Reason.OPENED if answer.open else answer.outlook.reason
            well = answer.open or answer.outlook.reconciling
            kind: Literal["Normal", "Warning"] = "Normal" if well else "Warning"
            self._events.tell(gate, reason, answer.outlook.message, action="Decide", kind=kind)


def status_of(gate: ReleaseGate, answer: Answer, now: str, *, known: bool = True) -> ReleaseGateStatus:
    """All of the status, for this generation. `known`: whether it is known what is deployed.

    Without that nobody has looked, and so the next pass reads it afresh.
    """
    generation = gate.metadata.generation
    passed = sum(requirement.state is RequirementState.PASSED for requirement in answer.requirements)
    return ReleaseGateStatus(
        observed_generation=generation,
        conditions=conditions.conditions(
            answer.outlook, generation=generation, now=now, previous=gate.status.conditions
        ),
        open="Yes" if answer.open else "No",
        passed=f"{passed}/{len(answer.requirements)}" if answer.requirements else None,
        release=list(answer.images[:64]),
        experiments=list(answer.requirements),
        verdicts=verdicts.remember(gate.status.verdicts, answer.notes),
        observed_at=_renewed(gate.status.observed_at, now) if known else None,
        expires_at=answer.expires_at,
        message=answer.outlook.message[:1024],
    )


def _renewed(before: str | None, now: str) -> str:
    """When the operator last looked, to the minute."""
    if before is not None and 0 <= from_timestamp(now) - from_timestamp(before) < OBSERVED_SECONDS:
        return before
    return now
