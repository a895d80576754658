"""Keeping: every ReleaseGate that is known, its answer in its status, and the runs that it asks for."""

from collections.abc import Sequence
from typing import Literal

import structlog

from showstopper.api import conditions
from showstopper.api.gate import ReleaseGate, ReleaseGateStatus, RequirementState
from showstopper.api.reasons import Reason
from showstopper.api.room import ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.events import Events
from showstopper.cluster.kinds import EXPERIMENT, RELEASE_GATE
from showstopper.engine.experiments.service import Experiments
from showstopper.engine.gates import deciding
from showstopper.engine.gates.deciding import Answer, Situation
from showstopper.engine.rooms import Rooms
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.engine.runs.service import Runs
from showstopper.engine.status_writer import StatusWriter, StatusWriters
from showstopper.engine.work_queue import WorkQueue
from showstopper.errors import Conflict

log = structlog.get_logger()


class Gates(WorkQueue[ReleaseGate]):
    """Gates are looked at every few seconds: what they rest on is in memory, and only news is written."""

    def __init__(
        self, client: Client, clock: Clock, *, rooms: Rooms, runs: Runs, experiments: Experiments, events: Events
    ) -> None:
        super().__init__(clock)
        self._client = client
        self._rooms = rooms
        self._runs = runs
        self._experiments = experiments
        self._events = events
        self._recorders: StatusWriters[ReleaseGate] = StatusWriters(client, RELEASE_GATE)

    async def reconcile(self, resource: ReleaseGate, seen_seconds: float) -> float | None:
        """Decide, ask for runs, and write."""
        recorder = self._recorders.of(resource)
        answer = deciding.decide(self._situation(recorder.resource, seen_seconds))
        for name, value in answer.requests.items():
            await self._ask(recorder.resource, name, value)
        await self._show(recorder, answer)
        return deciding.LOOK_SECONDS

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

    def _situation(self, gate: ReleaseGate, seen_seconds: float) -> Situation:
        namespace, room = gate.metadata.namespace, gate.spec.room_ref.name
        return Situation(
            gate=gate,
            room=self._rooms.declared(namespace, room),
            images=self._images(namespace, room),
            experiments={
                experiment.metadata.name: experiment
                for experiment in self._experiments.all()
                if experiment.key[0] == namespace
            },
            runs=[run for run in self._runs.all() if run.metadata.namespace == namespace],
            seen_seconds=seen_seconds,
            now=self._clock.now(),
        )

    def _images(self, namespace: str, room: str) -> Sequence[ComponentImage]:
        """What the room's components run now."""
        live = self._rooms.find(namespace, room)
        return live.images if live is not None else ()

    async def _ask(self, gate: ReleaseGate, name: str, value: str) -> None:
        """Ask for a run by annotation, as a person would. Whoever changed the experiment meanwhile is not overruled."""
        namespace = gate.metadata.namespace
        body = await self._client.get(EXPERIMENT, namespace, name)
        metadata = body["metadata"]
        key = RUN_REQUESTED.replace("/", "~1")
        change: list[Object] = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
        ]
        if not metadata.get("annotations"):
            change.append({"op": "add", "path": "/metadata/annotations", "value": {}})
        change.append({"op": "add", "path": f"/metadata/annotations/{key}", "value": value})
        try:
            await self._client.patch(EXPERIMENT, namespace, name, change)
        except Conflict:
            return  # asked again at the next look
        log.info("gate_asked", gate=gate.metadata.name, experiment=name)
        self._events.tell(gate, Reason.RUN_REQUESTED, f"asked experiment {name} for a run", action="Request")

    async def _show(self, recorder: StatusWriter[ReleaseGate], answer: Answer) -> None:
        gate, now = recorder.resource, to_timestamp(self._clock.now())
        before = conditions.find(gate.status.conditions, conditions.ConditionType.READY)
        decided = gate.metadata.generation

        def change(fresh: ReleaseGate) -> None:
            if fresh.metadata.generation == decided:
                fresh.status = status_of(fresh, answer, now)

        await recorder.write(change)
        shown = (before.status, before.reason) if before is not None else None
        if shown != (answer.outlook.ready, answer.outlook.reason):
            reason = Reason.OPENED if answer.open else answer.outlook.reason
            well = answer.open or answer.outlook.reconciling
            kind: Literal["Normal", "Warning"] = "Normal" if well else "Warning"
            self._events.tell(gate, reason, answer.outlook.message, action="Decide", kind=kind)


def status_of(gate: ReleaseGate, answer: Answer, now: str) -> ReleaseGateStatus:
    """All of the status, for this generation."""
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
        message=answer.outlook.message[:1024],
    )
