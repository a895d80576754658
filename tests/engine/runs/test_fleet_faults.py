"""Network faults of the room's own fleet against a real API server. The agents' part is played (see `stub_agent`)."""

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.listeners import CROWD, HOST, LISTENER, ROLE_LABEL, ROOM_LABEL
from tests.support import stored_objects
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent, nothing_left

pytestmark = pytest.mark.apiserver

UPLINK = {**LOSS, "name": "uplink", "target": {"fleet": "Host"}}
LAST_MILE = {**LOSS, "name": "last-mile", "target": {"fleet": "Listeners", "percent": "50%"}}
FLEET = {
    "main-stage-host-a": HOST,
    "main-stage-listeners-0": LISTENER,
    "main-stage-listeners-1": LISTENER,
    "main-stage-crowd-0": CROWD,
}


@pytest.fixture
async def on_stage(client: Client, harness: RunHarness) -> RunHarness:
    """What runs need, and the pods of the room's fleet."""
    for number, (name, role) in enumerate(FLEET.items()):
        labels = {ROOM_LABEL: "main-stage", ROLE_LABEL: role}
        await stored_objects.pod(client, harness.namespace, name, labels=labels, address=f"198.18.200.{30 + number}")
    return harness


def finished(run: ExperimentRun) -> bool:
    return run.finished


async def test_the_agent_of_the_hosts_node_hits_its_media_and_the_host_is_asked_nothing(
    client: Client, on_stage: RunHarness
) -> None:
    agent = Agent(client, on_stage.namespace)
    async with agent:
        run = await on_stage.stored(await on_stage.create("uplink", faults=[UPLINK]), finished)
    (injection,) = agent.asked
    assert (injection.spec.pod, injection.spec.node, injection.spec.media_only) == (None, "node1", True)
    assert [target.pod for target in injection.spec.targets] == ["main-stage-host-a"]
    (record,), (target,) = run.status.faults, run.status.targets
    assert (record.kind, record.targets, record.proven, record.reverted) == ("packetLoss", 1, True, True)
    assert target.gone_at is None, "it is there, though it is of no component"
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    assert await nothing_left(client, run)


async def test_a_share_of_the_listeners_is_hit_and_the_rest_of_the_fleet_is_not(
    client: Client, on_stage: RunHarness
) -> None:
    agent = Agent(client, on_stage.namespace)
    async with agent:
        run = await on_stage.stored(await on_stage.create("last-mile", faults=[LAST_MILE]), finished)
    (injection,) = agent.asked
    (target,) = injection.spec.targets
    assert FLEET[target.pod] == LISTENER
    assert [each.pod for each in run.status.targets] == [target.pod]
    assert run.status.faults[0].proven


async def test_a_listener_whose_last_mile_met_no_packet_proves_nothing(client: Client, on_stage: RunHarness) -> None:
    both = {**LAST_MILE, "target": {"fleet": "Listeners", "percent": "100%"}}
    async with Agent(client, on_stage.namespace, idle="main-stage-listeners-1"):
        run = await on_stage.stored(await on_stage.create("last-mile", faults=[both]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "main-stage-listeners-1" in (run.status.message or "")


async def test_a_host_that_somebody_deletes_meanwhile_is_told_of(client: Client, on_stage: RunHarness) -> None:
    agent = Agent(client, on_stage.namespace)
    async with agent:
        run = await on_stage.create("uplink", faults=[{**UPLINK, "duration": "2s"}])
        await on_stage.stored(run, lambda run: run.status.step == "Active")
        await agent.lose("main-stage-host-a")
        run = await on_stage.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "TargetsGone")
    assert await nothing_left(client, run)
