"""Every object is looked at after every change, one pass at a time, and never again once it is gone."""

import asyncio

import pytest

from showstopper.api.experiment import Experiment
from showstopper.clock import Clock
from showstopper.engine.work_queue import WorkQueue
from showstopper.errors import NotFound, Unavailable
from tests.support import build


class Looking(WorkQueue[Experiment]):
    """Counts its passes, each of which waits until the test lets it end."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.looks: list[Experiment] = []
        self.forgotten: list[str] = []
        self.again: float | None = None
        self.error: Exception | None = None
        self.go = asyncio.Event()

    async def reconcile(self, resource: Experiment, seen_seconds: float) -> float | None:
        self.looks.append(resource)
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return self.again

    def forget(self, resource: Experiment) -> None:
        self.forgotten.append(resource.metadata.uid)


async def rest(queue: Looking, looks: int) -> None:
    """Until there were so many passes and none is under way."""
    async with asyncio.timeout(10):
        while len(queue.looks) < looks or queue._tasks:
            await asyncio.sleep(0)


async def test_many_changes_during_a_pass_make_one_more() -> None:
    queue, experiment = Looking(), build.experiment()
    queue.on_change(experiment)
    await asyncio.sleep(0)
    for _ in range(5):
        queue.enqueue(experiment.key)
    queue.go.set()
    await rest(queue, 2)
    assert len(queue.looks) == 2


async def test_it_looks_again_by_itself_when_it_was_told_to() -> None:
    queue = Looking()
    queue.go.set()
    queue.again = 0.0
    queue.on_change(build.experiment())
    async with asyncio.timeout(10):
        while len(queue.looks) < 3:
            await asyncio.sleep(0)
    queue.again = None
    await rest(queue, 3)


@pytest.mark.parametrize(
    "error",
    [Unavailable("away"), NotFound('nodes "gone" not found', status=404), RuntimeError("a mistake of ours")],
    ids=repr,
)
async def test_a_look_that_fails_is_taken_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when something is not found: that this object is gone is told by its deletion."""
    monkeypatch.setattr("showstopper.engine.work_queue.RETRY_SECONDS", 0.0)
    queue = Looking()
    queue.error = error
    queue.go.set()
    queue.on_change(build.experiment())
    async with asyncio.timeout(10):
        while len(queue.looks) < 3:
            await asyncio.sleep(0)
    queue.error = None
    await rest(queue, 3)


async def test_an_operator_that_is_cancelled_looks_at_nothing_more() -> None:
    queue, experiment = Looking(), build.experiment()
    queue.on_change(experiment)
    await asyncio.sleep(0)
    queue.enqueue(experiment.key)  # while it is looked at
    queue.enqueue_later(experiment.key, 0.01)
    for task in [*queue._tasks.values(), *queue._waiting]:
        task.cancel()
    await asyncio.sleep(0.05)
    assert len(queue.looks) == 1
    assert not queue._tasks


async def test_a_pass_that_is_cancelled_before_it_begins_keeps_no_later_one_back() -> None:
    queue, experiment = Looking(), build.experiment()
    queue.on_change(experiment)
    for task in queue._tasks.values():
        task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not queue.looks
    queue.go.set()
    queue.enqueue(experiment.key)
    await rest(queue, 1)


async def test_it_looks_later_when_it_is_asked_to() -> None:
    queue, experiment = Looking(), build.experiment()
    queue.go.set()
    queue.load(experiment)
    queue.enqueue_later(experiment.key, 0.01)
    assert not queue._tasks
    await rest(queue, 1)


async def test_what_is_gone_is_looked_at_no_more_and_forgotten() -> None:
    queue, experiment = Looking(), build.experiment()
    queue.load(experiment)
    queue.on_delete(experiment)
    queue.enqueue_all()
    queue.enqueue(experiment.key)
    assert (queue.looks, queue.forgotten) == ([], ["experiment-uid"])


@pytest.mark.parametrize("during_its_pass", [False, True])
async def test_nothing_is_kept_of_what_is_gone(*, during_its_pass: bool) -> None:
    """A pipeline makes experiments under ever new names, for as long as the operator lives."""
    queue, experiment = Looking(), build.experiment()
    queue.on_change(experiment)
    await asyncio.sleep(0)
    if during_its_pass:
        queue.on_delete(experiment)
    queue.go.set()
    await rest(queue, 1)
    queue.on_delete(experiment)
    assert not any((queue._known, queue._dirty, queue._tasks, queue._first_seen))


async def test_one_that_is_made_anew_under_its_name_is_another() -> None:
    queue, old = Looking(), build.experiment()
    new = build.experiment(metadata={"uid": "another"})
    queue.load(old)
    queue.load(new)
    queue.on_delete(old)  # told late
    assert queue.find(*new.key) is new
    assert queue.forgotten == ["experiment-uid"]
