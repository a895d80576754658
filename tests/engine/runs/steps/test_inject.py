"""Inject against a real API server: noted before it happens, and never twice, wherever the operator dies."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.base import API_VERSION, dump
from showstopper.api.run import ExperimentRun, StepName
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, POD
from showstopper.engine.hands.pace import Pace
from showstopper.engine.planning import plan
from showstopper.engine.runs import judging
from showstopper.engine.runs.context import Proposal, RunContext
from showstopper.engine.runs.record import RunRecord
from showstopper.engine.runs.steps import Inject
from showstopper.engine.runs.waiting import RunWait
from showstopper.engine.status_writer import StatusWriter
from tests.api.server import with_crds
from tests.engine import build, cluster
from tests.engine.company import Company
from tests.engine.stub_agent import LOSS

pytestmark = pytest.mark.apiserver

KILL = build.fault()


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as server:
        yield server


@pytest.fixture
async def company(server: ApiServer, request: pytest.FixtureRequest) -> AsyncIterator[Company]:
    place = re.sub("[^a-z0-9]+", "-", str(request.node.name).lower())[5:60].strip("-")
    async with await Client.connect(server.kubeconfig) as client:
        await cluster.namespace(client, place)
        company = Company(client, place, Pace(arm=0.2))
        yield company
        await company.end()


async def context_of(company: Company, *pods: Object, **spec: Any) -> RunContext:
    """A run that was created with these pods as its targets, as an operator sees it that has just started."""
    targets = [
        {"fault": fault["name"], "pod": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        for fault in spec.get("faults", [KILL])
        for pod in pods
    ]
    timing = {"baseline": "0s", "recovery": "0s"}
    declared = build.run(targets=targets, timing=timing, deadline="2100-01-01T00:00:00Z", **spec)
    body = {
        "apiVersion": API_VERSION,
        "kind": ExperimentRun.kind,
        "metadata": {"name": "run", "namespace": company.place},
        "spec": dump(declared.spec),
    }
    run = ExperimentRun.parse(await company.client.create(EXPERIMENT_RUN, body))
    services = company.services
    record = RunRecord(StatusWriter(company.client, EXPERIMENT_RUN, run), services.clock)
    wait = RunWait(lambda: record.run, services.clock, disowned=services.disowned, stopped=services.stopped)
    return RunContext(services, record, wait, services.hands.hands(run, pause=wait.pause, news=wait.wake))


async def stored(company: Company) -> dict[str, Any]:
    status: dict[str, Any] = (await company.client.get(EXPERIMENT_RUN, company.place, "run")).get("status", {})
    return status


async def names(company: Company) -> set[str]:
    return await cluster.names(company.client, company.place)


async def confirmed() -> Finding | None:
    return None


async def test_the_step_and_the_answers_come_in_one_write(company: Company) -> None:
    context = await context_of(company, await cluster.pod(company.client, company.place, "noted"))
    version = context.run.metadata.version
    run = context.run
    made = plan.again(await company.snapshots.of_run(run), run.spec.faults, run.spec.targets, 1)
    context.first = Proposal(made, confirmed())
    assert await Inject().run(context) is None
    assert "noted" not in await names(company)
    status = await stored(company)
    (step,), (target,), (fault,) = status["steps"], status["targets"], status["faults"]
    assert step["name"] == "Injecting"
    assert step["startedAt"] <= target["requestedAt"] <= target["answeredAt"] <= step["completedAt"]
    assert (fault["name"], fault["targets"]) == ("kill", 1)
    assert context.run.metadata.version > version
    assert len(await company.client.list(EXPERIMENT_RUN, company.place)) == 1


async def test_after_a_restart_untouched_pods_count_as_not_hit(company: Company) -> None:
    """The run begins anew: its pods are planned again, noted, and hit for the first time."""
    context = await context_of(company, await cluster.pod(company.client, company.place, "untouched"))
    assert await Inject().run(context) is None
    assert "untouched" not in await names(company)
    (target,) = (await stored(company))["targets"]
    assert target["answeredAt"]
    assert "message" not in target


async def test_after_a_restart_a_pod_that_went_is_not_hit_again(company: Company) -> None:
    pod = await cluster.pod(company.client, company.place, "gone")
    context = await context_of(company, pod)
    await company.client.delete(POD, company.place, "gone", uid=pod["metadata"]["uid"], grace_seconds=0)
    successor = await cluster.pod(company.client, company.place, "gone")
    assert await Inject().run(context) is None
    there = await company.client.get(POD, company.place, "gone")
    assert there["metadata"]["uid"] == successor["metadata"]["uid"]
    (target,) = (await stored(company))["targets"]
    assert "before the operator restarted" in target["message"]
    assert "answeredAt" not in target
    window = judging.judged_window(context.run)
    assert window is not None
    assert window.start == from_timestamp(context.run.metadata.creation_timestamp)


async def test_after_a_restart_between_two_calls_only_the_untouched_pod_is_hit(company: Company) -> None:
    pods = [await cluster.pod(company.client, company.place, name) for name in ("first", "second")]
    context = await context_of(company, *pods)
    await company.client.delete(POD, company.place, "first", grace_seconds=0)
    assert await Inject().run(context) is None
    assert not {"first", "second"} & await names(company)
    first, second = (await stored(company))["targets"]
    assert "before the operator restarted" in first["message"]
    assert second["answeredAt"]


async def test_a_step_that_is_completed_hits_nothing_again(company: Company) -> None:
    context = await context_of(company, await cluster.pod(company.client, company.place, "once"))
    assert await Inject().run(context) is None
    await cluster.pod(company.client, company.place, "once")
    assert await Inject().run(context) is None
    assert "once" in await names(company)


async def test_after_a_restart_nothing_is_killed_where_what_lasts_could_not_be_armed(company: Company) -> None:
    """No agent answers: an operator that died while it waited for one must not go on to the kill."""
    faults = [{**LOSS, "target": {"component": "relay"}}, KILL]
    context = await context_of(company, await cluster.pod(company.client, company.place, "spared"), faults=faults)
    await context.record.note_targets(context.run.spec.targets, context.run.metadata.creation_timestamp, deferred=False)
    assert not context.record.completed(StepName.INJECTING)
    trouble = await Inject().run(context)
    assert trouble is not None
    assert "spared" in await names(company)
    assert not context.record.completed(StepName.INJECTING)
    context.hands.close()
