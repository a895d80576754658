"""The reconciler: one pass over an experiment: read what there is, let it be decided, write what follows."""

import structlog

from showstopper.api.experiment import Experiment
from showstopper.api.room import AudioRoom
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.events import Events
from showstopper.cluster.kinds import EXPERIMENT
from showstopper.engine.experiments import deciding, making, memory, status
from showstopper.engine.experiments.situation import BeginRun, Situation, WriteStatus
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Rooms
from showstopper.engine.runs import requests
from showstopper.engine.runs.service import Runs
from showstopper.engine.status_writer import StatusWriter, StatusWriters
from showstopper.errors import Forbidden, Invalid, InvalidResource

log = structlog.get_logger()

MIRROR_SECONDS = 0.1
"""An injection takes tens of milliseconds. Until then the experiment's status is of the generation before."""


class Reconciler:
    """Carries decisions out: plans, makes runs, writes statuses, tells news."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        snapshots: Snapshots,
        events: Events,
        rooms: Rooms,
    ) -> None:
        self._client = client
        self._clock = clock
        self._snapshots = snapshots
        self._events = events
        self._rooms = rooms
        self._recorders: StatusWriters[Experiment] = StatusWriters(client, EXPERIMENT)

    def newest(self, experiment: Experiment) -> Experiment:
        """It with the status that was written last, which the source of events need not tell."""
        return self._recorders.of(experiment).resource

    def forget(self, uid: str) -> None:
        """The experiment is gone."""
        self._recorders.forget(uid)

    async def reconcile(self, experiment: Experiment, runs: Runs, seen_seconds: float) -> float | None:
        """One pass. Returns after how many seconds to look again, if nothing else happens.

        Raises:
            ClusterError: it could not be read or written.
        """
        recorder = self._recorders.of(experiment)
        experiment = recorder.resource
        situation = Situation(
            experiment=experiment,
            runs=runs.of(experiment),
            room_known=self._room(experiment) is not None,
            seen_seconds=seen_seconds,
            now=self._clock.now(),
            release=self._settled(experiment),
        )
        step = deciding.decide(situation)
        show = step if isinstance(step, WriteStatus) else await self._begin(experiment, runs, step)
        if show is None:
            return MIRROR_SECONDS
        return await self._show(recorder, runs, show)

    async def _begin(self, experiment: Experiment, runs: Runs, begin: BeginRun) -> WriteStatus | None:
        """Create the run, or return what the status shows instead."""
        room = self._room(experiment)
        assert room is not None, "a run begins only where there is a room"
        try:
            if experiment.spec.dry_run:
                return await self._plan(experiment, room, begin)
            refused = await making.make(self._snapshots, runs, experiment, begin.request, room)
        except (Forbidden, Invalid) as error:
            refused = making.not_created(error)
        return begin.refused(refused) if refused is not None else None

    async def _plan(self, experiment: Experiment, room: AudioRoom, begin: BeginRun) -> WriteStatus:
        """What a dry run shows."""
        seed = requests.seed(experiment, begin.request)
        made, _ = await self._snapshots.plan(room, experiment.spec.faults, seed)
        refused = await self._snapshots.objection(made, room)
        return begin.refused(refused) if refused is not None else begin.instead(status.planned(made))

    async def _show(self, recorder: StatusWriter[Experiment], runs: Runs, show: WriteStatus) -> float | None:
        """Write it for the generation that it was decided for, and for no other."""
        now, by_name = to_timestamp(self._clock.now()), runs.of_name(recorder.resource)
        announcements = status.announcements(recorder.resource.status, show)

        def change(experiment: Experiment) -> None:
            experiment.status = status.status_of(experiment, show, now)
            experiment.status.verdicts = memory.remember(experiment.status.verdicts, by_name)

        if not await recorder.write_for(recorder.resource.metadata.generation, change):
            return 0.0  # somebody changed it meanwhile
        await self._events.publish_all(recorder.resource, announcements)
        if show.run is not None and show.run.finished:
            await runs.trim(recorder.resource)
        return show.again

    def _room(self, experiment: Experiment) -> AudioRoom | None:
        return self._rooms.declared(experiment.metadata.namespace, experiment.spec.room_ref.name)

    def _settled(self, experiment: Experiment) -> str | None:
        """The release of its room, if it asks for that and the release has settled."""
        if not experiment.spec.run_on:
            return None
        room = self._rooms.find(experiment.metadata.namespace, experiment.spec.room_ref.name)
        if room is None or not room.is_settled(self._clock.now()):
            return None
        try:
            return self._snapshots.remembered_release(room.room).identity
        except InvalidResource:  # the room's own status says what is wrong with it
            return None
