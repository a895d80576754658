"""Inject against a real API server: noted before it happens, and never twice, wherever the operator dies."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, StepName
from showstopper.api.schema.base import API_VERSION, dump
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, POD
from showstopper.engine.hands.pace import Pace
from showstopper.engine.planning import plan
from showstopper.engine.runs import windows
from showstopper.engine.runs.context import Proposal, RunContext
from showstopper.engine.runs.record import RunRecord
from showstopper.engine.runs.sampling import Sampler
from showstopper.engine.runs.steps import Inject
from showstopper.engine.runs.steps.inject import recorded
from showstopper.engine.runs.waiting import RunWait
from showstopper.engine.status_writer import StatusWriter
from tests.support import build, stored_objects
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent

pytestmark = pytest.mark.apiserver

KILL = build.fault()


@pytest.fixture
async def harness(client: Client, namespace: str) -> AsyncIterator[RunHarness]:
    """In a namespace without any pod, and with little patience."""
    made = RunHarness(client, namespace, Pace(arm=0.2))
    yield made
    await made.end()


async def context_of(harness: RunHarness, *pods: Object, **spec: Any) -> RunContext:
    """A run that was created with these pods as its targets, as an operator sees it that has just started."""
    targets = [
        {
            "fault": fault["name"],
            "pod": pod["metadata"]["name"],
            "uid": pod["metadata"]["uid"],
            "node": pod["spec"]["nodeName"],
            "address": pod["status"]["podIP"],
        }
        for fault in spec.get("faults", [KILL])
        for pod in pods
    ]
    timing = {"baseline": "0s", "recovery": "0s"}
    declared = build.run(targets=targets, timing=timing, deadline="2100-01-01T00:00:00Z", **spec)
    body = {
        "apiVersion": API_VERSION,
        "kind": ExperimentRun.kind,
        "metadata": {"name": "run", "namespace": harness.namespace},
        "spec": dump(declared.spec),
    }
    run = ExperimentRun.parse(await harness.client.create(EXPERIMENT_RUN, body))
    services = harness.services
    record = RunRecord(StatusWriter(harness.client, EXPERIMENT_RUN, run), services.clock)
    wait = RunWait(lambda: record.run, services.clock, disowned=services.disowned, stopped=services.stopped)
    hands = services.hands.hands(run, pause=wait.pause, news=wait.wake)
    sampler = Sampler(record, services.sources, services.clock, every=services.pace.sample)
    return RunContext(services, record, wait, hands, sampler)


async def stored(harness: RunHarness) -> dict[str, Any]:
    status: dict[str, Any] = (await harness.client.get(EXPERIMENT_RUN, harness.namespace, "run")).get("status", {})
    return status


async def names(harness: RunHarness) -> set[str]:
    return await stored_objects.names(harness.client, harness.namespace)


async def confirmed() -> Finding | None:
    return None


async def test_the_step_and_the_answers_come_in_one_write(harness: RunHarness) -> None:
    context = await context_of(harness, await stored_objects.pod(harness.client, harness.namespace, "noted"))
    version = context.run.metadata.version
    run = context.run
    made = plan.again(await harness.snapshots.of_run(run), run.spec.faults, run.spec.targets, 1)
    context.first = Proposal(made, confirmed())
    assert await Inject().run(context) is None
    assert "noted" not in await names(harness)
    status = await stored(harness)
    (step,), (target,), (fault,) = status["steps"], status["targets"], status["faults"]
    assert step["name"] == "Injecting"
    assert step["startedAt"] <= target["requestedAt"] <= target["answeredAt"] <= step["completedAt"]
    assert (fault["name"], fault["targets"]) == ("kill", 1)
    assert context.run.metadata.version > version
    assert len(await harness.client.list(EXPERIMENT_RUN, harness.namespace)) == 1


async def test_after_a_restart_untouched_pods_count_as_not_hit(harness: RunHarness) -> None:
    """The run begins anew: its pods are planned again, noted, and hit for the first time."""
    context = await context_of(harness, await stored_objects.pod(harness.client, harness.namespace, "untouched"))
    assert await Inject().run(context) is None
    assert "untouched" not in await names(harness)
    (target,) = (await stored(harness))["targets"]
    assert target["answeredAt"]
    assert "message" not in target


async def test_after_a_restart_a_pod_that_went_is_not_hit_again(harness: RunHarness) -> None:
    pod = await stored_objects.pod(harness.client, harness.namespace, "gone")
    context = await context_of(harness, pod)
    await harness.client.delete(POD, harness.namespace, "gone", uid=pod["metadata"]["uid"], grace_seconds=0)
    successor = await stored_objects.pod(harness.client, harness.namespace, "gone")
    finding = await Inject().run(context)
    assert finding is not None
    assert (finding.reason, finding.verdict) == (Reason.KILL_UNCERTAIN, Verdict.INCONCLUSIVE)
    there = await harness.client.get(POD, harness.namespace, "gone")
    assert there["metadata"]["uid"] == successor["metadata"]["uid"]
    (target,) = (await stored(harness))["targets"]
    assert target["reason"] == "KillUncertain"
    assert "somebody else may have deleted it" in target["message"]
    assert "answeredAt" not in target
    window = windows.judged_window(context.run)
    assert window is not None
    assert window.start == from_timestamp(context.run.metadata.creation_timestamp)


async def test_after_a_restart_between_two_calls_only_the_untouched_pod_is_hit(harness: RunHarness) -> None:
    pods = [await stored_objects.pod(harness.client, harness.namespace, name) for name in ("first", "second")]
    context = await context_of(harness, *pods)
    await harness.client.delete(POD, harness.namespace, "first", grace_seconds=0)
    assert await Inject().run(context) is None
    assert not {"first", "second"} & await names(harness)
    first, second = (await stored(harness))["targets"]
    assert first["reason"] == "KillUncertain"
    assert second["answeredAt"]


async def test_a_step_that_is_completed_hits_nothing_again(harness: RunHarness) -> None:
    context = await context_of(harness, await stored_objects.pod(harness.client, harness.namespace, "once"))
    assert await Inject().run(context) is None
    await stored_objects.pod(harness.client, harness.namespace, "once")
    assert await Inject().run(context) is None
    assert "once" in await names(harness)


async def test_after_a_restart_nothing_is_killed_where_what_lasts_could_not_be_armed(harness: RunHarness) -> None:
    """No agent answers: an operator that died while it waited for one must not go on to the kill."""
    faults = [{**LOSS, "target": {"component": "relay"}}, KILL]
    context = await context_of(
        harness, await stored_objects.pod(harness.client, harness.namespace, "spared"), faults=faults
    )
    await context.record.note_targets(context.run.spec.targets, context.run.metadata.creation_timestamp, deferred=False)
    assert not context.record.completed(StepName.INJECTING)
    trouble = await Inject().run(context)
    assert trouble is not None
    assert "spared" in await names(harness)
    assert not context.record.completed(StepName.INJECTING)
    context.hands.close()


async def test_after_a_restart_nothing_is_killed_where_one_of_two_was_never_asked_for(harness: RunHarness) -> None:
    """Of two lasting faults one is armed. The operator died before it asked for the other."""
    lasting = {**LOSS, "target": {"component": "relay"}}
    faults = [lasting, {**lasting, "name": "never-asked"}, KILL]
    pod = await stored_objects.pod(harness.client, harness.namespace, "spared")
    context = await context_of(harness, pod, faults=faults)
    await context.record.note_targets(context.run.spec.targets, context.run.metadata.creation_timestamp, deferred=False)
    async with Agent(harness.client, harness.namespace):
        await context.hands.start(context.run, recorded(context.run)[:1], again=False)
        trouble = await Inject().run(context)
    assert trouble is not None
    assert (trouble.reason, "never-asked" in trouble.message) == (Reason.INJECTION_LOST, True)
    assert "spared" in await names(harness)
    context.hands.close()
