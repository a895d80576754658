"""Evictions on a real API server, which asks PodDisruptionBudgets itself. Their controller is played."""

from collections.abc import AsyncIterator

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import Kind
from showstopper.engine.hands.pace import Pace
from tests.support import stored_objects
from tests.support.run_harness import RunHarness

pytestmark = pytest.mark.apiserver

BUDGET = Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets")
EVICT = {"name": "evict", "target": {"component": "relay", "max": 2}, "podEvict": {"gracePeriod": "0s"}}


@pytest.fixture
async def harness(client: Client, namespace: str, relays: None) -> AsyncIterator[RunHarness]:
    """With little patience for proofs at listeners, of whom there are none."""
    made = RunHarness(client, namespace, Pace(proof=0.5, feed=0.5))
    yield made
    await made.end()


def finished(run: ExperimentRun) -> bool:
    return run.finished


async def budget(client: Client, namespace: str, *, allowed: int) -> None:
    """A budget of both relays, which allows so many disruptions now."""
    metadata = {"name": "relays-stay", "namespace": namespace}
    spec = {"minAvailable": 2 - allowed, "selector": {"matchLabels": stored_objects.LABELS}}
    body = {"apiVersion": BUDGET.group_version, "kind": BUDGET.name, "metadata": metadata, "spec": spec}
    await client.create(BUDGET, body)
    status = {
        "observedGeneration": 1,
        "disruptionsAllowed": allowed,
        "currentHealthy": 2,
        "desiredHealthy": 2 - allowed,
        "expectedPods": 2,
    }
    change = [{"op": "add", "path": "/status", "value": status}]
    await client.patch(BUDGET, namespace, "relays-stay", change, subresource="status")


async def test_pods_without_a_budget_are_evicted(client: Client, harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("evict", faults=[EVICT]), finished)
    assert not await stored_objects.names(client, harness.namespace)
    assert all(target.answered_at and target.gone_at for target in run.status.targets)
    (record,) = run.status.faults
    assert (record.kind, record.reverted) == ("podEvict", True)
    assert not record.proven, "no listener has told that the media stopped"


async def test_a_refused_eviction_hits_nothing_and_names_the_budget(client: Client, harness: RunHarness) -> None:
    await budget(client, harness.namespace, allowed=0)
    run = await harness.stored(await harness.create("evict", faults=[EVICT]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "EvictionRefused"), run.status.message
    assert "the eviction of a was refused" in (run.status.message or "")
    assert "disruption budget relays-stay" in (run.status.message or "")
    assert await stored_objects.names(client, harness.namespace) == {"a", "b"}
    assert {target.reason for target in run.status.targets} == {"EvictionRefused"}


async def test_of_two_evictions_one_of_which_is_refused_nothing_is_proven(client: Client, harness: RunHarness) -> None:
    await budget(client, harness.namespace, allowed=1)
    run = await harness.stored(await harness.create("evict", faults=[EVICT]), finished)
    assert len(await stored_objects.names(client, harness.namespace)) == 1
    (record,) = run.status.faults
    assert not record.proven
    assert "did not hit 1 of 2 targets" in (record.message or "")
    assert "relays-stay" in (record.message or "")
    assert run.status.verdict == "Inconclusive"
