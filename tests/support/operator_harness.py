"""A whole operator in one namespace of a real API server, on a clock that tests set."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import API_VERSION, Resource, dump
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, RELEASE_GATE, Kind
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.engine.operation import Operation
from showstopper.engine.rooms import Images
from tests.support import build
from tests.support.api_server import apply

T = TypeVar("T")
R = TypeVar("R", bound=Resource)
PATIENCE = 60.0
NAME = "nightly"
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


class OperatorHarness:
    """An operator that is wired, loaded and run as in production, for one namespace of a real API server.

    kopf is not there: watches of the same four kinds take its place. Nor are nodes: nobody listens in the room.
    """

    def __init__(self, client: Client, server: ApiServer, namespace: str, clock: SetClock) -> None:
        self.client, self.server, self.namespace, self.clock = client, server, namespace, clock
        images = Images("audio:1")
        self.operation = Operation(client, clock, images=images, instance="test", agents=namespace, namespace=namespace)

    async def operate(self) -> None:
        """For ever: what goes on beside the events, and, when all that exists is known, the events."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.operation.run())
            await self.operation.load()
            group.create_task(self._deliver(AUDIO_ROOM, AudioRoom, self.operation.room_seen))
            group.create_task(self._deliver(EXPERIMENT, Experiment, self.operation.experiment_seen))
            group.create_task(self._deliver(GAME_DAY, GameDay, self.operation.day_seen))
            group.create_task(self._deliver(RELEASE_GATE, ReleaseGate, self.operation.gate_seen))

    async def _deliver(self, kind: Kind, model: type[R], seen: Callable[..., None]) -> None:
        """Hand every change of a kind to the operator, as kopf does."""

        def hand_over(change: Change[R]) -> None:
            seen(change.value, deleted=change.type is ChangeType.DELETED)

        await Mirror(self.client, kind, self.namespace, keep=model.parse, on_change=hand_over).run()

    def anew(self) -> "OperatorHarness":
        """Another operator for the same namespace, which remembers nothing."""
        return OperatorHarness(self.client, self.server, self.namespace, self.clock)

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
        """The same. None takes it away."""
        change = f"{key}-" if value is None else f"{key}={value}"
        self.server.kubectl("annotate", "--overwrite", "-n", self.namespace, "experiment", NAME, change)

    async def room(self) -> AudioRoom:
        return AudioRoom.parse(await self.client.get(AUDIO_ROOM, self.namespace, build.room().metadata.name))

    async def experiment(self) -> Experiment:
        return Experiment.parse(await self.client.get(EXPERIMENT, self.namespace, NAME))

    async def runs(self) -> list[ExperimentRun]:
        runs = [ExperimentRun.parse(body) for body in await self.client.list(EXPERIMENT_RUN, self.namespace)]
        return sorted(runs, key=lambda run: run.spec.experiment.scheduled_at or "")

    async def stands(self, wanted: str) -> Experiment:
        """The experiment as soon as Ready is so, for its generation."""

        async def asked() -> Experiment | None:
            experiment = await self.experiment()
            ready = find(experiment.status.conditions, ConditionType.READY)
            current = experiment.status.observed_generation == experiment.metadata.generation
            return experiment if current and ready and f"{ready.status} {ready.reason}" == wanted else None

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
            while not (answer := await ask()):
                await asyncio.sleep(0.05)
            return answer
    except TimeoutError:
        pytest.fail(f"never came: {what}; meanwhile:\n{under_way()}")


def under_way() -> str:
    """What every task waits for, from its outermost frame to its innermost."""
    waits = []
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        frames = [f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" for frame in _frames(task)]
        waits.append(f"{task.get_name()}: {' > '.join(frames)}")
    return "\n".join(sorted(waits))


def _frames(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    """The frames of the coroutines that wait for each other. A task itself tells only the outermost."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        if (frame := getattr(waiting, "cr_frame", None)) is not None:
            yield frame
        waiting = getattr(waiting, "cr_await", None)


@asynccontextmanager
async def at_work(operator: OperatorHarness) -> AsyncIterator[OperatorHarness]:
    """The operator at work for the time of the block. No task of it goes on afterwards, as after a SIGKILL."""
    before = asyncio.all_tasks()
    task = asyncio.create_task(operator.operate())
    try:
        yield operator
    finally:
        broke = task.exception() if task.done() and not task.cancelled() else None
        rest = [*(asyncio.all_tasks() - before - {asyncio.current_task()}), task]
        for each in rest:
            each.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if broke is not None:
            raise broke  # and whatever did not come did not for this


async def declared(client: Client, server: ApiServer, namespace: str) -> OperatorHarness:
    """An operator that has not begun, in a namespace in which a room has just been declared."""
    room = build.room()
    metadata = {"name": room.metadata.name, "namespace": namespace}
    body = {"apiVersion": API_VERSION, "kind": AudioRoom.kind, "metadata": metadata, "spec": dump(room.spec)}
    await client.create(AUDIO_ROOM, body)
    return OperatorHarness(client, server, namespace, SetClock(MIDNIGHT))
