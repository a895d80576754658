"""The operation: all services of the operator, wired once; events come in, tasks carry on."""

import asyncio
from functools import partial
from typing import TypeVar

import structlog

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import Resource
from showstopper.api.stop_switch import AGENT_NAMESPACE
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.events import Events
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, RELEASE_GATE, Kind
from showstopper.cluster.parsing import parse_or_log
from showstopper.cluster.supervision import for_ever
from showstopper.engine import deletions
from showstopper.engine.days.service import GameDays
from showstopper.engine.experiments.service import Experiments
from showstopper.engine.gates.keeping import Gates
from showstopper.engine.hands.of_run import HandFactory
from showstopper.engine.hands.pace import PACE, Pace
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Images, Rooms
from showstopper.engine.rooms.archive_health import ArchiveWatch
from showstopper.engine.runs import orphans, watch
from showstopper.engine.runs.context import Services
from showstopper.engine.runs.owners import RunOwners
from showstopper.engine.runs.service import Runs
from showstopper.engine.sources import Sources
from showstopper.engine.stop_switch import StopSwitch
from showstopper.errors import NotFound, SettingsError

log = structlog.get_logger()
R = TypeVar("R", bound=Resource)

WARM = 4
"""The run's creation, the namespace, a target, and a pod that has to stay. The Lease's renewals keep them in turn."""


