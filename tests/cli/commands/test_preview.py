"""`showstopper preview` beside an operator's dry run: the same cluster, the same targets, the same refusals."""

import asyncio
import json
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.api.experiment import Experiment
from showstopper.api.schema.base import dump
from showstopper.cluster.client import Client
from showstopper.cluster.listeners import LISTENER, ROLE_LABEL
from showstopper.engine.runs.draft import EXPERIMENT_LABEL
from tests.cli.stand_ins import Person
from tests.support import build, stored_objects
from tests.support.api_server import apply
from tests.support.operator_harness import NAME, OperatorHarness, at_work, declared, until

pytestmark = pytest.mark.apiserver

PARTITION: dict[str, Any] = {
    "target": {"component": "relay"},
    "partition": {"peers": [{"component": "store"}]},
    "duration": "5s",
}
CASES: dict[str, list[dict[str, Any]]] = {
    "two of five": [build.fault(max=2)],
    "half of five": [build.fault(max=5, maxPercent="50%")],
    "more than minReady leaves": [build.fault(max=4, minReady=2)],
    "two faults": [build.fault("first", max=2), build.fault("second")],
    "no component of that name": [build.fault(component="door")],
    "no pod of a component": [build.fault(component="store")],
    "nobody knows what serves": [build.fault(serving=True)],
    "no port of that name": [{**PARTITION, "name": "cut", "partition": {**PARTITION["partition"], "ports": ["media"]}}],
    "nothing to partition from": [{**PARTITION, "name": "cut"}],
}


@pytest.fixture
async def operator(client: Client, server: ApiServer, namespace: str) -> OperatorHarness:
    """With the room, and five relays."""
    operator = await declared(client, server, namespace)
    for number in range(1, 6):
        await stored_objects.pod(client, namespace, f"relay-{number}", address=f"198.18.200.{number}")
    return operator


async def dry_run(operator: OperatorHarness) -> dict[str, Any]:
    """What the operator's dry run says, in the form of the preview."""

    async def looked_at() -> Experiment | None:
        experiment = await operator.experiment()
        known = experiment.status.observed_generation == experiment.metadata.generation
        return experiment if known else None

    async with at_work(operator):
        status = (await until(looked_at, "the operator's answer")).status
    ready = conditions.find(status.conditions, ConditionType.READY)
    assert ready is not None
    if ready.status != "True":
        return {"refusal": {"reason": ready.reason, "message": ready.message}}
    return {"targets": sorted((target.fault, target.pod, target.uid, target.address) for target in status.plan)}


async def preview(operator: OperatorHarness) -> dict[str, Any]:
    """The same of the command."""
    words = ("--namespace", operator.namespace, "preview", NAME, "-o", "json")
    code, out, err = await asyncio.to_thread(Person(operator.server).call, *words)
    assert err == ""
    body = json.loads(out)
    assert (code, body["wouldRun"]) in {(0, True), (2, False)}
    if not body["wouldRun"]:
        return {"refusal": body["refusal"]}
    return {"targets": sorted((each["fault"], each["pod"], each["uid"], each["address"]) for each in body["targets"])}


async def assert_same(operator: OperatorHarness) -> dict[str, Any]:
    planned = await dry_run(operator)
    assert await preview(operator) == planned
    return planned


@pytest.mark.parametrize("case", CASES)
async def test_preview_and_dry_run_say_the_same(operator: OperatorHarness, case: str) -> None:
    operator.apply(dryRun=True, faults=CASES[case])
    await assert_same(operator)


async def test_neither_hits_what_a_namespace_has_not_allowed(operator: OperatorHarness) -> None:
    await stored_objects.forbid(operator.client, operator.namespace)
    operator.apply(dryRun=True)
    assert (await assert_same(operator))["refusal"]["reason"] == "NamespaceNotAllowed"


async def test_neither_hits_our_own_listeners(operator: OperatorHarness) -> None:
    ours = {**stored_objects.LABELS, ROLE_LABEL: LISTENER}
    await stored_objects.pod(operator.client, operator.namespace, "listener", address="198.18.200.9", labels=ours)
    operator.apply(dryRun=True, faults=[build.fault(max=6)])
    assert (await assert_same(operator))["refusal"]["reason"] == "SelectsFleet"


async def test_neither_separates_anybody_from_a_component_without_addresses(operator: OperatorHarness) -> None:
    operator.apply(dryRun=True, faults=CASES["nothing to partition from"])
    assert (await assert_same(operator))["refusal"]["reason"] == "NoPeers"
    await stored_objects.pod(
        operator.client, operator.namespace, "store", address="198.18.200.8", labels={"app": "store"}
    )
    operator.apply(dryRun=True, faults=CASES["nothing to partition from"], revision="2")
    assert len((await assert_same(operator))["targets"]) == 1


async def test_both_choose_for_the_run_after_the_newest(operator: OperatorHarness) -> None:
    """What chooses among equal pods rests on the request, and the request on the run before."""
    for number in range(3):
        operator.apply(dryRun=True, faults=[build.fault(max=2)], revision=str(number))
        metadata = (await operator.experiment()).metadata
        origin = {"name": NAME, "uid": metadata.uid, "generation": metadata.generation}
        apply(
            operator.server,
            {
                "apiVersion": "showstopper.dev/v1alpha1",
                "kind": "ExperimentRun",
                "metadata": {
                    "name": f"earlier-{number}",
                    "namespace": operator.namespace,
                    "labels": {EXPERIMENT_LABEL: NAME},
                },
                "spec": dump(build.run(experiment=origin).spec),
            },
        )
        assert len((await assert_same(operator))["targets"]) == 2
