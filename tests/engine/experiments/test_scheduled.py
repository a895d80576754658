"""Scheduled experiments against a real API server, on a clock that the tests set: firings, restarts, refusals."""

import json

import pytest

from showstopper.api.conditions import ConditionType, find
from showstopper.cluster.kinds import EXPERIMENT, NAMESPACE
from tests.support import stored_objects
from tests.support.operator_harness import NAME, OperatorHarness, at_work, until

pytestmark = pytest.mark.apiserver


async def test_it_waits_for_its_hour_runs_and_shows_the_verdict(operator: OperatorHarness) -> None:
    operator.apply(schedule="0 3 * * *", timeZone="Europe/Zurich")
    async with at_work(operator):
        experiment = await operator.stands("True Scheduled")
        assert experiment.status.next_run_time == "2026-06-01T01:00:00Z"
        assert not await operator.runs()
        operator.clock.set("2026-06-01T01:00:00Z", -1)
        operator.operation.experiments.enqueue_all()  # it sleeps by the real clock, and this one has leapt
        experiment = await operator.stands("Unknown WaitingForRoom")
        (run,) = await operator.runs()
        assert run.spec.experiment.scheduled_at == experiment.status.last_schedule_time == "2026-06-01T01:00:00Z"
        assert experiment.status.next_run_time == "2026-06-02T01:00:00Z"
        await operator.abort()
        experiment = await operator.stands("False AbortRequested")
        assert experiment.status.verdict == "Aborted"
        columns = operator.server.kubectl("get", "exp", NAME, "-n", operator.namespace, "-o", "wide").splitlines()
        assert "SCHEDULE" in columns[0]
        assert "NEXT RUN" in columns[0]
        assert "0 3 * * *" in columns[1]
        assert "2026-06-02T01:00:00Z" in columns[1]


async def test_a_restarted_operator_makes_up_for_the_last_firing_and_no_more(operator: OperatorHarness) -> None:
    operator.apply(schedule="*/10 * * * *")
    async with at_work(operator):
        await operator.stands("True Scheduled")
    operator.clock.set("2026-06-01T05:32:00Z")
    async with at_work(operator.anew()):
        await operator.stands("Unknown WaitingForRoom")
        (run,) = await operator.runs()
        assert run.spec.experiment.scheduled_at == "2026-06-01T05:30:00Z"


async def test_an_operator_that_dies_after_the_run_was_made_does_not_make_it_again(operator: OperatorHarness) -> None:
    operator.apply(schedule="0 3 * * *")
    async with at_work(operator):
        experiment = await operator.stands("True Scheduled")
        before = experiment.status
        operator.clock.set("2026-06-01T03:00:01Z")
        operator.operation.experiments.enqueue_all()
        await operator.stands("Unknown WaitingForRoom")
    # The status as it was before anything told of the run.
    status = [{"op": "add", "path": "/status", "value": json.loads(before.model_dump_json(by_alias=True))}]
    await operator.client.patch(EXPERIMENT, operator.namespace, NAME, status, subresource="status")
    async with at_work(operator.anew()) as second:
        experiment = await second.stands("Unknown WaitingForRoom")
        assert experiment.status.last_schedule_time == "2026-06-01T03:00:00Z"
        assert experiment.status.missed_run is None
        await second.abort()
        await second.stands("False AbortRequested")
        assert len(await second.runs()) == 1


async def test_suspended_it_waits_and_let_go_it_is_scheduled(operator: OperatorHarness) -> None:
    operator.apply(schedule="0 3 * * *", suspend=True)
    async with at_work(operator):
        experiment = await operator.stands("False Suspended")
        suspended = find(experiment.status.conditions, ConditionType.SUSPENDED)
        assert suspended is not None
        assert suspended.status == "True"
        assert experiment.status.next_run_time is None
        operator.clock.set("2026-06-01T03:00:30Z")
        operator.apply(schedule="0 3 * * *", suspend=False)
        experiment = await operator.stands("True Scheduled")
        assert experiment.status.next_run_time == "2026-06-02T03:00:00Z"
        assert not await operator.runs()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"schedule": "0 3 30 2 *"}, "0 3 30 2 *"),
        ({"schedule": "@daily", "timeZone": "Europe/Zurch"}, 'did you mean "Europe/Zurich"?'),
    ],
    ids=["never", "nowhere"],
)
async def test_what_only_the_operator_can_know_is_stalled(
    operator: OperatorHarness, spec: dict[str, str], says: str
) -> None:
    operator.apply(**spec)
    async with at_work(operator):
        experiment = await operator.stands("False InvalidSchedule")
        stalled = find(experiment.status.conditions, ConditionType.STALLED)
        assert stalled is not None
        assert stalled.status == "True"
        assert says in stalled.message
        assert ": write " in stalled.message
        operator.apply(schedule="@daily", timeZone="Europe/Zurich")
        await operator.stands("True Scheduled")


async def test_a_refused_firing_is_red_until_there_is_a_run(operator: OperatorHarness) -> None:
    await stored_objects.forbid(operator.client, operator.namespace)
    operator.apply(schedule="0 3 * * *")
    async with at_work(operator):
        await operator.stands("True Scheduled")
        operator.clock.set("2026-06-01T03:00:00Z")
        operator.operation.experiments.enqueue_all()
        await operator.stands("False NamespaceNotAllowed")
        operator.clock.set("2026-06-01T04:00:00Z")
        operator.operation.experiments.enqueue_all()

        async def given_up() -> bool:
            return (await operator.experiment()).status.next_run_time == "2026-06-02T03:00:00Z"

        await until(given_up, "the next firing")
        experiment = await operator.stands("False NamespaceNotAllowed")
        assert experiment.status.missed_run is not None
        assert experiment.status.missed_run.time == "2026-06-01T03:00:00Z"
        label = [{"op": "add", "path": "/metadata/labels", "value": {"showstopper.dev/chaos": "allowed"}}]
        await operator.client.patch(NAMESPACE, "", operator.namespace, label)
        operator.clock.set("2026-06-02T03:00:00Z")
        operator.operation.experiments.enqueue_all()
        await operator.stands("Unknown WaitingForRoom")
        assert len(await operator.runs()) == 1


async def test_it_wakes_by_itself(operator: OperatorHarness) -> None:
    operator.clock.set("2026-06-01T02:59:57Z")
    operator.apply(schedule="0 3 * * *")
    async with at_work(operator):
        await until(operator.runs, "the run of 03:00")
        (run,) = await operator.runs()
        assert run.spec.experiment.scheduled_at == "2026-06-01T03:00:00Z"
