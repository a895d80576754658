"""The operation: all services of the operator, wired once; events come in, tasks carry on."""

import asyncio
from functools import partial
from typing import TypeVar

import structlog

from showstopper.api.base import Resource
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.stop_switch import AGENT_NAMESPACE
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.events import Events
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, RELEASE_GATE, Kind
from showstopper.cluster.parsing import parse_or_log
from showstopper.cluster.supervision import for_ever
from showstopper.engine.days.service import GameDays
from showstopper.engine.experiments.service import Experiments
from showstopper.engine.gates.keeping import Gates
from showstopper.engine.hands.agent.client import InjectionClient
from showstopper.engine.hands.agent.injection_cache import InjectionWatch
from showstopper.engine.hands.crowd.flooders import Flooders
from showstopper.engine.hands.of_run import HandFactory
from showstopper.engine.hands.pace import PACE, Pace
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Images, Rooms
from showstopper.engine.rooms.archive_health import ArchiveWatch
from showstopper.engine.runs import watch
from showstopper.engine.runs.context import Services
from showstopper.engine.runs.owners import RunOwners
from showstopper.engine.runs.service import Runs
from showstopper.engine.stop_switch import StopSwitch
from showstopper.errors import NotFound, SettingsError

log = structlog.get_logger()
R = TypeVar("R", bound=Resource)

# The run's creation, the namespace, a target, and a pod that has to stay. The Lease's renewals keep them in turn.
WARM = 4


class Operation:
    """What the operator does, apart from where its events come from. `agents`: the namespace of the stop switch."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        images: Images,
        instance: str,
        agents: str = AGENT_NAMESPACE,
        archive: ArchiveWatch | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._client = client
        events = Events(client, clock, instance)
        owners = RunOwners()
        self.archive = archive or ArchiveWatch()
        self.stop_switch = StopSwitch(client, agents)
        self.rooms = Rooms(client, clock, images=images, archive=self.archive)
        self._snapshots = Snapshots(client, clock, self.rooms)
        self._rooms_seen: set[tuple[str, str]] = set()
        hands = HandFactory(
            client=client,
            clock=clock,
            injections=InjectionClient(client, InjectionWatch(client)),
            flooders=Flooders(client, clock, images, self._snapshots.remembered),
            snapshot=self._snapshots.of_run,
            pace=pace,
        )
        services = Services(
            rooms=self.rooms,
            hands=hands,
            events=events,
            clock=clock,
            snapshot=self._snapshots.of_run,
            deployed=self._snapshots.deployed,
            confirm=self._snapshots.confirm,
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
        self.gates = Gates(client, clock, rooms=self.rooms, runs=self.runs, experiments=self.experiments, events=events)
        for disowned in (self.days.disowned, self.experiments.disowned):
            owners.add_owner(disowned)
        for changed in (self.experiments.run_changed, self.days.run_changed, self.gates.run_changed):
            owners.add_observer(changed)
        for stopped in (self.runs.wake, self.days.poke_all):
            self.stop_switch.add_observer(stopped)
        self._loaded = asyncio.Event()

    @property
    def loaded(self) -> bool:
        """Whether everything that exists is known."""
        return self._loaded.is_set()

    async def run(self) -> None:
        """What goes on beside the events, for ever: rooms are listened to, stop switch and runs are watched."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.rooms.run())
            group.create_task(for_ever("watching the stop switch", self.stop_switch.watch))
            await self._loaded.wait()
            group.create_task(for_ever("watching the runs", partial(watch.watch, self._client, self.runs)))

    async def load(self) -> None:
        """Learn all that exists before the first decision: rooms, then experiments, game days and runs together.

        A run whose experiment or day were not known yet would take it for deleted, and an experiment whose runs were
        not known would ask for them again. And whether anything may begin at all.
        """
        await self.stop_switch.look()
        for room in await self._parsed(AUDIO_ROOM, AudioRoom):
            self.rooms.seen(room)
            self._rooms_seen.add(room.key)
        self._follow()
        experiments = await self._parsed(EXPERIMENT, Experiment)
        days = await self._parsed(GAME_DAY, GameDay)
        gates = await self._parsed(RELEASE_GATE, ReleaseGate)
        runs = await self._parsed(EXPERIMENT_RUN, ExperimentRun)
        for experiment in experiments:
            self.experiments.learn(experiment)
        for day in days:
            self.days.learn(day)
        for gate in gates:
            self.gates.learn(gate)
        for run in runs:
            self.runs.seen(run)
        await self._warm_up()
        self.experiments.poke_all()
        self.days.poke_all()
        self.gates.poke_all()
        self._loaded.set()
        log.info("loaded", experiments=len(experiments), runs=len(runs))

    async def _warm_up(self) -> None:
        """Open the connections that an injection needs side by side: a handshake costs it 10 ms, a refusal nothing."""
        await asyncio.gather(*(self._client.raw("/version") for _ in range(WARM)), return_exceptions=True)

    def room_seen(self, room: AudioRoom, *, deleted: bool) -> None:
        """An AudioRoom was listed, added, changed or deleted."""
        if deleted:
            self.rooms.gone(*room.key)
            self._rooms_seen.discard(room.key)
        else:
            self.rooms.seen(room)
            self._rooms_seen.add(room.key)
        self._follow()
        self.experiments.room_changed(*room.key)
        self.days.neighbour_changed(room.metadata.namespace)

    def experiment_seen(self, experiment: Experiment, *, deleted: bool) -> None:
        """An Experiment was listed, added, changed or deleted."""
        if deleted:
            self.experiments.gone(experiment)
        else:
            self.experiments.seen(experiment)
        self.days.neighbour_changed(experiment.metadata.namespace)

    def day_seen(self, day: GameDay, *, deleted: bool) -> None:
        """A GameDay was listed, added, changed or deleted."""
        if deleted:
            self.days.gone(day)
        else:
            self.days.seen(day)

    def gate_seen(self, gate: ReleaseGate, *, deleted: bool) -> None:
        """A ReleaseGate was listed, added, changed or deleted."""
        if deleted:
            self.gates.gone(gate)
        else:
            self.gates.seen(gate)

    def _stopped(self) -> Finding | None:
        return self.stop_switch.finding

    def _follow(self) -> None:
        self._snapshots.follow({namespace for namespace, _ in self._rooms_seen})

    async def _parsed(self, kind: Kind, model: type[R]) -> list[R]:
        """All objects of a kind, without those that an older CRD let through."""
        try:
            bodies = await self._client.list(kind)
        except NotFound as error:
            raise SettingsError(
                f"the cluster does not know the kind {kind.name}: kubectl apply -f crds/, or install the chart "
                "with crds.enabled=true"
            ) from error
        return [one for body in bodies if (one := parse_or_log(model, body)) is not None]
