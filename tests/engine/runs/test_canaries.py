"""Runs while two releases are side by side, on a real API server: no verdict on both is a verdict on one.

Nobody runs pods here: the tests store them, and say what the listeners hear.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import DEPLOYMENT
from showstopper.cluster.listeners import LISTENER
from showstopper.engine.hands.pace import Pace
from showstopper.engine.rooms.fleet import manifests, names
from tests.availability.build import L, feed, sample_json, spans
from tests.support import build, stored_objects
from tests.support.api_server import ROOT
from tests.support.operator_harness import until
from tests.support.run_harness import RunHarness

pytestmark = pytest.mark.apiserver

EXAMPLE = ROOT / "examples/gitops/argo-rollouts"
CANARY_ROOM, CANARY_KILL = yaml.safe_load_all((EXAMPLE / "canary-room.yaml").read_text())
POD = "main-stage-listeners-0"
RELAY = {"app": "relay"}
STORE = {"app": "store"}
OLD, NEW = ("sha256:" + digit * 64 for digit in "12")
ADDRESS = "198.18.200.7"


@pytest.fixture
async def harness(client: Client, namespace: str) -> AsyncIterator[RunHarness]:
    """With little patience for pods that have not started."""
    made = RunHarness(client, namespace, Pace(room=0.2))
    made.snapshots.follow([namespace])
    rooms = asyncio.create_task(made.services.rooms.run())
    yield made
    await made.end()
    rooms.cancel()
    made.snapshots.follow([])


async def relay(harness: RunHarness, name: str, digest: str = OLD, **rest: Any) -> None:
    await stored_objects.pod(harness.client, harness.namespace, name, digest=digest, **{"address": ADDRESS, **rest})


async def run_in_a_room_that_is_heard(harness: RunHarness, **spec: Any) -> ExperimentRun:
    """As it is when its baseline has begun, or when it is over."""
    live = await harness.live_room()
    await _listener_pod(harness)
    now = harness.services.clock.now()
    both = [f"{POD}/0", f"{POD}/1"]
    heard = [span for name in both for span in spans(name, [(L, 400)])]
    samples = [sample_json(name, 399.0, relay={"address": ADDRESS, "port": 7882}) for name in both]
    live.timeline.add(feed([], heard, clock=400, offset=now - 100, pod=POD, listeners=samples))

    async def seen() -> bool:
        return bool(live.serving_components()) and live.complete

    await until(seen, "the relay that serves, and the listeners' pod")
    run = await harness.create("kill", baseline="30s", **spec)
    return await harness.stored(run, lambda run: run.finished or bool(run.status.steps))


async def _listener_pod(harness: RunHarness) -> None:
    """The pod of the room's listeners, of the version that the operator wants."""
    room = harness.room()
    version = manifests.version(manifests.manifests(room, harness.images)[0])
    labels, annotations = names.selector(room, LISTENER), {names.FLEET_ANNOTATION: version}
    await stored_objects.pod(harness.client, harness.namespace, POD, labels=labels, annotations=annotations)


def told(run: ExperimentRun) -> str:
    return run.status.reason or run.status.step or ""


async def test_two_images_of_one_component_are_no_release(harness: RunHarness) -> None:
    await relay(harness, "stable")
    await relay(harness, "canary", NEW, address="198.18.200.8")
    run = await run_in_a_room_that_is_heard(harness)
    assert (run.status.verdict, told(run)) == ("Inconclusive", "SeveralReleases")
    assert OLD in (run.status.message or "")
    assert NEW in (run.status.message or "")
    assert "selects the pods of one version alone" in (run.status.message or "")
    assert await stored_objects.names(harness.client, harness.namespace) == {"stable", "canary", POD}, "nothing was hit"


