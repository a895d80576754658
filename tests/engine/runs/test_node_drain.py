"""Drains on a real API server: cordoned, emptied of the room, and uncordoned, whoever ends the run."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, NODE
from showstopper.engine.hands.api_server import pods
from showstopper.engine.hands.pace import Pace
from showstopper.errors import NotFound
from tests.engine.runs.test_evictions import BUDGET, budget
from tests.support import stored_objects
from tests.support.run_harness import RunHarness

pytestmark = pytest.mark.apiserver

DRAIN = {
    "name": "drain",
    "target": {"component": "relay", "max": 2},
    "nodeDrain": {"gracePeriod": "0s"},
    "duration": "1h",
}
HURRIED = Pace(proof=0.5, lift=2.0, feed=0.5)


@pytest.fixture
async def node(client: Client, namespace: str) -> AsyncIterator[str]:
    """A node of this test's own, with two relays on it."""
    name = f"node-of-{namespace}"
    await client.create(NODE, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}})
    await stored_objects.deployment(client, namespace, ("a", "b"), node=name)
    yield name
    with suppress(NotFound):
        await client.delete(NODE, "", name)


@pytest.fixture
async def harness(client: Client, namespace: str, node: str) -> AsyncIterator[RunHarness]:
    made = RunHarness(client, namespace, HURRIED)
    yield made
    await made.end()


def finished(run: ExperimentRun) -> bool:
    return run.finished


def active(run: ExperimentRun) -> bool:
    return run.status.step == "Active" and all(change.changed_at for change in run.status.changes)


async def is_cordoned(client: Client, node: str) -> bool:
    return bool((await client.get(NODE, "", node))["spec"].get("unschedulable"))


async def cordon(client: Client, node: str) -> None:
    """As somebody else does it."""
    await client.patch(NODE, "", node, [{"op": "add", "path": "/spec/unschedulable", "value": True}])


async def uncordon(client: Client, node: str) -> None:
    await client.patch(NODE, "", node, [{"op": "remove", "path": "/spec/unschedulable"}])


async def test_the_node_is_cordoned_emptied_of_the_room_and_uncordoned(
    client: Client, harness: RunHarness, node: str
) -> None:
    run = await harness.stored(await harness.create("drain", faults=[{**DRAIN, "duration": "3s"}]), active)
    assert await is_cordoned(client, node)
    assert not await stored_objects.names(client, harness.namespace)
    run = await harness.stored(run, finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.proven, record.reverted) == ("nodeDrain", 2, True, True), record.message
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoBaseline"), "all else would have allowed one"
    assert all(target.answered_at and target.gone_at for target in run.status.targets)
    assert not await is_cordoned(client, node)


async def test_what_a_budget_refuses_at_first_is_evicted_when_it_allows_it(
    client: Client, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pods, "RETRY_SECONDS", 0.5)
    await budget(client, harness.namespace, allowed=0)
    run = await harness.stored(await harness.create("drain", faults=[{**DRAIN, "duration": "6s"}]), active)
    await client.delete(BUDGET, harness.namespace, "relays-stay")
    run = await harness.stored(run, finished)
    (record,) = run.status.faults
    assert record.proven, record.message
    assert not any(target.reason or target.message for target in run.status.targets)


async def test_what_a_budget_refuses_to_the_end_is_told(client: Client, harness: RunHarness, node: str) -> None:
    await budget(client, harness.namespace, allowed=0)
    run = await harness.stored(await harness.create("drain", faults=[{**DRAIN, "duration": "2s"}]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect"), run.status.message
    assert "was still on the node when the duration was over" in (run.status.message or "")
    assert "disruption budget relays-stay" in (run.status.message or "")
    assert await stored_objects.names(client, harness.namespace) == {"a", "b"}
    assert run.status.faults[0].reverted
    assert not await is_cordoned(client, node)


async def test_another_life_of_the_operator_uncordons_it(client: Client, harness: RunHarness, node: str) -> None:
    run = await harness.stored(await harness.create("drain", faults=[DRAIN]), active)
    await harness.end()
    other = RunHarness(client, harness.namespace, HURRIED)
    other.runs.on_change(ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key)))
    assert await is_cordoned(client, node)
    await other.abort(run)
    run = await other.stored(run, finished)
    assert run.status.faults[0].reverted
    assert not await is_cordoned(client, node)
    await other.end()


async def test_a_node_that_somebody_uncordons_meanwhile_is_no_drained_one(
    client: Client, harness: RunHarness, node: str
) -> None:
    run = await harness.stored(await harness.create("drain", faults=[DRAIN]), active)
    await uncordon(client, node)
    run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "ChangedMeanwhile"), run.status.message
    assert run.status.faults[0].reverted


async def test_a_node_that_somebody_has_cordoned_stays_cordoned(client: Client, harness: RunHarness, node: str) -> None:
    await cordon(client, node)
    run = await harness.stored(await harness.create("drain", faults=[DRAIN]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NothingToChange"), run.status.message
    assert await is_cordoned(client, node)
    assert await stored_objects.names(client, harness.namespace) == {"a", "b"}


async def test_a_drain_that_would_take_the_last_relay_is_refused(client: Client, harness: RunHarness) -> None:
    kept = {**DRAIN, "target": {"component": "relay", "max": 2, "minReady": 1}}
    run = await harness.stored(await harness.create("drain", faults=[kept]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "MinReadyBroken"), run.status.message
    assert await stored_objects.names(client, harness.namespace) == {"a", "b"}


async def test_a_run_whose_node_is_deleted_meanwhile_ends(client: Client, harness: RunHarness, node: str) -> None:
    """Its pods are listed for some time more, as where an autoscaler takes the node away."""
    await budget(client, harness.namespace, allowed=0)
    run = await harness.stored(await harness.create("drain", faults=[{**DRAIN, "duration": "3s"}]), active)
    await client.delete(NODE, "", node)
    run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "ChangedMeanwhile"), run.status.message
    assert f"Node {node} was deleted" in (run.status.message or "")
    assert run.status.faults[0].reverted


async def test_pods_whose_node_was_deleted_are_no_targets_of_a_drain(
    client: Client, harness: RunHarness, node: str
) -> None:
    await client.delete(NODE, "", node)
    run = await harness.stored(await harness.create("drain", faults=[DRAIN]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "TargetsGone"), run.status.message
    assert f"node {node} was deleted" in (run.status.message or "")
