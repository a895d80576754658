"""Runs against a real API server: what is written before a pod is hit, who has to wait, and what is not hit at all."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, Kind
from tests.api.server import with_crds
from tests.engine import cluster
from tests.engine.company import Company

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        yield found


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    async with await Client.connect(server.kubeconfig) as found:
        yield found


@pytest.fixture
async def company(client: Client, request: pytest.FixtureRequest) -> AsyncIterator[Company]:
    place = re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")[:60]
    await cluster.namespace(client, place)
    for name in ("a", "b"):
        await cluster.pod(client, place, name)
    found = Company(client, place)
    yield found
    await found.end()


def injected(run: ExperimentRun) -> bool:
    return bool(run.status.steps and run.status.steps[0].completed_at)


async def test_a_run_without_a_baseline_is_created_with_what_it_hits(company: Company) -> None:
    made = await company.create("kill")
    (chosen,) = made.spec.targets
    run = await company.stored(made, injected)
    assert run.spec.targets == made.spec.targets
    assert await cluster.names(company.client, company.place) == {"a", "b"} - {chosen.pod}
    (target,) = run.status.targets
    assert (target.pod, target.uid, bool(target.answered_at)) == (chosen.pod, chosen.uid, True)


async def test_late_news_of_a_run_that_is_over_does_not_begin_it_again(company: Company) -> None:
    """A watch may tell of the last steps when the run is judged and forgotten."""
    made = await company.create("kill")
    early = await company.stored(made, injected)
    await company.client.patch(EXPERIMENT_RUN, *made.key, [{"op": "add", "path": "/spec/abort", "value": True}])
    company.runs.seen(ExperimentRun.parse(await company.client.get(EXPERIMENT_RUN, *made.key)))
    await company.stored(made, lambda run: run.finished)
    while company.runs.active():
        await asyncio.sleep(0.01)
    told = {"uid": early.metadata.uid, "name": "", "namespace": "", "resourceVersion": early.metadata.resource_version}
    assert company.runs.knows(told)
    company.runs.seen(early)
    assert company.runs.active() == []
    assert [run.finished for run in company.runs.all()] == [True]


async def test_a_run_with_a_baseline_notes_its_targets_when_it_comes_to_them(company: Company) -> None:
    assert (await company.create("kill", baseline="5s")).spec.targets == ()


async def test_of_two_that_are_made_in_one_moment_the_second_waits(company: Company) -> None:
    made = [await company.plan(company.experiment(name, "0s")) for name in ("one", "two")]
    one, two = await asyncio.gather(company.create("one", made=made[0]), company.create("two", made=made[1]))
    assert (len(one.spec.targets), len(two.spec.targets)) == (1, 0)
    await company.stored(one, injected)
    waiting = await company.stored(two, lambda run: bool(run.status.conditions))
    assert waiting.status.conditions[0].reason == "WaitingForRoom"
    assert len(await cluster.names(company.client, company.place)) == 1


@pytest.mark.parametrize("baseline", ["0s", "5s"])
async def test_who_is_made_while_another_is_made_waits(
    company: Company, monkeypatch: pytest.MonkeyPatch, baseline: str
) -> None:
    """The API server answers the second first: the first is not known yet, and may hit its target at once."""
    create, second_is_made = company.client.create, asyncio.Event()

    async def held_up(kind: Kind, body: Object, **options: Any) -> Object:
        if body["spec"]["experiment"]["name"] == "one":
            await second_is_made.wait()
        return await create(kind, body, **options)

    monkeypatch.setattr(company.client, "create", held_up)
    first = asyncio.create_task(company.create("one", baseline=baseline))
    while not company.runs.creating():
        assert not first.done(), first
        await asyncio.sleep(0)
    two = await company.create("two", baseline=baseline)
    waiting = await company.stored(two, lambda run: bool(run.status.conditions))
    assert waiting.status.conditions[0].message == f"waits for run {company.runs.creating()[0]}, which goes first"
    second_is_made.set()
    one = await first
    if baseline == "0s":
        await company.stored(one, injected)
        assert len(await cluster.names(company.client, company.place)) == 1


async def test_a_plan_that_no_longer_holds_hits_nothing(company: Company) -> None:
    made = await company.plan(company.experiment("kill", "0s"))
    await cluster.forbid(company.client, company.place)
    run = await company.stored(await company.create("kill", made=made), lambda found: found.finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NamespaceNotAllowed")
    assert await cluster.names(company.client, company.place) == {"a", "b"}


async def test_a_run_that_is_there_already_is_not_made_again(company: Company) -> None:
    first = await company.create("kill")
    await company.stored(first, injected)
    other = Company(company.client, company.place)
    second = await other.create("kill", made=await company.plan(company.experiment("kill", "0s")))
    assert second.metadata.uid == first.metadata.uid
    assert len(await cluster.names(company.client, company.place)) == 1
    other.runs.gone(second)
