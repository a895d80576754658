"""Lasting faults against a real API server. The agent's part is played: it needs no node here to be told apart."""

import json
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.faults.process import ContainerKill, Signal
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, INJECTION
from showstopper.engine.hands.pace import Pace
from showstopper.executor.status import EndReason
from tests.support import stored_objects
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent, nothing_left

pytestmark = pytest.mark.apiserver


def finished(run: ExperimentRun) -> bool:
    return run.finished


def active(run: ExperimentRun) -> bool:
    return run.status.step == "Active"


async def taken_up(client: Client, harness: RunHarness, run: ExperimentRun) -> ExperimentRun:
    """The run when another life of the operator, which knows only the record, has carried it to its end."""
    other = RunHarness(client, harness.namespace)
    other.runs.on_change(ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key)))
    over = await harness.stored(run, finished)
    await other.end()
    return over


async def test_a_loss_is_armed_proven_lifted_and_forgotten(client: Client, harness: RunHarness) -> None:
    async with Agent(client, harness.namespace):
        run = await harness.stored(await harness.create("loss", faults=[LOSS]), finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.proven, record.reverted) == ("packetLoss", 2, True, True)
    assert (record.matched, record.affected, record.backend) == (800, 40, "nftables")
    assert [step.name for step in run.status.steps] == ["Injecting", "Active", "Reverting", "Recovering", "Judged"]
    assert all(target.proven and target.lifted_at for target in run.status.targets)
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    assert await nothing_left(client, run)


async def test_a_fault_that_touched_no_packet_had_no_effect(client: Client, harness: RunHarness) -> None:
    async with Agent(client, harness.namespace, matched=0):
        run = await harness.stored(await harness.create("loss", faults=[LOSS]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "matched no packet on a, b" in (run.status.message or "")
    assert run.status.faults[0].reverted


async def test_a_node_without_an_agent_is_named(client: Client, harness: RunHarness) -> None:
    harness = RunHarness(client, harness.namespace, Pace(arm=0.2, lift=0.2))
    run = await harness.stored(await harness.create("loss", faults=[LOSS]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "AgentMissing")
    assert "node1" in (run.status.message or "")
    assert not run.status.faults[0].reverted
    assert await nothing_left(client, run)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (EndReason.LEASE_LOST, "LeaseLost"),
        (EndReason.AGENT_RESTARTED, "LeaseLost"),  # it had died: nobody renewed what it held
    ],
)
async def test_a_fault_that_ends_early_allows_no_verdict(
    client: Client, harness: RunHarness, ending: EndReason, reason: str
) -> None:
    async with Agent(client, harness.namespace, ending=ending):
        run = await harness.stored(await harness.create("loss", faults=[{**LOSS, "duration": "1h"}]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", reason)
    assert await nothing_left(client, run)


async def test_a_fault_whose_agent_had_died_before_its_end_was_asked_for_allows_no_verdict(
    client: Client, harness: RunHarness
) -> None:
    """The operator sees it only then; one that goes on from the record still knows it."""
    async with Agent(client, harness.namespace, at_lift=EndReason.AGENT_RESTARTED):
        run = await harness.create("loss", faults=[LOSS], recovery="3s")
        await harness.stored(run, lambda run: run.status.step == "Recovering")
        await harness.end()
        run = await taken_up(client, harness, run)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "LeaseLost")
    (record,) = run.status.faults
    assert (record.cut_short, record.proven, record.reverted) == ("LeaseLost", True, True)
    assert "fault loss on node node1" in (record.message or "")


async def test_what_the_agents_stopped_was_aborted(client: Client, harness: RunHarness) -> None:
    """Whoever sees the stop switch first: an operator that was away finds only what its agents did."""
    async with Agent(client, harness.namespace, ending=EndReason.STOPPED):
        run = await harness.stored(await harness.create("loss", faults=[{**LOSS, "duration": "1h"}]), finished)
    assert (run.status.verdict, run.status.reason) == ("Aborted", "Stopped")
    assert await nothing_left(client, run)


async def test_an_agent_that_falls_silent_has_lost_its_lease(client: Client, harness: RunHarness) -> None:
    # Longer than the agent that is played may wait for a processor.
    harness = RunHarness(client, harness.namespace, Pace(silent=5.0, lift=0.2))
    async with Agent(client, harness.namespace):
        run = await harness.create("loss", faults=[{**LOSS, "duration": "1h"}])
        await harness.stored(run, active)
    run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "LeaseLost")
    assert "the agent on node node1 has not reported for 5 s" in (run.status.message or "")
    assert not run.status.faults[0].reverted  # nobody has looked
    assert await nothing_left(client, run)


async def test_the_creation_of_the_run_is_the_note(client: Client, harness: RunHarness) -> None:
    """An operator that died after asking the agents, and before the first word in the run's status, takes it up."""
    agent = Agent(client, harness.namespace)
    async with agent:
        run = await harness.stored(await harness.create("loss", faults=[{**LOSS, "duration": "3s"}]), active)
        await harness.end()
        assert len(run.spec.targets) == 2
        await client.patch(EXPERIMENT_RUN, *run.key, [{"op": "remove", "path": "/status"}], subresource="status")
        run = await taken_up(client, harness, run)
    assert run.status.faults[0].proven
    assert run.status.faults[0].reverted
    assert len(agent.seen) == 1


async def test_a_run_whose_agents_were_not_asked_begins_anew(client: Client, harness: RunHarness) -> None:
    agent = Agent(client, harness.namespace)
    async with agent:
        run = await harness.stored(await harness.create("loss", faults=[LOSS]), active)
        await harness.end()
        for injection in await client.list(INJECTION, harness.namespace):
            await client.delete(INJECTION, harness.namespace, injection["metadata"]["name"])
        await client.patch(EXPERIMENT_RUN, *run.key, [{"op": "remove", "path": "/status"}], subresource="status")
        run = await taken_up(client, harness, run)
    assert run.status.faults[0].proven
    assert len(agent.seen) == 2


async def test_an_abort_lifts_the_fault_first(client: Client, harness: RunHarness) -> None:
    async with Agent(client, harness.namespace):
        run = await harness.create("loss", faults=[{**LOSS, "duration": "1h"}])
        await harness.stored(run, active)
        await harness.abort(run)
        run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Aborted", "AbortRequested")
    assert run.status.faults[0].reverted
    assert await nothing_left(client, run)


async def test_another_life_of_the_operator_goes_on_with_what_there_is(client: Client, harness: RunHarness) -> None:
    agent = Agent(client, harness.namespace)
    async with agent:
        run = await harness.stored(await harness.create("loss", faults=[{**LOSS, "duration": "3s"}]), active)
        await harness.end()
        run = await taken_up(client, harness, run)
    assert run.status.faults[0].proven
    assert run.status.faults[0].reverted
    assert len(agent.seen) == 1


KILL = {"name": "kill", "target": {"component": "relay", "max": 2}, "containerKill": {"signal": "SIGTERM"}}


async def test_agents_that_were_disabled_meanwhile_have_lost_their_lease(
    client: Client, harness: RunHarness, server: ApiServer
) -> None:
    """The next life of the operator, by a chart with agent.enabled=false, may do nothing with Injections and Leases."""
    agentless = server.user(f"agentless-{harness.namespace}")
    server.kubectl("apply", "-f", "-", stdin=json.dumps(rights_without_agents(harness.namespace, agentless.stem)))
    async with Agent(client, harness.namespace):
        run = await harness.stored(await harness.create("loss", faults=[{**LOSS, "duration": "1h"}]), active)
        await harness.end()
    async with await Client.connect(agentless) as other:
        over = await taken_up(other, harness, run)
    assert (over.status.verdict, over.status.reason) == ("Inconclusive", "LeaseLost"), over.status.message
    assert "agents were disabled while the run was under way" in (over.status.message or "")
    assert f"-l showstopper.dev/run={run.metadata.name}" in (over.status.message or "")
    assert not over.status.faults[0].reverted


def rights_without_agents(namespace: str, user: str) -> dict[str, Any]:
    """What the chart's operator may without agents, and what this test needs of it."""
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "delete"]},
        {"apiGroups": ["showstopper.dev"], "resources": ["experimentruns"], "verbs": ["get"]},
        {"apiGroups": ["showstopper.dev"], "resources": ["experimentruns/status"], "verbs": ["get", "update"]},
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
    ]
    rbac = "rbac.authorization.k8s.io"
    metadata = {"name": "agentless", "namespace": namespace}
    role = {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": rules}
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "agentless"},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": user}],
    }
    return {"apiVersion": "v1", "kind": "List", "items": [role, binding]}


