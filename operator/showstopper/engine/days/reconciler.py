"""The reconciler of game days: one pass: read what there is, let it be decided, write it, make the run that follows."""

from collections.abc import Callable

import structlog

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import Act, GameDay
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.events import Events
from showstopper.cluster.kinds import GAME_DAY, POLICY_BINDING
from showstopper.engine.days import acts, programme
from showstopper.engine.days.deciding import decide
from showstopper.engine.days.preludes import APPROVALS_POLICY
from showstopper.engine.days.steps import Draft, Situation, Step
from showstopper.engine.experiments import making
from showstopper.engine.experiments.reconciler import MIRROR_SECONDS
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.runs.service import Runs
from showstopper.engine.status_writer import StatusWriter, StatusWriters
from showstopper.errors import Forbidden, Invalid, NotFound

log = structlog.get_logger()


class DayReconciler:
    """Carries decisions on game days out: writes statuses, makes runs, tells news."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        snapshots: Snapshots,
        events: Events,
        *,
        find_room: Callable[[str, str], AudioRoom | None],
        find_experiment: Callable[[str, str], Experiment | None],
        stopped: Callable[[], Finding | None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._snapshots = snapshots
        self._events = events
        self._find_room = find_room
        self._find_experiment = find_experiment
        self._stopped = stopped
        self._recorders: StatusWriters[GameDay] = StatusWriters(client, GAME_DAY)

    def forget(self, uid: str) -> None:
        """The game day is gone."""
        self._recorders.forget(uid)

    async def reconcile(self, day: GameDay, runs: Runs, seen_seconds: float) -> float | None:
        """One pass. Returns after how many seconds to look again, if nothing else happens.

        Raises:
            ClusterError: it could not be read or written.
        """
        recorder = self._recorders.of(day)
        situation = await self._situation(recorder.resource, runs, seen_seconds)
        step = decide(situation)
        if not await self._write(recorder, step):
            return 0.0  # somebody changed it meanwhile
        if step.begin is not None:
            return await self._begin(recorder, runs, situation, step.begin)
        if recorder.resource.finished:
            await self._trim(recorder.resource, runs)
        return step.again

    async def _situation(self, day: GameDay, runs: Runs, seen_seconds: float) -> Situation:
        namespace = day.metadata.namespace
        by_act = {act.name: programme.experiment_of(day, act, self._find_experiment) for act in day.spec.acts}
        experiments = {name: experiment for name, experiment in by_act.items() if experiment is not None}
        rooms = {experiment.spec.room_ref.name for experiment in experiments.values()}
        return Situation(
            day=day,
            experiments=experiments,
            rooms={room for room in rooms if self._find_room(namespace, room) is not None},
            runs={run.metadata.name: run for run in runs.of_day(day)},
            guarded=await self._guarded(day),
            stopped=self._stopped(),
            seen_seconds=seen_seconds,
            now=self._clock.now(),
        )

    async def _guarded(self, day: GameDay) -> bool:
        """Whether the API server checks approvals. Asked before the first act only, and only where it matters."""
        if not programme.is_asked(day) or not programme.approved_acts(day):
            return True
        try:
            await self._client.get(POLICY_BINDING, "", APPROVALS_POLICY)
        except (NotFound, Forbidden):
            return False
        return True

    async def _begin(self, recorder: StatusWriter[GameDay], runs: Runs, situation: Situation, act: Act) -> float | None:
        """Create the act's recorded run, or end the act with the reason why it cannot be created."""
        day = recorder.resource
        refused = await self._make(day, runs, situation.experiments.get(act.name), act)
        if refused is None:
            return MIRROR_SECONDS
        draft = Draft.of(await self._situation(day, runs, situation.seen_seconds))
        record = draft.current
        if record is None or record.name != act.name:
            return 0.0
        step = acts.close(draft, record, refused)
        await self._write(recorder, step)
        return 0.0

    async def _make(self, day: GameDay, runs: Runs, experiment: Experiment | None, act: Act) -> Finding | None:
        if experiment is None:
            return Finding(Reason.EXPERIMENT_NOT_FOUND, f"the Experiment of act {act.name} was deleted")
        room = self._find_room(day.metadata.namespace, experiment.spec.room_ref.name)
        if room is None:
            return Finding(Reason.ROOM_NOT_FOUND, f'there is no AudioRoom "{experiment.spec.room_ref.name}" any more')
        request = programme.request(day, act, day.status.performance, experiment, runs.of(experiment))
        try:
            return await making.make(self._snapshots, runs, experiment, request, room)
        except (Forbidden, Invalid) as error:
            return making.not_created(error)

    async def _write(self, recorder: StatusWriter[GameDay], step: Step) -> bool:
        """Write it for the generation that it was decided for, and for no other. Returns whether it was that one."""
        now, performance = to_timestamp(self._clock.now()), recorder.resource.status.performance

        def change(day: GameDay) -> None:
            if day.status.performance == performance:
                day.status = step.written(day, now)

        if not await recorder.write_for(recorder.resource.metadata.generation, change):
            return False
        await self._events.publish_all(recorder.resource, step.announcements)
        return True

    async def _trim(self, day: GameDay, runs: Runs) -> None:
        """Keep the inline runs of the newest performances. Runs of Experiments are trimmed by those.

        Of a day that has no inline act any more, those from before stay as of one with a single one: they have no other
        owner.
        """
        metadata = day.metadata
        own = [
            run
            for run in runs.all()
            if run.inline
            and run.spec.experiment.game_day is not None
            and (run.metadata.namespace, run.spec.experiment.game_day.name) == day.key
        ]
        inline = sum(1 for act in day.spec.acts if act.experiment is not None)
        if metadata.uid:
            await runs.keep_newest(own, day.spec.history_limit * max(inline, 1))
