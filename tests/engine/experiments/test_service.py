"""Experiments against a real API server: what their status says while runs come and go."""

from collections.abc import AsyncIterator, Iterator

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.experiment import Experiment
from showstopper.api.run import ExperimentRun
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.api.server import with_crds
from tests.engine import cluster
from tests.engine.place import NAME, Place, fresh, operated, until

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        yield found


@pytest.fixture
async def place(server: ApiServer) -> AsyncIterator[Place]:
    async with fresh(server) as found:
        yield found


async def test_nobody_has_looked_at_a_new_one(place: Place) -> None:
    place.apply()
    assert (await place.experiment()).status.observed_generation == -1


async def test_a_run_waits_for_its_room_and_the_columns_are_those_for_people(place: Place) -> None:
    place.apply()
    async with operated(place):
        found = await place.stands("Unknown WaitingForRoom")
        assert is_true(found.status.conditions, ConditionType.RECONCILING)
        assert found.status.faults == "podKill"
        header = place.server.kubectl("get", "experiments", "-n", place.namespace).splitlines()[0]
        assert header.split() == ["NAME", "ROOM", "FAULT", "VERDICT", "AUDIBLE", "DEAD", "AIR", "RECOVERY", "AGE"]


async def test_two_at_once_wait_for_each_other(place: Place) -> None:
    place.apply()
    place.apply("another")
    async with operated(place):

        async def queued() -> ExperimentRun | None:
            runs = await place.runs()
            ready = [find(run.status.conditions, ConditionType.READY) for run in runs]
            waits = [one for one in ready if one and "which goes first" in one.message]
            return next((run for run, one in zip(runs, ready, strict=True) if one in waits), None)

        run = await until(queued, "one of two runs is queued")
        ready = find(run.status.conditions, ConditionType.READY)
        assert ready is not None
        assert ready.reason == "WaitingForRoom"
        assert run.status.observed_generation == run.metadata.generation
        await place.abort()
        await place.stands("False AbortRequested")


async def test_an_annotation_is_answered_by_its_run_and_its_verdict(place: Place) -> None:
    place.apply()
    async with operated(place):
        await place.stands("Unknown WaitingForRoom")
        await place.abort()
        await place.stands("False AbortRequested")
        for value in ("one", "two", "one"):  # an earlier value is as good as a new one
            place.annotate(RUN_REQUESTED, value)

            async def answered(value: str = value) -> Experiment | None:
                found = await place.experiment()
                return found if found.status.last_handled_run_request == value else None

            found = await until(answered, f"the answer to {value}")
            assert found.status.verdict is None, "answered means: under way"
            assert not is_true(found.status.conditions, ConditionType.FINISHED)
            await place.abort()
            await place.stands("False AbortRequested")
        assert len(await place.runs()) == 4
        place.annotate(RUN_REQUESTED, None)
        place.apply(historyLimit=1)

        async def trimmed() -> bool:
            return len(await place.runs()) == 1

        await until(trimmed, "a smaller history")
        found = await place.stands("False AbortRequested")
        assert (found.status.last_handled_run_request, found.status.run and found.status.run.name) == (
            "one",
            (await place.runs())[0].metadata.name,
        )


async def test_a_verdict_is_never_written_for_a_generation_that_was_not_tested(place: Place) -> None:
    """The spec changes after the decision and before the write, unseen: the write must not follow it."""
    place.apply()
    async with operated(place):
        await place.stands("Unknown WaitingForRoom")
    (run,) = await place.runs()
    verdict = [{"op": "add", "path": "/status/verdict", "value": "Passed"}]
    await place.client.patch(EXPERIMENT_RUN, *run.key, verdict, subresource="status")
    second = Place(place.client, place.server, place.namespace, place.clock)
    seen = await place.experiment()
    second.operation.experiments.learn(seen)
    second.operation.runs.seen(ExperimentRun.parse(await place.client.get(EXPERIMENT_RUN, *run.key)))
    place.apply(revision="2", suspend=True)
    second.operation.experiments.poke(seen.key)

    async def looked() -> Experiment | None:
        found = await place.experiment()
        return found if found.status.observed_generation == found.metadata.generation else None

    found = await until(looked, "a look at the new generation")
    ready = find(found.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.reason, found.status.verdict) == ("False", "Suspended", None)


async def test_a_run_that_is_deleted_before_its_verdict_stalls_its_experiment(place: Place) -> None:
    place.apply()
    async with operated(place):
        await place.stands("Unknown WaitingForRoom")
        (run,) = await place.runs()
        await place.client.delete(EXPERIMENT_RUN, *run.key)
        found = await place.stands("False RunDeleted")
        assert is_true(found.status.conditions, ConditionType.STALLED)
        assert not await place.runs()
        place.annotate(RUN_REQUESTED, "again")
        await place.stands("Unknown WaitingForRoom")


async def test_a_dry_run_is_ready_with_its_plan_and_no_run(place: Place) -> None:
    await cluster.pod(place.client, place.namespace, "relay-1")
    place.apply(dryRun=True)
    async with operated(place):
        found = await place.stands("True Planned")
        assert [target.pod for target in found.status.plan] == ["relay-1"]
        assert is_true(found.status.conditions, ConditionType.FINISHED)
        assert "relay-1" in found.status.conditions[0].message
        assert not await place.runs()


async def test_a_dry_run_that_would_hit_nothing_is_refused(place: Place) -> None:
    place.apply(dryRun=True)
    async with operated(place):
        found = await place.stands("False NoTargets")
        assert is_true(found.status.conditions, ConditionType.STALLED)


async def test_a_run_without_a_baseline_is_at_best_inconclusive(place: Place) -> None:
    await cluster.pod(place.client, place.namespace, "relay-1")
    place.apply(timing={"baseline": "0s", "recovery": "0s"})
    async with operated(place):
        await place.finished()
        found = await place.experiment()
        assert found.status.verdict == "Inconclusive"
        assert is_true(found.status.conditions, ConditionType.STALLED)
        assert await cluster.names(place.client, place.namespace) == set(), "the fault itself was carried out"


async def test_the_events_of_an_experiment_tell_its_verdict(place: Place) -> None:
    place.apply()
    async with operated(place):
        await place.stands("Unknown WaitingForRoom")
        await place.abort()
        await place.stands("False AbortRequested")

        async def told() -> bool:
            events = place.server.kubectl("events", "-n", place.namespace, "--for", f"experiment/{NAME}")
            return "AbortRequested" in events

        await until(told, "the event")