async def test_a_container_kill_is_the_agents_and_over_as_soon_as_all_processes_are(
    client: Client, harness: RunHarness
) -> None:
    agent = Agent(client, harness.namespace)
    async with agent:
        run = await harness.stored(await harness.create("kill", faults=[KILL]), finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.reverted) == ("containerKill", 2, True)
    assert [step.name for step in run.status.steps] == ["Injecting", "Active", "Reverting", "Recovering", "Judged"]
    assert all(target.gone_at and target.processes and target.processes.ended == 2 for target in run.status.targets)
    assert [injection.spec.container_kill for injection in agent.asked] == [ContainerKill(signal=Signal.SIGTERM)]
    assert {target.container_id for injection in agent.asked for target in injection.spec.targets} == {
        stored_objects.CONTAINER
    }
    assert not record.proven, "no listener has told that the media stopped"
    assert run.status.verdict == "Inconclusive"
    assert "listeners may still get media" in (record.message or "")
    assert await nothing_left(client, run)


async def test_processes_that_live_on_had_no_effect(client: Client, harness: RunHarness) -> None:
    harness = RunHarness(client, harness.namespace, Pace(end=0.3))
    async with Agent(client, harness.namespace, ended=1):
        run = await harness.stored(await harness.create("kill", faults=[KILL]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "2 of 4 processes ended" in (run.status.message or "")
    assert not any(target.gone_at for target in run.status.targets)


async def test_no_renewal_makes_the_lease_of_a_run_anew_that_is_over(client: Client, harness: RunHarness) -> None:
    """One that is under way while the Lease is deleted finds none, as if somebody else had deleted it."""
    hurried = RunHarness(client, harness.namespace, Pace(renew=0.001))
    async with Agent(client, harness.namespace):
        run = await hurried.stored(await hurried.create("loss", faults=[{**LOSS, "duration": "1s"}]), finished)
    assert run.status.faults[0].reverted
    assert await nothing_left(client, run)
    await hurried.end()
