"""The source `kubernetes` on a real API server: what is a yes, what is a no, and what is no data."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.expectations.sources import KubernetesCondition
from showstopper.api.run import ExpectationRecord, ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.hands.pace import Pace
from showstopper.engine.sources import Sources
from showstopper.errors import ClusterError, QueryRefused
from tests.support import stored_objects
from tests.support.run_harness import RunHarness

pytestmark = pytest.mark.apiserver


@pytest.fixture
async def harness(client: Client, namespace: str) -> AsyncIterator[RunHarness]:
    """Runs in a namespace with a relay to kill and a store, which end soon after their recovery."""
    await stored_objects.pod(client, namespace, "relay")
    await stored_objects.pod(client, namespace, "store", labels={"app": "store"})
    made = RunHarness(client, namespace, Pace(sample=0.2, note=0.2, proof=0.2, feed=0.2))
    yield made
    await made.end()


def condition(**changes: str) -> KubernetesCondition:
    return KubernetesCondition.model_validate(
        {"apiVersion": "v1", "kind": "Pod", "name": "store", "condition": "Ready", **changes}
    )


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"status": "False"}, False),
        ({"condition": "Initialized"}, False),
        ({"name": "nobody"}, False),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "condition": "Available"}, False),
    ],
    ids=["it has it", "in another status", "no such condition", "no such object", "no such object of another kind"],
)
async def test_the_api_server_says_yes_or_no(harness: RunHarness, changes: dict[str, str], holds: bool) -> None:
    assert await Sources(harness.client).sample(condition(**changes), harness.namespace) is holds


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "Pot"}, "v1 has no kind Pot: write the apiVersion and kind of a manifest"),
        ({"apiVersion": "nothing.dev/v1"}, "the cluster has no API nothing.dev/v1"),
        ({"kind": "Node"}, "objects of this kind are in no namespace"),
    ],
)
async def test_what_cannot_be_asked_is_refused(client: Client, changes: dict[str, str], says: str) -> None:
    with pytest.raises(QueryRefused, match=says):
        await Sources(client).sample(condition(**changes), "default")


async def test_who_may_not_get_it_is_told_what_to_allow(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig, headers={"Impersonate-User": "somebody"}) as somebody:
        with pytest.raises(
            QueryRefused, match=r'\{apiGroups: \[""\], resources: \[pods\]\} to expectations.kubernetes'
        ):
            await Sources(somebody).sample(condition(), "default")


async def test_no_answer_is_neither(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreadable(path: str) -> bytes:
        return b"<html>"

    monkeypatch.setattr(client, "raw", unreadable)
    with pytest.raises(ClusterError, match="cannot be read"):
        await Sources(client).sample(condition(), "default")


async def over(harness: RunHarness, run: ExperimentRun) -> ExpectationRecord:
    (record,) = (await harness.stored(run, lambda run: run.finished)).status.expectations
    return record


def expected(**changes: Any) -> list[dict[str, Any]]:
    asked = {"apiVersion": "v1", "kind": "Pod", "name": "store", "condition": "Ready", **changes}
    return [{"kubernetes": asked, "min": "90%"}]


async def test_a_condition_that_stays_is_met(harness: RunHarness) -> None:
    record = await over(harness, await harness.create("kill", recovery="3s", expect=expected()))
    assert (record.indicator, record.outcome) == ("Pod store Ready=True", "Met"), record


async def test_a_condition_that_is_lost_during_the_run_is_missed(harness: RunHarness) -> None:
    run = await harness.create("kill", recovery="4s", expect=expected())
    await harness.stored(run, lambda run: bool(run.status.sources and run.status.sources[0].stretches))
    await stored_objects.set_ready(harness.client, harness.namespace, "store", ready=False)
    record = await over(harness, run)
    assert record.outcome == "Missed", record
    assert record.value is not None
    assert 0 < float(record.value.rstrip("%")) < 90


async def test_without_an_answer_it_is_unmeasured(harness: RunHarness) -> None:
    record = await over(harness, await harness.create("kill", recovery="1s", expect=expected(kind="Pot")))
    assert record.outcome == "Unmeasured"
    assert "v1 has no kind Pot" in record.message


async def test_what_can_never_be_asked_ends_a_run_before_its_fault(harness: RunHarness) -> None:
    run = await harness.create("kill", baseline="5s", expect=expected(kind="Pot"))
    judged = await harness.stored(run, lambda run: run.finished)
    assert (judged.status.verdict, judged.status.reason) == ("Inconclusive", "QueryRefused")
    assert judged.status.targets == []
    assert await stored_objects.names(harness.client, harness.namespace) == {"relay", "store"}


async def test_an_operator_that_restarts_has_lost_only_what_was_not_sampled(harness: RunHarness) -> None:
    run = await harness.create("kill", recovery="8s", expect=expected())
    before = await harness.stored(run, lambda run: bool(run.status.sources and run.status.sources[0].stretches))
    await harness.end()
    await asyncio.sleep(3.5)  # longer than a sample speaks for: nobody knows what happened meanwhile
    harness.runs.on_change(ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, *run.key)))
    record = await over(harness, run)
    assert record.outcome == "Unmeasured", record
    assert "were not sampled" in record.message
    assert before.status.sources[0].stretches[0].held > 0
