"""Experiments against a real API server: what their status says while runs come and go."""

import asyncio
from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.experiment import Experiment
from showstopper.api.run import ExperimentRun
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.errors import Forbidden
from tests.support import stored_objects
from tests.support.operator_harness import NAME, OperatorHarness, at_work, until

pytestmark = pytest.mark.apiserver


async def test_nobody_has_looked_at_a_new_one(operator: OperatorHarness) -> None:
    operator.apply()
    assert (await operator.experiment()).status.observed_generation == -1


async def test_a_run_waits_for_its_room_and_the_columns_are_those_for_people(operator: OperatorHarness) -> None:
    operator.apply()
    async with at_work(operator):
        experiment = await operator.stands("Unknown WaitingForRoom")
        assert is_true(experiment.status.conditions, ConditionType.RECONCILING)
        assert experiment.status.faults == "podKill"
        header = operator.server.kubectl("get", "experiments", "-n", operator.namespace).splitlines()[0]
        assert header.split() == ["NAME", "ROOM", "FAULT", "VERDICT", "AUDIBLE", "DEAD", "AIR", "RECOVERY", "AGE"]


async def test_an_experiment_whose_run_may_not_be_made_says_so_until_it_may(
    operator: OperatorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forbidden(*_: Any) -> None:
        raise Forbidden('nodes "node1" is forbidden; install the chart with faults.nodeDrain.enabled=true', status=403)

    operator.apply()
    async with at_work(operator):
        with monkeypatch.context() as refusing:
            refusing.setattr(Snapshots, "plan", forbidden)
            experiment = await operator.stands("False RunNotCreated")
            ready = find(experiment.status.conditions, ConditionType.READY)
            assert ready is not None
            assert "faults.nodeDrain.enabled=true" in ready.message
        await operator.stands("Unknown WaitingForRoom")


async def test_two_at_once_wait_for_each_other(operator: OperatorHarness) -> None:
    operator.apply()
    operator.apply("another")
    async with at_work(operator):

        async def queued() -> ExperimentRun | None:
            runs = await operator.runs()
            ready = [find(run.status.conditions, ConditionType.READY) for run in runs]
            waits = [condition for condition in ready if condition and "which goes first" in condition.message]
            return next((run for run, condition in zip(runs, ready, strict=True) if condition in waits), None)

        run = await until(queued, "one of two runs is queued")
        ready = find(run.status.conditions, ConditionType.READY)
        assert ready is not None
        assert ready.reason == "WaitingForRoom"
        assert run.status.observed_generation == run.metadata.generation
        await operator.abort()
        await operator.stands("False AbortRequested")


async def test_an_annotation_is_answered_by_its_run_and_its_verdict(operator: OperatorHarness) -> None:
    operator.apply()
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
        await operator.abort()
        await operator.stands("False AbortRequested")
        for value in ("one", "two", "one"):  # an earlier value is as good as a new one
            operator.annotate(RUN_REQUESTED, value)

            async def answered(value: str = value) -> Experiment | None:
                experiment = await operator.experiment()
                return experiment if experiment.status.last_handled_run_request == value else None

            experiment = await until(answered, f"the answer to {value}")
            assert experiment.status.verdict is None, "answered means: under way"
            assert not is_true(experiment.status.conditions, ConditionType.FINISHED)
            await operator.abort()
            await operator.stands("False AbortRequested")
        assert len(await operator.runs()) == 4
        operator.annotate(RUN_REQUESTED, None)
        operator.apply(historyLimit=1)

        async def trimmed() -> bool:
            return len(await operator.runs()) == 1

        await until(trimmed, "a smaller history")
        experiment = await operator.stands("False AbortRequested")
        assert (experiment.status.last_handled_run_request, experiment.status.run and experiment.status.run.name) == (
            "one",
            (await operator.runs())[0].metadata.name,
        )


async def test_at_most_one_run_waits_and_it_is_what_is_wanted_now(operator: OperatorHarness) -> None:
    """A busy room, and commits of a GitOps controller: none but the last form is injected."""
    operator.apply()
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
        for revision in ("2", "3", "4"):
            operator.apply(revision=revision)
            await operator.stands("Unknown WaitingForRoom")

        async def newest_waits() -> bool:
            waiting = [run for run in await operator.runs() if not run.finished]
            wanted = requests.wanted(await operator.experiment()).hash
            return [run.spec.experiment.hash for run in waiting] == [wanted]

        await until(newest_waits, "the run of revision 4 alone")
        ended = [run.status for run in await operator.runs() if run.finished]
        assert {(status.verdict, status.reason) for status in ended} == {("Inconclusive", "Superseded")}
        assert not any(status.steps[:-1] for status in ended), "nothing of them was begun"


async def test_one_more_that_is_asked_for_is_made_when_the_one_that_waits_is_over(operator: OperatorHarness) -> None:
    operator.apply()
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
        (first,) = await operator.runs()
        for value in ("one", "two"):
            operator.annotate(RUN_REQUESTED, value)
        await until_looked_at(operator)
        assert [run.metadata.name for run in await operator.runs()] == [first.metadata.name]
        await operator.abort()

        async def followed() -> bool:
            return [run.spec.experiment.run_request for run in await operator.runs() if not run.finished] == ["two"]

        await until(followed, "the run of the last request")
        assert len(await operator.runs()) == 2


async def test_suspend_ends_the_run_that_waits_and_resuming_makes_it_again(operator: OperatorHarness) -> None:
    operator.apply()
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
        operator.apply(suspend=True)
        await operator.stands("False Suspended")
        (run,) = await operator.runs()
        assert (run.status.verdict, run.status.reason) == ("Inconclusive", "Suspended")
        operator.apply(suspend=False)
        await operator.stands("Unknown WaitingForRoom")
        assert [run.finished for run in await operator.runs()].count(False) == 1


async def until_looked_at(operator: OperatorHarness) -> None:
    """Until the operator has been told of the newest annotation, and has had the time to act upon it."""
    wanted = (await operator.experiment()).metadata.resource_version

    async def told() -> bool:
        known = operator.operation.experiments.find(operator.namespace, NAME)
        return known is not None and int(known.metadata.resource_version) >= int(wanted)

    await until(told, "the annotation")
    await asyncio.sleep(0.5)


async def test_a_verdict_is_never_written_for_a_generation_that_was_not_tested(operator: OperatorHarness) -> None:
    """The spec changes after the decision and before the write, unseen: the write must not follow it."""
    operator.apply()
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
    (run,) = await operator.runs()
    verdict = [{"op": "add", "path": "/status/verdict", "value": "Passed"}]
    await operator.client.patch(EXPERIMENT_RUN, *run.key, verdict, subresource="status")
    second = operator.anew()
    seen = await operator.experiment()
    second.operation.experiments.load(seen)
    second.operation.runs.on_change(ExperimentRun.parse(await operator.client.get(EXPERIMENT_RUN, *run.key)))
    operator.apply(revision="2", suspend=True)
    second.operation.experiments.enqueue(seen.key)

    async def looked() -> Experiment | None:
        experiment = await operator.experiment()
        return experiment if experiment.status.observed_generation == experiment.metadata.generation else None

    experiment = await until(looked, "a look at the new generation")
    ready = find(experiment.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.reason, experiment.status.verdict) == ("False", "Suspended", None)


async def test_a_run_that_is_deleted_before_its_verdict_stalls_its_experiment(operator: OperatorHarness) -> None:
    operator.apply()
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
        (run,) = await operator.runs()
        await operator.client.delete(EXPERIMENT_RUN, *run.key)
        experiment = await operator.stands("False RunDeleted")
        assert is_true(experiment.status.conditions, ConditionType.STALLED)
        assert not await operator.runs()
        operator.annotate(RUN_REQUESTED, "again")
        await operator.stands("Unknown WaitingForRoom")


async def test_a_dry_run_is_ready_with_its_plan_and_no_run(operator: OperatorHarness) -> None:
    await stored_objects.pod(operator.client, operator.namespace, "relay-1")
    operator.apply(dryRun=True)
    async with at_work(operator):
        experiment = await operator.stands("True Planned")
        assert [target.pod for target in experiment.status.plan] == ["relay-1"]
        assert is_true(experiment.status.conditions, ConditionType.FINISHED)
        assert "relay-1" in experiment.status.conditions[0].message
        assert not await operator.runs()


async def test_a_dry_run_that_would_hit_nothing_is_refused(operator: OperatorHarness) -> None:
    operator.apply(dryRun=True)
    async with at_work(operator):
        experiment = await operator.stands("False NoTargets")
        assert is_true(experiment.status.conditions, ConditionType.STALLED)


async def test_a_run_without_a_baseline_is_at_best_inconclusive(operator: OperatorHarness) -> None:
    await stored_objects.pod(operator.client, operator.namespace, "relay-1")
    operator.apply(timing={"baseline": "0s", "recovery": "0s"})
    async with at_work(operator):
        await operator.finished()
        experiment = await operator.experiment()
        assert experiment.status.verdict == "Inconclusive"
        assert is_true(experiment.status.conditions, ConditionType.STALLED)
        assert await stored_objects.names(operator.client, operator.namespace) == set(), (
            "the fault itself was carried out"
        )


async def test_the_events_of_an_experiment_tell_its_verdict(operator: OperatorHarness) -> None:
    operator.apply()
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
        await operator.abort()
        await operator.stands("False AbortRequested")

        async def told() -> bool:
            events = operator.server.kubectl("events", "-n", operator.namespace, "--for", f"experiment/{NAME}")
            return "AbortRequested" in events

        await until(told, "the event")
