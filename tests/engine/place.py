"""A place: a namespace of a real API server with a room that is declared, and an operator on a clock that tests set."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, RELEASE_GATE
from showstopper.engine.operation import Operation
from showstopper.engine.rooms import Images
from showstopper.engine.runs import watch
from tests.api.server import apply
from tests.engine import build, cluster

T = TypeVar("T")
PATIENCE = 60.0
NAME = "nightly"
NUMBERS = itertools.count()
MIDNIGHT = "2026-06-01T00:00:00Z"


class SetClock(Clock):
    """Goes on from where it is set to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.set(text)

    def set(self, text: str, seconds: float = 0) -> None:
        self._ahead = datetime.fromisoformat(text).timestamp() + seconds - super().now()

    def now(self) -> float:
        return super().now() + self._ahead


class Place:
    """A namespace of its own, with a room that is declared, and an operator that sees what happens in it."""

    def __init__(self, client: Client, server: ApiServer, namespace: str, clock: SetClock) -> None:
        self.client, self.server, self.namespace, self.clock = client, server, namespace, clock
        self.operation = Operation(client, clock, images=Images("audio:1"), instance="test", agents=namespace)
        room = build.room()
        room.metadata.namespace = namespace
        self.operation.rooms.seen(room)

    async def operate(self) -> None:
        """As the operator: load what there is, then see every event."""
        await self.operation.stop_switch.look()
        for body in await self.client.list(EXPERIMENT, self.namespace):
            self.operation.experiments.learn(Experiment.parse(body))
        for body in await self.client.list(GAME_DAY, self.namespace):
            self.operation.days.learn(GameDay.parse(body))
        for body in await self.client.list(EXPERIMENT_RUN, self.namespace):
            self.operation.runs.seen(ExperimentRun.parse(body))
        for body in await self.client.list(RELEASE_GATE, self.namespace):
            self.operation.gates.learn(ReleaseGate.parse(body))
        self.operation.experiments.poke_all()
        self.operation.days.poke_all()
        self.operation.gates.poke_all()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.operation.stop_switch.watch())
            group.create_task(self._watch_experiments())
            group.create_task(self._watch_days())
            group.create_task(watch.watch(self.client, self.operation.runs, self.namespace))
            group.create_task(self._watch_gates())

    async def _watch_experiments(self) -> None:
        async for event, body in self.client.watch(EXPERIMENT, self.namespace):
            self.operation.experiment_seen(Experiment.parse(body), deleted=event == "DELETED")

    async def _watch_days(self) -> None:
        async for event, body in self.client.watch(GAME_DAY, self.namespace):
            self.operation.day_seen(GameDay.parse(body), deleted=event == "DELETED")

    async def _watch_gates(self) -> None:
        async for event, body in self.client.watch(RELEASE_GATE, self.namespace):
            self.operation.gate_seen(ReleaseGate.parse(body), deleted=event == "DELETED")

    def apply(self, name: str = NAME, **spec: Any) -> None:
        """As a person does it."""
        body = {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "Experiment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "roomRef": {"name": "main-stage"},
                "faults": [build.fault()],
                "expect": [{"indicator": "AudibleRatio", "min": "70%"}],
                **spec,
            },
        }
        apply(self.server, body)

    def annotate(self, key: str, value: str | None) -> None:
        """The same; None takes it away."""
        change = f"{key}-" if value is None else f"{key}={value}"
        self.server.kubectl("annotate", "--overwrite", "-n", self.namespace, "experiment", NAME, change)

    async def experiment(self) -> Experiment:
        return Experiment.parse(await self.client.get(EXPERIMENT, self.namespace, NAME))

    async def runs(self) -> list[ExperimentRun]:
        found = [ExperimentRun.parse(body) for body in await self.client.list(EXPERIMENT_RUN, self.namespace)]
        return sorted(found, key=lambda run: run.spec.experiment.scheduled_at or "")

    async def stands(self, wanted: str) -> Experiment:
        """The experiment as soon as Ready is so, for its generation."""

        async def asked() -> Experiment | None:
            found = await self.experiment()
            ready = find(found.status.conditions, ConditionType.READY)
            current = found.status.observed_generation == found.metadata.generation
            return found if current and ready and f"{ready.status} {ready.reason}" == wanted else None

        return await until(asked, f"Ready is {wanted}")

    async def finished(self) -> None:
        """Wait until the experiment says that it is over."""

        async def over() -> bool:
            return is_true((await self.experiment()).status.conditions, ConditionType.FINISHED)

        await until(over, "the end")

    async def abort(self) -> None:
        """End the run that is under way."""
        for run in await self.runs():
            if not run.finished:
                change = [{"op": "add", "path": "/spec/abort", "value": True}]
                await self.client.patch(EXPERIMENT_RUN, *run.key, change)


async def until(ask: Callable[[], Awaitable[T | None]], what: str) -> T:
    """The first answer that is true, with a deadline that only a broken machine meets."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not (found := await ask()):
                await asyncio.sleep(0.05)
            return found
    except TimeoutError:
        pytest.fail(f"never came: {what}; meanwhile:\n{under_way()}")


def under_way() -> str:
    """What every task waits for, from its outermost frame to its innermost."""
    found = []
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        frames = [f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" for frame in _frames(task)]
        found.append(f"{task.get_name()}: {' > '.join(frames)}")
    return "\n".join(sorted(found))


def _frames(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    """The frames of the coroutines that wait for each other; a task itself tells only the outermost."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        if (frame := getattr(waiting, "cr_frame", None)) is not None:
            yield frame
        waiting = getattr(waiting, "cr_await", None)


@asynccontextmanager
async def operated(place: Place) -> AsyncIterator[Place]:
    """The place while an operator is there. What it began goes on in no task after it, as after a SIGKILL."""
    before = asyncio.all_tasks()
    task = asyncio.create_task(place.operate())
    try:
        yield place
    finally:
        broke = task.exception() if task.done() and not task.cancelled() else None
        rest = [*(asyncio.all_tasks() - before - {asyncio.current_task()}), task]
        for one in rest:
            one.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if broke is not None:
            raise broke  # and whatever did not come did not for this


@asynccontextmanager
async def fresh(server: ApiServer) -> AsyncIterator[Place]:
    """A place that nobody has used."""
    async with await Client.connect(server.kubeconfig) as client:
        namespace = f"place-{next(NUMBERS)}"
        await cluster.namespace(client, namespace)
        yield Place(client, server, namespace, SetClock(MIDNIGHT))
