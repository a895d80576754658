"""Runs against a real API server: what is written before a pod is hit, who has to wait, and what is not hit at all."""

import asyncio
from typing import Any

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.cluster.client import Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, Kind
from showstopper.engine.planning.plan import Snapshot
from showstopper.engine.runs import judging
from showstopper.engine.runs.judging import Judgement
from showstopper.errors import NotFound
from tests.support import build, stored_objects
from tests.support.run_harness import RunHarness

pytestmark = pytest.mark.apiserver


def injected(run: ExperimentRun) -> bool:
    return bool(run.status.steps and run.status.steps[0].completed_at)


async def test_a_run_without_a_baseline_is_created_with_what_it_hits(harness: RunHarness) -> None:
    made = await harness.create("kill")
    (chosen,) = made.spec.targets
    run = await harness.stored(made, injected)
    assert run.spec.targets == made.spec.targets
    assert await stored_objects.names(harness.client, harness.namespace) == {"a", "b"} - {chosen.pod}
    (target,) = run.status.targets
    assert (target.pod, target.uid, bool(target.answered_at)) == (chosen.pod, chosen.uid, True)


async def test_late_news_of_a_run_that_is_over_does_not_begin_it_again(harness: RunHarness) -> None:
    """A watch may tell of the last steps when the run is judged and forgotten."""
    made = await harness.create("kill")
    early = await harness.stored(made, injected)
    await harness.client.patch(EXPERIMENT_RUN, *made.key, [{"op": "add", "path": "/spec/abort", "value": True}])
    harness.runs.on_change(ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, *made.key)))
    await harness.stored(made, lambda run: run.finished)
    while harness.runs.active():
        await asyncio.sleep(0.01)
    told = {"uid": early.metadata.uid, "name": "", "namespace": "", "resourceVersion": early.metadata.resource_version}
    assert harness.runs.knows(told)
    harness.runs.on_change(early)
    assert harness.runs.active() == []
    assert [run.finished for run in harness.runs.all()] == [True]


async def test_a_run_with_a_baseline_notes_its_targets_when_it_comes_to_them(harness: RunHarness) -> None:
    assert (await harness.create("kill", baseline="5s")).spec.targets == ()


async def test_of_two_that_are_made_in_one_moment_the_second_waits(harness: RunHarness) -> None:
    made = [await harness.plan(harness.experiment(name, "0s")) for name in ("one", "two")]
    first, second = await asyncio.gather(harness.create("one", made=made[0]), harness.create("two", made=made[1]))
    assert (len(first.spec.targets), len(second.spec.targets)) == (1, 0)
    await harness.stored(first, injected)
    waiting = await harness.stored(second, lambda run: bool(run.status.conditions))
    assert waiting.status.conditions[0].reason == "WaitingForRoom"
    assert len(await stored_objects.names(harness.client, harness.namespace)) == 1


@pytest.mark.parametrize("baseline", ["0s", "5s"])
async def test_who_is_made_while_another_is_made_waits(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch, baseline: str
) -> None:
    """The API server answers the second first: the first is not known yet, and may hit its target at once."""
    create, second_is_made = harness.client.create, asyncio.Event()
    asked: list[str] = []

    async def held_up(kind: Kind, body: Object, **options: Any) -> Object:
        if body["spec"]["experiment"]["name"] == "one":
            asked.append(body["metadata"]["name"])
            await second_is_made.wait()
        return await create(kind, body, **options)

    monkeypatch.setattr(harness.client, "create", held_up)
    first = asyncio.create_task(harness.create("one", baseline=baseline))
    while not asked:
        assert not first.done(), first
        await asyncio.sleep(0)
    second_run = await harness.create("two", baseline=baseline)
    waiting = await harness.stored(second_run, lambda run: bool(run.status.conditions))
    assert waiting.status.conditions[0].message == f"waits for run {asked[0]}, which goes first"
    second_is_made.set()
    first_run = await first
    if baseline == "0s":
        await harness.stored(first_run, injected)
        assert len(await stored_objects.names(harness.client, harness.namespace)) == 1


