"""Every object is looked at after every change, one pass at a time, and never again once it is gone."""

import asyncio

import pytest

from showstopper.api.experiment import Experiment
from showstopper.clock import Clock
from showstopper.engine.work_queue import WorkQueue
from showstopper.errors import NotFound, Unavailable
from tests.engine import build


class Looking(WorkQueue[Experiment]):
    """Counts its passes, each of which waits until the test lets it end."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.looks: list[Experiment] = []
        self.forgotten: list[str] = []
        self.again: float | None = None
        self.error: Exception | None = None
        self.go = asyncio.Event()

    async def look(self, resource: Experiment, seen_seconds: float) -> float | None:
        self.looks.append(resource)
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return self.again

    def forget(self, resource: Experiment) -> None:
        self.forgotten.append(resource.metadata.uid)


async def rest(levels: Looking, looks: int) -> None:
    """Until there were so many passes and none is under way."""
    async with asyncio.timeout(10):
        while len(levels.looks) < looks or levels._tasks:
            await asyncio.sleep(0)


async def test_many_changes_during_a_pass_make_one_more() -> None:
    levels, experiment = Looking(), build.experiment()
    levels.seen(experiment)
    await asyncio.sleep(0)
    for _ in range(5):
        levels.poke(experiment.key)
    levels.go.set()
    await rest(levels, 2)
    assert len(levels.looks) == 2


async def test_it_looks_again_by_itself_when_it_was_told_to() -> None:
    levels = Looking()
    levels.go.set()
    levels.again = 0.0
    levels.seen(build.experiment())
    async with asyncio.timeout(10):
        while len(levels.looks) < 3:
            await asyncio.sleep(0)
    levels.again = None
    await rest(levels, 3)


@pytest.mark.parametrize("error", [Unavailable("away"), RuntimeError("a mistake of ours")], ids=repr)
async def test_a_look_that_fails_is_taken_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("showstopper.engine.work_queue.RETRY_SECONDS", 0.0)
    levels = Looking()
    levels.error = error
    levels.go.set()
    levels.seen(build.experiment())
    async with asyncio.timeout(10):
        while len(levels.looks) < 3:
            await asyncio.sleep(0)
    levels.error = None
    await rest(levels, 3)


async def test_what_the_api_server_does_not_find_is_not_looked_at_again() -> None:
    levels = Looking()
    levels.error = NotFound("gone", status=404)
    levels.go.set()
    levels.seen(build.experiment())
    await rest(levels, 1)
    assert len(levels.looks) == 1


async def test_an_operator_that_is_cancelled_looks_at_nothing_more() -> None:
    levels, experiment = Looking(), build.experiment()
    levels.seen(experiment)
    await asyncio.sleep(0)
    levels.poke(experiment.key)  # while it is looked at
    levels.poke_later(experiment.key, 0.01)
    for task in [*levels._tasks.values(), *levels._waiting]:
        task.cancel()
    await asyncio.sleep(0.05)
    assert len(levels.looks) == 1
    assert not levels._tasks


async def test_it_looks_later_when_it_is_asked_to() -> None:
    levels, experiment = Looking(), build.experiment()
    levels.go.set()
    levels.learn(experiment)
    levels.poke_later(experiment.key, 0.01)
    assert not levels._tasks
    await rest(levels, 1)


async def test_what_is_gone_is_looked_at_no_more_and_forgotten() -> None:
    levels, experiment = Looking(), build.experiment()
    levels.learn(experiment)
    levels.gone(experiment)
    levels.poke_all()
    levels.poke(experiment.key)
    assert (levels.looks, levels.forgotten) == ([], ["experiment-uid"])


async def test_one_that_is_made_anew_under_its_name_is_another() -> None:
    levels, old = Looking(), build.experiment()
    new = build.experiment(metadata={"uid": "another"})
    levels.learn(old)
    levels.learn(new)
    levels.gone(old)  # told late
    assert levels.find(*new.key) is new
    assert levels.forgotten == ["experiment-uid"]
