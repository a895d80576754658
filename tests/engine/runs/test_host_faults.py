"""Faults of the host against a real API server. The host's part is played (see `stub_agent`)."""

import pytest

from showstopper.api.run import UID_LENGTH, ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, POD
from showstopper.cluster.listeners import HOST, ROLE_LABEL, ROOM_LABEL
from showstopper.engine.hands.pace import Pace
from showstopper.executor.status import EndReason
from tests.support import stored_objects
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent, nothing_left

pytestmark = pytest.mark.apiserver

SILENCE = {"name": "air", "duration": "1s", "deadAir": {}}
POD_NAME = "main-stage-host-a"


@pytest.fixture
async def on_stage(client: Client, harness: RunHarness) -> RunHarness:
    """What runs need, and the pod of the room's host."""
    labels = {ROOM_LABEL: "main-stage", ROLE_LABEL: HOST}
    await stored_objects.pod(client, harness.namespace, POD_NAME, labels=labels, address="198.18.200.30")
    return harness


def finished(run: ExperimentRun) -> bool:
    return run.finished


async def test_the_host_is_asked_proves_it_lifts_it_and_is_forgotten(client: Client, on_stage: RunHarness) -> None:
    host = Agent(client, on_stage.namespace)
    async with host:
        run = await on_stage.stored(await on_stage.create("air", faults=[SILENCE]), finished)
    (injection,) = host.asked
    assert (injection.spec.pod, injection.spec.node) == (POD_NAME, None)
    (record,), (target,) = run.status.faults, run.status.targets
    assert (record.kind, record.targets, record.proven, record.reverted) == ("deadAir", 1, True, True)
    assert record.message == "proven on every target: 60.0 s of silence sent"
    assert (target.pod, target.node, target.proven) == (POD_NAME, "node1", True)
    assert target.gone_at is None, "it is there, though it is of no component"
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    assert await nothing_left(client, run)


async def test_a_host_that_the_room_did_not_hear_had_no_effect(client: Client, on_stage: RunHarness) -> None:
    async with Agent(client, on_stage.namespace, idle=POD_NAME):
        run = await on_stage.stored(await on_stage.create("air", faults=[SILENCE]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "had no effect: 0.0 s of silence sent" in (run.status.message or "")


async def test_a_host_that_does_not_answer_is_named(client: Client, on_stage: RunHarness) -> None:
    harness = RunHarness(client, on_stage.namespace, Pace(arm=0.2, lift=0.2))
    run = await harness.stored(await harness.create("air", faults=[SILENCE]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "HostMissing")
    assert POD_NAME in (run.status.message or "")
    assert await nothing_left(client, run)


async def test_a_host_that_died_and_came_back_without_the_fault_allows_no_verdict(
    client: Client, on_stage: RunHarness
) -> None:
    async with Agent(client, on_stage.namespace, ending=EndReason.AGENT_RESTARTED):
        run = await on_stage.stored(await on_stage.create("air", faults=[{**SILENCE, "duration": "1h"}]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "LeaseLost")
    assert f"fault air on host {POD_NAME}" in (run.status.message or "")
    assert await nothing_left(client, run)


async def test_a_host_whose_pod_is_gone_is_lost_and_its_successor_is_not_asked(
    client: Client, on_stage: RunHarness
) -> None:
    # Longer than the host that is played may wait for a processor.
    harness = RunHarness(client, on_stage.namespace, Pace(silent=5.0, lift=0.2))
    host = Agent(client, harness.namespace)
    async with host:
        run = await harness.create("air", faults=[{**SILENCE, "duration": "1h"}])
        await harness.stored(run, lambda run: run.status.step == "Active")
        await client.delete(POD, harness.namespace, POD_NAME, grace_seconds=0)
        labels = {ROOM_LABEL: "main-stage", ROLE_LABEL: HOST}
        await stored_objects.pod(client, harness.namespace, "main-stage-host-b", labels=labels)
        run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "LeaseLost")
    assert len(host.asked) == 1
    assert await nothing_left(client, run)


async def test_a_relay_that_somebody_deletes_meanwhile_is_told_of(client: Client, on_stage: RunHarness) -> None:
    async with Agent(client, on_stage.namespace), on_stage.looking():
        run = await on_stage.create("silence", faults=[{**SILENCE, "duration": "5s"}])
        await on_stage.stored(run, lambda run: run.status.step == "Active")
        await client.delete(POD, on_stage.namespace, "b", grace_seconds=0)
        run = await on_stage.stored(run, finished)
    assert run.status.others_gone == ["b"]


async def test_a_relay_that_goes_while_no_operator_runs_is_told_of(client: Client, on_stage: RunHarness) -> None:
    """The next one has never seen it, and knows it by the record."""
    async with Agent(client, on_stage.namespace):
        async with on_stage.looking():
            run = await on_stage.create("silence", faults=[{**SILENCE, "duration": "5s"}])
            run = await on_stage.stored(run, lambda run: len(run.status.bystanders) == 2)
            await on_stage.end()
        gone = await client.get(POD, on_stage.namespace, "b")
        await client.delete(POD, on_stage.namespace, "b", grace_seconds=0)
        other = RunHarness(client, on_stage.namespace)
        async with other.looking():
            other.runs.on_change(ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key)))
            run = await other.stored(run, finished)
    assert run.status.others_gone == [f"pod of UID {gone['metadata']['uid'][:UID_LENGTH]}"]


async def test_host_and_agents_are_asked_beside_each_other(client: Client, on_stage: RunHarness) -> None:
    async with Agent(client, on_stage.namespace):
        run = await on_stage.stored(await on_stage.create("both", faults=[SILENCE, LOSS]), finished)
    assert {record.kind: (record.proven, record.reverted) for record in run.status.faults} == {
        "deadAir": (True, True),
        "packetLoss": (True, True),
    }
    assert await nothing_left(client, run)