async def test_a_plan_that_no_longer_holds_hits_nothing(harness: RunHarness) -> None:
    made = await harness.plan(harness.experiment("kill", "0s"))
    await stored_objects.forbid(harness.client, harness.namespace)
    run = await harness.stored(await harness.create("kill", made=made), lambda run: run.finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NamespaceNotAllowed")
    assert await stored_objects.names(harness.client, harness.namespace) == {"a", "b"}


async def test_a_run_that_is_there_already_is_not_made_again(harness: RunHarness) -> None:
    first = await harness.create("kill")
    await harness.stored(first, injected)
    other = RunHarness(harness.client, harness.namespace)
    second = await other.create("kill", made=await harness.plan(harness.experiment("kill", "0s")))
    assert second.metadata.uid == first.metadata.uid
    assert len(await stored_objects.names(harness.client, harness.namespace)) == 1
    other.runs.on_delete(second)


async def test_a_room_that_was_changed_under_its_run_allows_no_verdict(harness: RunHarness) -> None:
    smaller = build.room(listeners={"count": 1}).spec
    harness.services.rooms.on_change(harness.room().model_copy(update={"spec": smaller}))
    run = await harness.stored(await harness.create("kill"), lambda run: run.finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "RoomChanged")


async def test_a_run_whose_judging_breaks_is_an_error_and_keeps_its_room_from_nobody(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is known that breaks it, so it is broken here: a count of 400 digits did once, and no end was written."""
    judge = judging.judge

    def broken(*arguments: Any, error: Finding | None = None, **options: Any) -> Judgement:
        if error is None:
            raise OverflowError("int too large to convert to float")
        return judge(*arguments, error=error, **options)

    monkeypatch.setattr(judging, "judge", broken)
    made = await harness.create("kill")
    await harness.client.patch(EXPERIMENT_RUN, *made.key, [{"op": "add", "path": "/spec/abort", "value": True}])
    harness.runs.on_change(ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, *made.key)))
    run = await harness.stored(made, lambda run: run.finished)
    assert (run.status.verdict, run.status.reason) == ("Error", "EngineFailed")
    assert run.status.message == "OverflowError: int too large to convert to float; the operator's log has more"
    await harness.stored(await harness.create("again"), injected)


async def test_a_run_that_misses_any_other_object_ends_and_keeps_its_room_from_nobody(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 404 is not the run's own deletion: that is read before the run is let go."""

    async def missing(_: ExperimentRun) -> Snapshot:
        raise NotFound('nodes "node1" not found', status=404)

    monkeypatch.setattr(harness.snapshots, "of_run", missing)
    run = await harness.stored(await harness.create("kill", baseline="0s", recovery="1s"), lambda run: run.finished)
    assert (run.status.verdict, run.status.reason) == ("Error", "APIServerFailed"), run.status.message
    assert run.status.message == 'nodes "node1" not found'
    monkeypatch.undo()
    await harness.stored(await harness.create("again"), injected)


async def test_a_run_whose_judging_misses_an_object_ends(harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = judging.judge

    def missing(*arguments: Any, error: Finding | None = None, **options: Any) -> Judgement:
        if error is None:
            raise NotFound('pods "a" not found', status=404)
        return judge(*arguments, error=error, **options)

    monkeypatch.setattr(judging, "judge", missing)
    made = await harness.create("kill")
    await harness.abort(made)
    run = await harness.stored(made, lambda run: run.finished)
    assert (run.status.verdict, run.status.reason) == ("Error", "EngineFailed"), run.status.message


async def test_a_run_that_was_deleted_unseen_goes_on_no_more(harness: RunHarness) -> None:
    made = await harness.create("kill", baseline="5s")
    run = await harness.stored(made, lambda run: bool(run.status.conditions))
    await harness.client.delete(EXPERIMENT_RUN, *made.key)
    harness.runs.on_change(run.model_copy(update={"spec": run.spec.model_copy(update={"abort": True})}))
    async with asyncio.timeout(30):
        while harness.runs._tasks:
            await asyncio.sleep(0.01)
    assert await stored_objects.names(harness.client, harness.namespace) == {"a", "b"}