async def test_nor_are_two_templates_of_an_argo_rollout(harness: RunHarness) -> None:
    await relay(harness, "stable", labels={**RELAY, "rollouts-pod-template-hash": "aaa"})
    await relay(harness, "canary", labels={**RELAY, "rollouts-pod-template-hash": "bbb"}, address="198.18.200.8")
    assert told(await run_in_a_room_that_is_heard(harness)) == "SeveralReleases"


async def test_nor_are_two_deployments_with_other_settings(harness: RunHarness) -> None:
    await workload(harness, "relay")
    await workload(harness, "relay-canary", env=[{"name": "CODEC", "value": "new"}])
    assert told(await run_in_a_room_that_is_heard(harness)) == "SeveralReleases"


async def test_two_deployments_that_differ_in_their_place_alone_are_one_release(harness: RunHarness) -> None:
    await workload(harness, "relay-a")
    await workload(harness, "relay-b")
    assert told(await run_in_a_room_that_is_heard(harness)) == "Baseline"


async def test_what_is_heard_counts_also_where_the_fault_aims_at_something_else(harness: RunHarness) -> None:
    await relay(harness, "stable")
    await relay(harness, "canary", NEW, address="198.18.200.8")
    await relay(harness, "store", labels=STORE, address="198.18.200.9")
    kill = {"name": "kill", "target": {"component": "store"}, "podKill": {}}
    assert told(await run_in_a_room_that_is_heard(harness, faults=[kill])) == "SeveralReleases"


async def test_what_is_neither_hit_nor_heard_does_not(harness: RunHarness) -> None:
    await relay(harness, "stable")
    await relay(harness, "store-0", labels=STORE, address="198.18.200.8")
    await relay(harness, "store-1", NEW, labels=STORE, address="198.18.200.9")
    assert told(await run_in_a_room_that_is_heard(harness)) == "Baseline"


async def test_a_room_of_the_canary_alone_is_about_the_canary(harness: RunHarness) -> None:
    (component,) = CANARY_ROOM["spec"]["components"]
    labels = component["selector"]["matchLabels"]
    harness.room_spec = {"components": [component]}
    await relay(harness, "stable", labels={**labels, "track": "stable", "rollouts-pod-template-hash": "aaa"})
    address = {"address": "198.18.200.8"}
    await relay(harness, "other", labels={**labels, "track": "stable", "rollouts-pod-template-hash": "aaa"}, **address)
    await relay(harness, "canary", NEW, labels={**labels, "rollouts-pod-template-hash": "bbb"})
    run = await run_in_a_room_that_is_heard(harness)
    assert told(run) == "Baseline"
    assert [(image.digest, image.template) for image in run.release] == [(NEW, "bbb")]


def test_the_example_runs_in_that_room() -> None:
    analysis = (EXAMPLE / "analysis-template.yaml").read_text()
    assert f"run, {CANARY_KILL['metadata']['name']}]" in analysis
    assert build.room(**CANARY_ROOM["spec"]).spec.components[0].selector.match_labels["track"] == "canary"
    assert build.experiment(**CANARY_KILL["spec"]).spec.room_ref.name == CANARY_ROOM["metadata"]["name"]


async def workload(harness: RunHarness, name: str, **container: Any) -> Object:
    """A Deployment whose one pod is there, as its controller leaves both."""
    labels = {**RELAY, "zone": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "livekit", "image": "l", **container}]},
    }
    metadata = {"name": name, "namespace": harness.namespace}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    made = await harness.client.create(DEPLOYMENT, body)
    status = {"observedGeneration": made["metadata"]["generation"], "replicas": 1, "updatedReplicas": 1}
    change = [{"op": "add", "path": "/status", "value": status}]
    await harness.client.patch(DEPLOYMENT, harness.namespace, name, change, subresource="status")
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-7c9f", "uid": "u", "controller": True}
    address = ADDRESS if name in {"relay", "relay-a"} else "198.18.200.8"
    await relay(harness, f"{name}-pod", labels={**labels, "pod-template-hash": "7c9f"}, owner=owner, address=address)
    return made
