"""Bad input of every kind ends with a reason and a remedy on the run, is lifted wherever it hit, and leaves nothing.

What an agent finds on its node is found in tests/agent; here it is a stub's word. What `kubectl apply` refuses (a share
over 100 %, a delay over 5 s) stands in tests/api/mistakes.py, overlapping runs in test_runs.py and test_turns.py.
"""

from datetime import timedelta

import pytest

from showstopper.agent.kernel.backends import Backends
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.faults.network import Delay
from showstopper.api.injection import TargetState
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.engine.hands.pace import Pace
from showstopper.errors import EffectRefused
from showstopper.faults.network.traffic import NetworkEffect, Traffic
from tests.support import stored_objects
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent, nothing_left

pytestmark = pytest.mark.apiserver
BOTH = {**LOSS, "duration": "1h"}


@pytest.fixture
async def relays(client: Client, namespace: str) -> None:
    """Relay a is on node1, and relay b on node2."""
    for number, name in enumerate(("a", "b"), 1):
        await stored_objects.pod(client, namespace, name, node=f"node{number}")


async def ended(harness: RunHarness, agent: Agent) -> ExperimentRun:
    """The run of a fault on both, which has to end long before its hour is over."""
    async with agent:
        return await harness.stored(await harness.create("bad", faults=[BOTH]), lambda run: run.finished)


def assert_says(run: ExperimentRun, reason: str, *remedy: str) -> None:
    """On the run, where people look, and in its conditions, where machines do."""
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", reason), run.status.message
    for words in remedy:
        assert words in (run.status.message or "")
    ready = find(run.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", reason)
    assert is_true(run.status.conditions, ConditionType.STALLED)


def lifted(run: ExperimentRun) -> set[str]:
    return {target.pod for target in run.status.targets if target.armed_at and target.lifted_at}


async def test_a_node_without_an_agent(client: Client, harness: RunHarness) -> None:
    hurried = RunHarness(client, harness.namespace, Pace(arm=2.0, lift=2.0))
    run = await ended(hurried, Agent(client, harness.namespace, nodes=frozenset({"node1"})))
    assert_says(run, "AgentMissing", "node2", "agent.enabled=true")
    assert lifted(run) == {"a"}
    assert await nothing_left(client, run)


async def test_an_expectation_of_a_crowd_that_the_room_does_not_have(harness: RunHarness) -> None:
    expect = [{"indicator": "AudibleRatio", "listeners": "Crowd", "min": "95%"}]
    run = await harness.stored(await harness.create("crowded", baseline="5s", expect=expect), lambda run: run.finished)
    assert_says(run, "NoCrowd", "has none", "listeners.crowd")
    assert not run.status.targets


async def test_a_kernel_without_means(client: Client, harness: RunHarness) -> None:
    agent = Agent(client, harness.namespace)
    agent.instead["b"] = TargetState.REFUSED, _without_means()
    run = await ended(harness, agent)
    assert_says(run, "Refused", "node node2", "no means for", "nodes whose kernel has")
    assert lifted(run) == {"a"}
    assert await nothing_left(client, run)


def _without_means() -> str:
    """An agent's own words."""
    with pytest.raises(EffectRefused) as refused:
        Backends((), {"netem": "no such qdisc"}).needed(
            NetworkEffect("late", Traffic(), Delay(latency=timedelta(milliseconds=5)))
        )
    return str(refused.value)


async def test_a_pod_that_is_deleted_while_it_is_hit(client: Client, harness: RunHarness) -> None:
    agent = Agent(client, harness.namespace)
    agent.instead["b"] = TargetState.GONE, "b went while it was being hit"
    run = await ended(harness, agent)
    assert_says(run, "TargetsGone", "b went while it was being hit", "run again")
    assert lifted(run) == {"a"}
    assert await nothing_left(client, run)


async def test_a_device_that_vanished(client: Client, harness: RunHarness) -> None:
    agent = Agent(client, harness.namespace)
    agent.instead["b"] = TargetState.LIFTED, "device eth0 of b vanished while the fault lasted: look at the plugin"
    run = await ended(harness, agent)
    assert_says(run, "NotKeptUp", "device eth0 of b vanished", "look at")
    assert lifted(run) == {"a"}
    assert await nothing_left(client, run)
