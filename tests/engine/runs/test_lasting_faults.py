"""Lasting faults against a real API server. The agent's part is played: it needs no node here to be told apart."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.agent.session.status import EndReason
from showstopper.api.faults.process import ContainerKill, Signal
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, INJECTION
from showstopper.engine.hands.pace import Pace
from tests.api.server import with_crds
from tests.engine import cluster
from tests.engine.company import Company
from tests.engine.stub_agent import LOSS, Agent, nothing_left

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
    place = re.sub("[^a-z0-9]+", "-", str(request.node.name).lower())[5:60].strip("-")
    await cluster.namespace(client, place)
    for name in ("a", "b"):
        await cluster.pod(client, place, name)
    found = Company(client, place)
    yield found
    await found.end()


def finished(run: ExperimentRun) -> bool:
    return run.finished


def active(run: ExperimentRun) -> bool:
    return run.status.step == "Active"


async def taken_up(client: Client, company: Company, run: ExperimentRun) -> ExperimentRun:
    """The run when another life of the operator, which knows only the record, has carried it to its end."""
    other = Company(client, company.place)
    other.runs.seen(ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key)))
    over = await company.stored(run, finished)
    await other.end()
    return over


async def test_a_loss_is_armed_proven_lifted_and_forgotten(client: Client, company: Company) -> None:
    async with Agent(client, company.place):
        run = await company.stored(await company.create("loss", faults=[LOSS]), finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.proven, record.reverted) == ("packetLoss", 2, True, True)
    assert (record.matched, record.affected, record.backend) == (800, 40, "nftables")
    assert [step.name for step in run.status.steps] == ["Injecting", "Active", "Reverting", "Recovering", "Judged"]
    assert all(target.proven and target.lifted_at for target in run.status.targets)
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    assert await nothing_left(client, run)


async def test_a_fault_that_touched_no_packet_had_no_effect(client: Client, company: Company) -> None:
    async with Agent(client, company.place, matched=0):
        run = await company.stored(await company.create("loss", faults=[LOSS]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "matched no packet on a, b" in (run.status.message or "")
    assert run.status.faults[0].reverted


async def test_a_node_without_an_agent_is_named(client: Client, company: Company) -> None:
    company = Company(client, company.place, Pace(arm=0.2, lift=0.2))
    run = await company.stored(await company.create("loss", faults=[LOSS]), finished)
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
    client: Client, company: Company, ending: EndReason, reason: str
) -> None:
    async with Agent(client, company.place, ending=ending):
        run = await company.stored(await company.create("loss", faults=[{**LOSS, "duration": "1h"}]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", reason)
    assert await nothing_left(client, run)


async def test_a_fault_whose_agent_had_died_before_its_end_was_asked_for_allows_no_verdict(
    client: Client, company: Company
) -> None:
    """The operator sees it only then; one that goes on from the record still knows it."""
    async with Agent(client, company.place, at_lift=EndReason.AGENT_RESTARTED):
        run = await company.create("loss", faults=[LOSS], recovery="3s")
        await company.stored(run, lambda found: found.status.step == "Recovering")
        await company.end()
        run = await taken_up(client, company, run)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "LeaseLost")
    (record,) = run.status.faults
    assert (record.cut_short, record.proven, record.reverted) == ("LeaseLost", True, True)
    assert "fault loss on node node1" in (record.message or "")


async def test_what_the_agents_stopped_was_aborted(client: Client, company: Company) -> None:
    """Whoever sees the stop switch first: an operator that was away finds only what its agents did."""
    async with Agent(client, company.place, ending=EndReason.STOPPED):
        run = await company.stored(await company.create("loss", faults=[{**LOSS, "duration": "1h"}]), finished)
    assert (run.status.verdict, run.status.reason) == ("Aborted", "Stopped")
    assert await nothing_left(client, run)


async def test_an_agent_that_falls_silent_has_lost_its_lease(client: Client, company: Company) -> None:
    company = Company(client, company.place, Pace(silent=0.5, lift=0.2))
    async with Agent(client, company.place):
        run = await company.create("loss", faults=[{**LOSS, "duration": "1h"}])
        await company.stored(run, active)
    run = await company.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "LeaseLost")
    assert "the agent on node node1 has not reported for 0.5 s" in (run.status.message or "")
    assert not run.status.faults[0].reverted  # nobody has looked
    assert await nothing_left(client, run)


async def test_the_creation_of_the_run_is_the_note(client: Client, company: Company) -> None:
    """An operator that died after asking the agents, and before the first word in the run's status, takes it up."""
    agent = Agent(client, company.place)
    async with agent:
        run = await company.stored(await company.create("loss", faults=[{**LOSS, "duration": "3s"}]), active)
        await company.end()
        assert len(run.spec.targets) == 2
        await client.patch(EXPERIMENT_RUN, *run.key, [{"op": "remove", "path": "/status"}], subresource="status")
        run = await taken_up(client, company, run)
    assert run.status.faults[0].proven
    assert run.status.faults[0].reverted
    assert len(agent.seen) == 1