class Operation:
    """What the operator does, apart from where its events come from.

    Args:
        client: with the operator's rights.
        clock: for all that is recorded.
        images: of the pods that it makes.
        instance: its name in Events.
        agents: the namespace of the agents, and of the stop switch.
        namespace: the only one that it looks at. Empty means all of them.
        archive: whose health is watched.
        check_deletions_seconds: how often deletions are looked for that the source of events has not told.
        pace: the intervals of runs.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        images: Images,
        instance: str,
        agents: str = AGENT_NAMESPACE,
        namespace: str = "",
        archive: ArchiveWatch | None = None,
        check_deletions_seconds: float = deletions.EVERY_SECONDS,
        pace: Pace = PACE,
    ) -> None:
        self._client = client
        self._check_deletions_seconds = check_deletions_seconds
        self._namespace = namespace
        events = Events(client, clock, instance)
        owners = RunOwners()
        self.archive = archive or ArchiveWatch()
        self.stop_switch = StopSwitch(client, agents)
        self.rooms = Rooms(client, clock, images=images, archive=self.archive)
        self._snapshots = Snapshots(client, clock, self.rooms)
        self._rooms_seen: set[tuple[str, str]] = set()
        services = Services(
            rooms=self.rooms,
            hands=HandFactory.sharing(client, clock, images, self._snapshots, pace),
            sources=Sources(client),
            events=events,
            clock=clock,
            snapshots=self._snapshots,
            disowned=owners.disowned,
            stopped=self._stopped,
            pace=pace,
        )
        self.runs = Runs(client, clock, services, owners.changed)
        self.experiments = Experiments(client, clock, self._snapshots, events, rooms=self.rooms, runs=self.runs)
        self.days = GameDays(
            client,
            clock,
            self._snapshots,
            events,
            self.runs,
            find_room=self.rooms.declared,
            find_experiment=self.experiments.find,
            stopped=self._stopped,
        )
        self.gates = Gates(
            client, clock, self._snapshots, events, rooms=self.rooms, runs=self.runs, experiments=self.experiments
        )
        self._snapshots.add_observer(self.gates.pods_changed)
        for disowned in (self.days.disowned, self.experiments.disowned):
            owners.add_owner(disowned)
        for changed in (self.experiments.run_changed, self.days.run_changed, self.gates.run_changed):
            owners.add_observer(changed)
        for stopped in (self.runs.wake, self.days.enqueue_all):
            self.stop_switch.add_observer(stopped)
        self._loaded = asyncio.Event()

    @property
    def loaded(self) -> bool:
        """Whether everything that exists is known."""
        return self._loaded.is_set()

    async def run(self) -> None:
        """What goes on beside the events, for ever: rooms are listened to, stop switch and runs are watched."""
        async with asyncio.TaskGroup() as group:
            group.create_task(for_ever("watching the stop switch", self.stop_switch.watch))
            await self._loaded.wait()
            # Not before: a run that an earlier life has begun holds its room's fleet as it is.
            group.create_task(self.rooms.run())
            group.create_task(
                for_ever("watching the runs", partial(watch.watch, self._client, self.runs, self._namespace))
            )
            group.create_task(for_ever("looking for missed deletions", self._check_deletions))

    async def load(self) -> None:
        """Learn all that exists before the first decision: rooms, then experiments, game days and runs together.

        A run whose experiment or day were not known yet would take it for deleted, and an experiment whose runs were
        not known would ask for them again. And whether anything may begin at all.
        """
        await self.stop_switch.look()
        for room in await self._parsed(AUDIO_ROOM, AudioRoom):
            self.rooms.on_change(room)
            self._rooms_seen.add(room.key)
        self._follow()
        experiments = await self._parsed(EXPERIMENT, Experiment)
        days = await self._parsed(GAME_DAY, GameDay)
        gates = await self._parsed(RELEASE_GATE, ReleaseGate)
        runs = await self._parsed(EXPERIMENT_RUN, ExperimentRun)
        for experiment in experiments:
            self.experiments.load(experiment)
        for day in days:
            self.days.load(day)
        for gate in gates:
            self.gates.load(gate)
        for run in runs:
            self.runs.on_change(run)
        await self._warm_up()
        self.experiments.enqueue_all()
        self.days.enqueue_all()
        self.gates.enqueue_all()
        self._loaded.set()
        log.info("loaded", experiments=len(experiments), runs=len(runs))

    async def _warm_up(self) -> None:
        """Open the connections that an injection needs side by side: a handshake costs it 10 ms, a refusal nothing."""
        await asyncio.gather(*(self._client.raw("/version") for _ in range(WARM)), return_exceptions=True)

    def room_seen(self, room: AudioRoom, *, deleted: bool) -> None:
        """An AudioRoom was listed, added, changed or deleted."""
        if deleted:
            declared = self.rooms.declared(*room.key)
            if declared is not None and declared.metadata.uid != room.metadata.uid:
                return  # another room has that name by now
            self.rooms.on_delete(*room.key)
            self._rooms_seen.discard(room.key)
        else:
            self.rooms.on_change(room)
            self._rooms_seen.add(room.key)
        self._follow()
        self.experiments.room_changed(*room.key)
        self.days.neighbour_changed(room.metadata.namespace)

    def experiment_seen(self, experiment: Experiment, *, deleted: bool) -> None:
        """An Experiment was listed, added, changed or deleted."""
        if deleted:
            self.experiments.on_delete(experiment)
        else:
            self.experiments.on_change(experiment)
        self.days.neighbour_changed(experiment.metadata.namespace)

    def day_seen(self, day: GameDay, *, deleted: bool) -> None:
        """A GameDay was listed, added, changed or deleted."""
        if deleted:
            self.days.on_delete(day)
        else:
            self.days.on_change(day)

    def gate_seen(self, gate: ReleaseGate, *, deleted: bool) -> None:
        """A ReleaseGate was listed, added, changed or deleted."""
        if deleted:
            self.gates.on_delete(gate)
        else:
            self.gates.on_change(gate)

    async def _check_deletions(self) -> None:
        """Make good what kopf does not tell, for ever."""
        check = partial(deletions.check, self._client)
        while True:
            await asyncio.sleep(self._check_deletions_seconds)
            await check(AUDIO_ROOM, self.rooms.all, partial(self.room_seen, deleted=True))
            await check(EXPERIMENT, self.experiments.all, partial(self.experiment_seen, deleted=True))
            await check(GAME_DAY, self.days.all, partial(self.day_seen, deleted=True))
            await check(RELEASE_GATE, self.gates.all, partial(self.gate_seen, deleted=True))
            for records in orphans.by_room(self.runs.all(), self._is_owned):
                await self.runs.keep_newest(records, orphans.MOST_ORPHANS)

    def _is_owned(self, run: ExperimentRun) -> bool:
        """Whether the experiment of a run, or the game day in which it is written, exists. By name: they come back."""
        origin, namespace = run.spec.experiment, run.metadata.namespace
        if run.inline and origin.game_day is not None:
            return self.days.find(namespace, origin.game_day.name) is not None
        return self.experiments.find(namespace, origin.name) is not None

    def _stopped(self) -> Finding | None:
        return self.stop_switch.finding

    def _follow(self) -> None:
        self._snapshots.follow({namespace for namespace, _ in self._rooms_seen})

    async def _parsed(self, kind: Kind, model: type[R]) -> list[R]:
        """All objects of a kind, without those that an older CRD let through."""
        try:
            bodies = await self._client.list(kind, self._namespace)
        except NotFound as error:
            raise SettingsError(
                f"the cluster does not know the kind {kind.name}: kubectl apply -f crds/, or install the chart "
                "with crds.enabled=true"
            ) from error
        return [resource for body in bodies if (resource := parse_or_log(model, body)) is not None]
