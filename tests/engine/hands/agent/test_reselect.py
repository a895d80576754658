"""Re-selection: who replaces a target becomes one, never more than there were, and never who may not be hit."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim
from showstopper.api.injection import Injection, TargetState
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, INJECTION, POD
from showstopper.engine.hands.agent.reselect import successors
from showstopper.engine.hands.injections import answers
from showstopper.engine.hands.injections.answers import SUCCESSOR_SECONDS
from showstopper.engine.hands.injections.asking import SUCCESSOR_LABEL
from showstopper.engine.planning.plan import Snapshot
from showstopper.engine.planning.policies import CHAOS_ALLOWED, CHAOS_LABEL
from showstopper.faults.effects import Pod
from tests.support import build, stored_objects
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent, nothing_left

BEFORE, BEGAN, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z", "2026-01-01T00:00:09Z"


def fault(**target: Any) -> Fault:
    return Fault.model_validate({**LOSS, "target": {"component": "relay", **target}})


def injection(state: TargetState, *names: str, successor: bool = False, **target: Any) -> Injection:
    """As an agent has answered it."""
    told = [{"uid": f"{name}-uid", "pod": name, "state": state, "armedAt": BEGAN, **target} for name in names]
    asked = [{"pod": name, "uid": f"{name}-uid", "address": "198.18.0.9"} for name in names]
    spec = {"run": {"name": "r", "uid": "u"}, "fault": "loss", "node": "node1", "lease": "r", "targets": asked}
    labels = {SUCCESSOR_LABEL: ""} if successor else {}
    metadata = {"name": "i", "namespace": "show", "uid": "i", "creationTimestamp": BEGAN, "labels": labels}
    body = {"metadata": metadata, "spec": {**spec, "packetLoss": {"percent": "5%"}}, "status": {"targets": told}}
    return Injection.parse(body)


def pod(name: str, created: str = LATER, **more: Any) -> Pod:
    return build.pod(name, created=created, **{"address": "198.18.0.9", **more})


def chosen(own: list[Injection], *pods: Pod, planned: int = 1, allowed: bool = True, **target: Any) -> list[str]:
    labels = {CHAOS_LABEL: CHAOS_ALLOWED} if allowed else {}
    serving = {("198.18.0.9", 7882): 1}
    snapshot = Snapshot(
        "show", "main-stage", build.room().spec, labels, {"relay": pods}, serving, servers=dict.fromkeys(serving, "x")
    )
    return [pod.name for pod in successors(fault(**target), snapshot, own, planned)]


GONE = injection(TargetState.GONE, "a")


def test_who_comes_after_a_target_that_went_takes_its_place() -> None:
    assert chosen([GONE], pod("b", BEFORE), pod("c")) == ["c"]


def test_nobody_does_while_the_target_is_there() -> None:
    assert not chosen([injection(TargetState.ARMED, "a")], pod("a", BEFORE), pod("c"))


@pytest.mark.parametrize(
    "candidate",
    [
        pod("c", BEFORE),
        pod("c", BEGAN),  # the same second: nobody knows which was first
        pod("c", terminating=True),
        replace(pod("c"), node=""),
        pod("c", address=""),
    ],
)
def test_whoever_was_there_before_or_cannot_be_hit_does_not(candidate: Pod) -> None:
    assert not chosen([GONE], candidate)


def test_there_are_never_more_than_there_were() -> None:
    own = [injection(TargetState.GONE, "a", "b"), injection(TargetState.ARMED, "c", successor=True)]
    assert chosen(own, pod("c"), pod("e"), pod("d"), planned=2, max=9) == ["d"]


def test_whoever_was_chosen_once_is_not_chosen_again() -> None:
    own = [GONE, injection(TargetState.GONE, "c", successor=True)]
    assert chosen(own, pod("c"), pod("d")) == ["d"]


def test_a_successor_serves_if_the_target_had_to() -> None:
    assert not chosen([GONE], pod("c", serving=False), serving=True)
    assert chosen([GONE], pod("c", serving=True), serving=True) == ["c"]
    assert not chosen([GONE], pod("c", serving=True), serving=False)


def test_the_bounds_of_the_experiment_hold_for_it_too() -> None:
    assert not chosen([GONE], pod("c"), pod("b", BEFORE, ready=False), minReady=1)
    assert chosen([GONE], pod("c"), pod("b", BEFORE), minReady=1) == ["c"]
    assert not chosen([GONE], pod("c"), allowed=False)
    assert not chosen([GONE], pod("c"), pod("b", BEFORE), maxPercent="40%")


@pytest.mark.parametrize(("fleet", "aim"), [("Host", Aim.HOST), ("Listeners", Aim.LISTENERS)])
def test_who_replaces_a_pod_of_the_fleet_takes_its_place_too(fleet: str, aim: Aim) -> None:
    aimed = Fault.model_validate({**LOSS, "target": {"fleet": fleet}})
    labels = {CHAOS_LABEL: CHAOS_ALLOWED}
    others = {"relay": [pod("relay-new")]}
    snapshot = Snapshot(
        "show", "main-stage", build.room().spec, labels, others, {}, fleet={aim: [pod("b", BEFORE), pod("c")]}
    )
    assert [each.name for each in successors(aimed, snapshot, [GONE], 1)] == ["c"]


COUNTED = {"at": LATER, "matched": 9, "affected": 9}


def proven(*own: Injection) -> bool:
    return answers.answers(own, fault()).proven


def test_a_successor_has_to_be_proven_once_it_was_there_long_enough() -> None:
    first = injection(TargetState.GONE, "a", proven=True, last=COUNTED)
    short = injection(TargetState.LIFTED, "c", successor=True, liftedAt="2026-01-01T00:00:09Z")
    long = injection(TargetState.LIFTED, "c", successor=True, liftedAt=f"2026-01-01T00:00:{5 + SUCCESSOR_SECONDS:02g}Z")
    assert proven(first, short)
    assert not proven(first, long)
    assert proven(
        first, injection(TargetState.LIFTED, "c", successor=True, liftedAt="2026-01-01T01:00:00Z", proven=True)
    )


def test_without_a_target_at_its_end_a_fault_is_not_proven() -> None:
    first = injection(TargetState.GONE, "a", proven=True, last=COUNTED)
    assert not proven(first)
    missing = answers.answers([first], fault()).missing()
    assert missing is not None
    assert missing.reason is Reason.TARGETS_GONE
    assert missing.message.startswith("had no target at its end")


@pytest.fixture
async def relays(client: Client, namespace: str) -> None:
    """One, so that the next is its successor."""
    await stored_objects.pod(client, namespace, "a")


def finished(run: ExperimentRun) -> bool:
    return run.finished


async def active(harness: RunHarness, seconds: float, **target: Any) -> ExperimentRun:
    """A run whose fault is there and proven, a second after it came."""
    faults = [{**LOSS, "duration": f"{seconds:g}s", "target": {"component": "relay", **target}}]
    run = await harness.create("loss", faults=faults)
    run = await harness.stored(run, lambda run: run.status.step == "Active")
    (made,) = await harness.client.list(INJECTION, harness.namespace)
    began = time.mktime(time.strptime(made["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    while time.time() < began + 1:  # the API server's times are whole seconds
        await asyncio.sleep(0.05)
    return run


async def replaced(harness: RunHarness, wanted: int) -> None:
    async with asyncio.timeout(60):
        while len(await harness.client.list(INJECTION, harness.namespace)) < wanted:
            await asyncio.sleep(0.05)


@pytest.mark.apiserver
async def test_a_successor_is_hit_recorded_and_proven(client: Client, harness: RunHarness) -> None:
    async with Agent(client, harness.namespace) as agent:
        run = await active(harness, 8)
        await agent.lose("a")
        await stored_objects.pod(client, harness.namespace, "b")
        run = await harness.stored(run, finished)
    (record,) = run.status.faults
    assert (record.targets, record.successors, record.proven, record.reverted) == (1, 1, True, True)
    assert {target.pod: target.proven for target in run.status.targets} == {"a": True, "b": True}
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    assert await nothing_left(client, run)


@pytest.mark.apiserver
async def test_another_life_of_the_operator_goes_on_with_the_successor(client: Client, harness: RunHarness) -> None:
    """It died when the successor's Injection was made, and nothing had been written of it."""
    async with Agent(client, harness.namespace) as agent:
        run = await active(harness, 12)
        await agent.lose("a")
        await stored_objects.pod(client, harness.namespace, "b")
        await replaced(harness, 2)
        await harness.end()
        body = await client.get(EXPERIMENT_RUN, *run.key)
        body["status"]["faults"][0].pop("successors", None)
        change = [{"op": "add", "path": "/status", "value": body["status"]}]
        other = RunHarness(client, harness.namespace)
        other.runs.on_change(
            ExperimentRun.parse(await client.patch(EXPERIMENT_RUN, *run.key, change, subresource="status"))
        )
        run = await other.stored(run, finished)
        await other.end()
        assert len(agent.seen) == 2
    (record,) = run.status.faults
    assert (record.targets, record.successors, record.proven, record.reverted) == (1, 1, True, True)
    assert await nothing_left(client, run)