async def test_a_run_whose_agents_were_not_asked_begins_anew(client: Client, company: Company) -> None:
    agent = Agent(client, company.place)
    async with agent:
        run = await company.stored(await company.create("loss", faults=[LOSS]), active)
        await company.end()
        for injection in await client.list(INJECTION, company.place):
            await client.delete(INJECTION, company.place, injection["metadata"]["name"])
        await client.patch(EXPERIMENT_RUN, *run.key, [{"op": "remove", "path": "/status"}], subresource="status")
        run = await taken_up(client, company, run)
    assert run.status.faults[0].proven
    assert len(agent.seen) == 2


async def test_an_abort_lifts_the_fault_first(client: Client, company: Company) -> None:
    async with Agent(client, company.place):
        run = await company.create("loss", faults=[{**LOSS, "duration": "1h"}])
        await company.stored(run, active)
        await client.patch(EXPERIMENT_RUN, *run.key, [{"op": "add", "path": "/spec/abort", "value": True}])
        company.runs.seen(ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key)))
        run = await company.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Aborted", "AbortRequested")
    assert run.status.faults[0].reverted
    assert await nothing_left(client, run)


async def test_another_life_of_the_operator_goes_on_with_what_there_is(client: Client, company: Company) -> None:
    agent = Agent(client, company.place)
    async with agent:
        run = await company.stored(await company.create("loss", faults=[{**LOSS, "duration": "3s"}]), active)
        await company.end()
        run = await taken_up(client, company, run)
    assert run.status.faults[0].proven
    assert run.status.faults[0].reverted
    assert len(agent.seen) == 1


KILL = {"name": "kill", "target": {"component": "relay", "max": 2}, "containerKill": {"signal": "SIGTERM"}}


async def test_a_container_kill_is_the_agents_and_over_as_soon_as_all_processes_are(
    client: Client, company: Company
) -> None:
    agent = Agent(client, company.place)
    async with agent:
        run = await company.stored(await company.create("kill", faults=[KILL]), finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.reverted) == ("containerKill", 2, True)
    assert [step.name for step in run.status.steps] == ["Injecting", "Active", "Reverting", "Recovering", "Judged"]
    assert all(target.gone_at and target.processes and target.processes.ended == 2 for target in run.status.targets)
    assert [injection.spec.container_kill for injection in agent.asked] == [ContainerKill(signal=Signal.SIGTERM)]
    assert {target.container_id for one in agent.asked for target in one.spec.targets} == {cluster.CONTAINER}
    assert not record.proven, "no listener has told that the media stopped"
    assert run.status.verdict == "Inconclusive"
    assert "listeners may still get media" in (record.message or "")
    assert await nothing_left(client, run)


async def test_processes_that_live_on_had_no_effect(client: Client, company: Company) -> None:
    company = Company(client, company.place, Pace(end=0.3))
    async with Agent(client, company.place, ended=1):
        run = await company.stored(await company.create("kill", faults=[KILL]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "2 of 4 processes ended" in (run.status.message or "")
    assert not any(target.gone_at for target in run.status.targets)
