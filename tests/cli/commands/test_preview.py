"""`showstopper preview` beside an operator's dry run: the same cluster, the same targets, the same refusals."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.base import dump
from showstopper.api.conditions import ConditionType
from showstopper.api.experiment import Experiment
from showstopper.cluster.listeners import LISTENER, ROLE_LABEL
from showstopper.engine.runs.draft import EXPERIMENT_LABEL
from tests.api.server import apply
from tests.cli.acting import Person
from tests.engine import build, cluster
from tests.engine.place import NAME, Place, fresh, operated, until

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
async def place(server: ApiServer) -> AsyncIterator[Place]:
    """With the room, and five relays; a listener of ours has the relays' label, too."""
    async with fresh(server) as place:
        apply(
            server,
            {
                "apiVersion": "showstopper.dev/v1alpha1",
                "kind": "AudioRoom",
                "metadata": {"name": "main-stage", "namespace": place.namespace},
                "spec": build.ROOM_SPEC,
            },
        )
        for number in range(1, 6):
            await cluster.pod(place.client, place.namespace, f"relay-{number}", address=f"198.18.200.{number}")
        ours = {**cluster.LABELS, ROLE_LABEL: LISTENER}
        await cluster.pod(place.client, place.namespace, "listener", address="198.18.200.9", labels=ours)
        yield place


async def dry_run(place: Place) -> dict[str, Any]:
    """What the operator's dry run says, in the form of the preview."""

    async def looked_at() -> Experiment | None:
        experiment = await place.experiment()
        known = experiment.status.observed_generation == experiment.metadata.generation
        return experiment if known else None

    async with operated(place):
        status = (await until(looked_at, "the operator's answer")).status
    ready = conditions.find(status.conditions, ConditionType.READY)
    assert ready is not None
    if ready.status != "True":
        return {"refusal": {"reason": ready.reason, "message": ready.message}}
    return {"targets": sorted((target.fault, target.pod, target.uid, target.address) for target in status.plan)}


async def preview(place: Place) -> dict[str, Any]:
    """The same of the command."""
    words = ("--namespace", place.namespace, "preview", NAME, "-o", "json")
    code, out, err = await asyncio.to_thread(Person(place.server).call, *words)
    assert err == ""
    body = json.loads(out)
    assert (code, body["wouldRun"]) in {(0, True), (2, False)}
    if not body["wouldRun"]:
        return {"refusal": body["refusal"]}
    return {"targets": sorted((each["fault"], each["pod"], each["uid"], each["address"]) for each in body["targets"])}


async def assert_same(place: Place) -> dict[str, Any]:
    planned = await dry_run(place)
    assert await preview(place) == planned
    return planned


@pytest.mark.parametrize("case", CASES)
async def test_preview_and_dry_run_say_the_same(place: Place, case: str) -> None:
    place.apply(dryRun=True, faults=CASES[case])
    await assert_same(place)


async def test_neither_hits_what_a_namespace_has_not_allowed(place: Place) -> None:
    await cluster.forbid(place.client, place.namespace)
    place.apply(dryRun=True)
    assert (await assert_same(place))["refusal"]["reason"] == "NamespaceNotAllowed"


async def test_neither_hits_our_own_listeners(place: Place) -> None:
    place.apply(dryRun=True, faults=[build.fault(max=6)])
    pods = [pod for _, pod, _, _ in (await assert_same(place))["targets"]]
    assert pods == [f"relay-{number}" for number in range(1, 6)]


async def test_neither_separates_anybody_from_a_component_without_addresses(place: Place) -> None:
    place.apply(dryRun=True, faults=CASES["nothing to partition from"])
    assert (await assert_same(place))["refusal"]["reason"] == "NoPeers"
    await cluster.pod(place.client, place.namespace, "store", address="198.18.200.8", labels={"app": "store"})
    place.apply(dryRun=True, faults=CASES["nothing to partition from"], revision="2")
    assert len((await assert_same(place))["targets"]) == 1


async def test_both_choose_for_the_run_after_the_newest(place: Place) -> None:
    """What chooses among equal pods rests on the request, and the request on the run before."""
    for number in range(3):
        place.apply(dryRun=True, faults=[build.fault(max=2)], revision=str(number))
        metadata = (await place.experiment()).metadata
        origin = {"name": NAME, "uid": metadata.uid, "generation": metadata.generation}
        apply(
            place.server,
            {
                "apiVersion": "showstopper.dev/v1alpha1",
                "kind": "ExperimentRun",
                "metadata": {
                    "name": f"earlier-{number}",
                    "namespace": place.namespace,
                    "labels": {EXPERIMENT_LABEL: NAME},
                },
                "spec": dump(build.run(experiment=origin).spec),
            },
        )
        assert len((await assert_same(place))["targets"]) == 2
