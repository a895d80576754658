"""The engine's runs on a real API server, in one namespace, with all that they need."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from showstopper.api.experiment import Experiment
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.events import Events
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.hands.of_run import HandFactory
from showstopper.engine.hands.pace import PACE, Pace
from showstopper.engine.planning.plan import Plan
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Images, LiveRoom, Rooms
from showstopper.engine.runs import requests
from showstopper.engine.runs.context import Services
from showstopper.engine.runs.service import Runs
from showstopper.engine.sources import Sources
from showstopper.engine.stop_switch import StopSwitch
from tests.support import build
from tests.support.operator_harness import until


class RunHarness:
    """Runs and what they need, without the operator around them: no events, no experiments, no stop switch watched."""

    def __init__(self, client: Client, namespace: str, pace: Pace = PACE) -> None:
        clock = Clock()
        images = Images("audio", "Never")
        rooms = Rooms(client, clock, images=images)
        self.client, self.namespace, self.images = client, namespace, images
        self.room_spec: dict[str, Any] = {}
        self.snapshots = Snapshots(client, clock, rooms)
        self.switch = StopSwitch(client, namespace)
        self.services = Services(
            rooms=rooms,
            hands=HandFactory.sharing(client, clock, images, self.snapshots, pace),
            sources=Sources(client),
            events=Events(client, clock, "test"),
            clock=clock,
            snapshots=self.snapshots,
            disowned=lambda _: None,
            stopped=lambda: self.switch.finding,
            pace=pace,
        )
        self.runs = Runs(client, clock, self.services, lambda _: None)
        self.switch.add_observer(self.runs.wake)

    def room(self) -> AudioRoom:
        room = build.room(**self.room_spec)
        room.metadata.namespace = self.namespace
        return room

    async def live_room(self) -> LiveRoom:
        """The room, once it is looked at. Its rooms have to be run."""
        self.services.rooms.on_change(self.room())

        async def live() -> LiveRoom | None:
            return self.services.rooms.find(self.namespace, "main-stage")

        return await until(live, "the room")

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """The room's components are watched."""
        self.snapshots.follow([self.namespace])
        rooms = asyncio.create_task(self.services.rooms.run())
        live = await self.live_room()

        async def seen() -> bool:
            return bool(live.staying)

        await until(seen, "the pods of the components")
        try:
            yield
        finally:
            rooms.cancel()
            self.snapshots.follow([])

    def experiment(self, name: str, baseline: str, *, recovery: str = "0s", **spec: Any) -> Experiment:
        timing = {"baseline": baseline, "recovery": recovery}
        metadata = {"name": name, "namespace": self.namespace, "uid": f"{name}-uid"}
        return build.experiment(metadata=metadata, timing=timing, **spec)

    async def plan(self, experiment: Experiment) -> Plan:
        seed = requests.seed(experiment, requests.wanted(experiment))
        made, _ = await self.snapshots.plan(self.room(), experiment.spec.faults, seed)
        return made

    async def create(self, name: str, *, baseline: str = "0s", made: Plan | None = None, **spec: Any) -> ExperimentRun:
        experiment = self.experiment(name, baseline, **spec)
        made = made or await self.plan(experiment)
        return await self.runs.create(experiment, requests.wanted(experiment), self.room(), [], made)

    async def stored(self, run: ExperimentRun, reached: Callable[[ExperimentRun], bool]) -> ExperimentRun:
        """The run as it is written, once it has come so far."""
        async with asyncio.timeout(60):
            while not reached(current := ExperimentRun.parse(await self.client.get(EXPERIMENT_RUN, *run.key))):
                await asyncio.sleep(0.01)
        return current

    async def abort(self, run: ExperimentRun) -> None:
        """As a person does it, and seen at once."""
        await self.client.patch(EXPERIMENT_RUN, *run.key, [{"op": "add", "path": "/spec/abort", "value": True}])
        self.runs.on_change(ExperimentRun.parse(await self.client.get(EXPERIMENT_RUN, *run.key)))

    async def end(self) -> None:
        """As when the operator ends: nothing of a run goes on here."""
        for run in self.runs.all():
            self.runs.leave(run)
        await asyncio.sleep(0)
