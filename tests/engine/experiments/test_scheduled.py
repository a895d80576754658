"""Scheduled experiments against a real API server, on a clock that the tests set: firings, restarts, refusals."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.conditions import ConditionType, find
from showstopper.cluster.kinds import EXPERIMENT, NAMESPACE
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


async def test_it_waits_for_its_hour_runs_and_shows_the_verdict(place: Place) -> None:
    place.apply(schedule="0 3 * * *", timeZone="Europe/Zurich")
    async with operated(place):
        found = await place.stands("True Scheduled")
        assert found.status.next_run_time == "2026-06-01T01:00:00Z"
        assert not await place.runs()
        place.clock.set("2026-06-01T01:00:00Z", -1)
        place.operation.experiments.poke_all()  # it sleeps by the real clock, and this one has leapt
        found = await place.stands("Unknown WaitingForRoom")
        (run,) = await place.runs()
        assert run.spec.experiment.scheduled_at == found.status.last_schedule_time == "2026-06-01T01:00:00Z"
        assert found.status.next_run_time == "2026-06-02T01:00:00Z"
        await place.abort()
        found = await place.stands("False AbortRequested")
        assert found.status.verdict == "Aborted"
        columns = place.server.kubectl("get", "exp", NAME, "-n", place.namespace, "-o", "wide").splitlines()
        assert "SCHEDULE" in columns[0]
        assert "NEXT RUN" in columns[0]
        assert "0 3 * * *" in columns[1]
        assert "2026-06-02T01:00:00Z" in columns[1]


async def test_a_restarted_operator_makes_up_for_the_last_firing_and_no_more(place: Place) -> None:
    place.apply(schedule="*/10 * * * *")
    async with operated(place):
        await place.stands("True Scheduled")
    place.clock.set("2026-06-01T05:32:00Z")
    async with operated(Place(place.client, place.server, place.namespace, place.clock)):
        await place.stands("Unknown WaitingForRoom")
        (run,) = await place.runs()
        assert run.spec.experiment.scheduled_at == "2026-06-01T05:30:00Z"


async def test_an_operator_that_dies_after_the_run_was_made_does_not_make_it_again(place: Place) -> None:
    place.apply(schedule="0 3 * * *")
    async with operated(place):
        found = await place.stands("True Scheduled")
        before = found.status
        place.clock.set("2026-06-01T03:00:01Z")
        place.operation.experiments.poke_all()
        await place.stands("Unknown WaitingForRoom")
    # The status as it was before anything told of the run.
    status = [{"op": "add", "path": "/status", "value": json.loads(before.model_dump_json(by_alias=True))}]
    await place.client.patch(EXPERIMENT, place.namespace, NAME, status, subresource="status")
    async with operated(Place(place.client, place.server, place.namespace, place.clock)) as second:
        found = await second.stands("Unknown WaitingForRoom")
        assert found.status.last_schedule_time == "2026-06-01T03:00:00Z"
        assert found.status.missed_run is None
        await second.abort()
        await second.stands("False AbortRequested")
        assert len(await second.runs()) == 1


async def test_suspended_it_waits_and_let_go_it_is_scheduled(place: Place) -> None:
    place.apply(schedule="0 3 * * *", suspend=True)
    async with operated(place):
        found = await place.stands("False Suspended")
        suspended = find(found.status.conditions, ConditionType.SUSPENDED)
        assert suspended is not None
        assert suspended.status == "True"
        assert found.status.next_run_time is None
        place.clock.set("2026-06-01T03:00:30Z")
        place.apply(schedule="0 3 * * *", suspend=False)
        found = await place.stands("True Scheduled")
        assert found.status.next_run_time == "2026-06-02T03:00:00Z"
        assert not await place.runs()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"schedule": "0 3 30 2 *"}, "0 3 30 2 *"),
        ({"schedule": "@daily", "timeZone": "Europe/Zurch"}, 'did you mean "Europe/Zurich"?'),
    ],
    ids=["never", "nowhere"],
)
async def test_what_only_the_operator_can_know_is_stalled(place: Place, spec: dict[str, str], says: str) -> None:
    place.apply(**spec)
    async with operated(place):
        found = await place.stands("False InvalidSchedule")
        stalled = find(found.status.conditions, ConditionType.STALLED)
        assert stalled is not None
        assert stalled.status == "True"
        assert says in stalled.message
        assert ": write " in stalled.message
        place.apply(schedule="@daily", timeZone="Europe/Zurich")
        await place.stands("True Scheduled")


async def test_a_refused_firing_is_red_until_there_is_a_run(place: Place) -> None:
    await cluster.forbid(place.client, place.namespace)
    place.apply(schedule="0 3 * * *")
    async with operated(place):
        await place.stands("True Scheduled")
        place.clock.set("2026-06-01T03:00:00Z")
        place.operation.experiments.poke_all()
        await place.stands("False NamespaceNotAllowed")
        place.clock.set("2026-06-01T04:00:00Z")
        place.operation.experiments.poke_all()

        async def given_up() -> bool:
            return (await place.experiment()).status.next_run_time == "2026-06-02T03:00:00Z"

        await until(given_up, "the next firing")
        found = await place.stands("False NamespaceNotAllowed")
        assert found.status.missed_run is not None
        assert found.status.missed_run.time == "2026-06-01T03:00:00Z"
        label = [{"op": "add", "path": "/metadata/labels", "value": {"showstopper.dev/chaos": "allowed"}}]
        await place.client.patch(NAMESPACE, "", place.namespace, label)
        place.clock.set("2026-06-02T03:00:00Z")
        place.operation.experiments.poke_all()
        await place.stands("Unknown WaitingForRoom")
        assert len(await place.runs()) == 1


async def test_it_wakes_by_itself(place: Place) -> None:
    place.clock.set("2026-06-01T02:59:57Z")
    place.apply(schedule="0 3 * * *")
    async with operated(place):
        await until(place.runs, "the run of 03:00")
        (run,) = await place.runs()
        assert run.spec.experiment.scheduled_at == "2026-06-01T03:00:00Z"