@pytest.mark.apiserver
async def test_a_fault_whose_target_went_and_is_not_replaced_allows_no_verdict(
    client: Client, harness: RunHarness
) -> None:
    async with Agent(client, harness.namespace) as agent:
        run = await active(harness, 3)
        await agent.lose("a")
        run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "TargetsGone")
    assert "nothing replaced them" in (run.status.message or "")
    assert run.status.faults[0].reverted
    assert await nothing_left(client, run)


@pytest.mark.apiserver
async def test_peers_that_are_replaced_are_followed(client: Client, harness: RunHarness) -> None:
    cut = {"name": "cut", "target": {"component": "relay"}, "partition": {"peers": [{"component": "store"}]}}
    store = {"app": "store"}
    await stored_objects.pod(client, harness.namespace, "s1", labels=store, address="198.18.200.1")
    async with Agent(client, harness.namespace):
        run = await harness.create("cut", faults=[{**cut, "duration": "1h"}])
        await harness.stored(run, lambda run: run.status.step == "Active")
        assert await meant(harness, ["198.18.200.1"])
        await stored_objects.pod(client, harness.namespace, "s2", labels=store, address="198.18.200.2")
        assert await meant(harness, ["198.18.200.1", "198.18.200.2"])
        await client.delete(POD, harness.namespace, "s1", grace_seconds=0)
        assert await meant(harness, ["198.18.200.2"])
        await client.delete(POD, harness.namespace, "s2", grace_seconds=0)
        await stored_objects.pod(client, harness.namespace, "s3", labels=store, address="198.18.200.3")
        assert await meant(harness, ["198.18.200.3"])


async def meant(harness: RunHarness, peers: list[str]) -> bool:
    async with asyncio.timeout(60):
        while True:
            (injection,) = await harness.client.list(INJECTION, harness.namespace)
            if injection["spec"]["peers"] == peers:
                return True
            await asyncio.sleep(0.05)
