"""A Deployment that a gate is about, on a real API server: the test plays its controller and its kubelet."""

import json
from typing import Any

from showstopper.api.conditions import ConditionType, find
from showstopper.api.gate import ReleaseGate
from showstopper.api.schema.base import dump
from showstopper.clock import to_timestamp
from showstopper.cluster.kinds import DEPLOYMENT, EXPERIMENT_RUN, POD, RELEASE_GATE
from showstopper.engine.rooms import deployed
from showstopper.engine.runs import requests
from tests.support import build
from tests.support.api_server import apply
from tests.support.operator_harness import NAME, OperatorHarness, until

DIGEST = "sha256:" + "1" * 64


class GatedDeployment:
    """A Deployment of the relay with its pod, and a gate that is about it."""

    def __init__(self, operator: OperatorHarness) -> None:
        self.operator = operator
        self.labels: dict[str, str] = build.room().spec.components[0].selector.match_labels

    async def create(self) -> None:
        spec = {"containers": [{"name": "relay", "image": "relay:1"}]}
        template = {"metadata": {"labels": self.labels}, "spec": spec}
        namespace = self.operator.namespace
        metadata = {"name": "relay", "namespace": namespace}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
        selector = {"matchLabels": self.labels}
        apply(self.operator.server, {**body, "spec": {"replicas": 1, "selector": selector, "template": template}})
        await self.create_pod("relay-a")
        self.start_pod("relay-a")
        await self.rolled_out()

    async def create_pod(self, name: str, image: str = "relay:1") -> None:
        """A pod of it, as its ReplicaSet makes it."""
        metadata = {"name": name, "namespace": self.operator.namespace, "labels": self.labels}
        spec = {"containers": [{"name": "relay", "image": image}]}
        await self.operator.client.create(POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def start_pod(self, name: str) -> None:
        """As its kubelet does: from now on its image is known."""
        state = {"name": "relay", "image": "relay:1", "imageID": f"relay@{DIGEST}", "ready": True, "restartCount": 0}
        self.patch("pod", name, {"phase": "Running", "containerStatuses": [state]})

    async def rolled_out(self, replicas: int = 1) -> None:
        """As its controller says it in the end."""
        body = await self.operator.client.get(DEPLOYMENT, self.operator.namespace, "relay")
        generation = body["metadata"]["generation"]
        seen = {"observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas}
        self.patch("deployment", "relay", seen)

    async def scale(self, replicas: int) -> None:
        """As `kubectl scale` does."""
        change = [{"op": "replace", "path": "/spec/replicas", "value": replicas}]
        await self.operator.client.patch(DEPLOYMENT, self.operator.namespace, "relay", change)

    def patch(self, kind: str, name: str, status: dict[str, Any]) -> None:
        words = ("-n", self.operator.namespace, "patch", kind, name, "--subresource=status", "--type=merge")
        self.operator.server.kubectl(*words, f"--patch={json.dumps({'status': status})}")

    async def change_template(self, key: str, value: str) -> None:
        """Any change of it, such as `kubectl set image`: here a checksum of configuration."""
        path = "/spec/template/metadata/annotations"
        change = [{"op": "add", "path": path, "value": {key: value}}]
        await self.operator.client.patch(DEPLOYMENT, self.operator.namespace, "relay", change)

    async def restore_template(self) -> None:
        change = [{"op": "remove", "path": "/spec/template/metadata/annotations"}]
        await self.operator.client.patch(DEPLOYMENT, self.operator.namespace, "relay", change)

    async def passes(self) -> None:
        """A run that passed with what is deployed."""
        experiment, room = await self.operator.experiment(), await self.operator.room()
        release = await deployed.look(self.operator.client, room, ["relay"])
        assert [image.digest for image in release.images] == [DIGEST]
        assert release.images[0].template not in {"", "mixed"}
        origin = {"name": NAME, "uid": "another-life", "hash": requests.wanted(experiment).hash}
        snapshot = {"name": room.metadata.name, "uid": room.metadata.uid, "spec": dump(room.spec)}
        images = [dump(image) for image in release.images]
        run = build.run(f"{NAME}-{release.images[0].template}", experiment=origin, room=snapshot, release=images)
        metadata = {"name": run.metadata.name, "namespace": self.operator.namespace}
        body = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ExperimentRun", "metadata": metadata}
        await self.operator.client.create(EXPERIMENT_RUN, {**body, "spec": dump(run.spec)})
        now = to_timestamp(self.operator.clock.now())
        self.patch("exprun", run.metadata.name, {"verdict": "Passed", "reason": "Passed", "finishedAt": now})

    def declare_gate(self, **spec: Any) -> None:
        metadata = {"name": "night", "namespace": self.operator.namespace}
        body = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ReleaseGate", "metadata": metadata}
        named = {"roomRef": {"name": "main-stage"}, "components": ["relay"], "experiments": [{"name": NAME}], **spec}
        apply(self.operator.server, {**body, "spec": named})

    async def gate(self) -> ReleaseGate:
        return ReleaseGate.parse(await self.operator.client.get(RELEASE_GATE, self.operator.namespace, "night"))

    async def answer(self) -> str:
        gate = await self.gate()
        ready = find(gate.status.conditions, ConditionType.READY)
        if ready is None or gate.status.observed_generation != gate.metadata.generation:
            return "not yet"
        return f"{ready.status} {ready.reason}"

    async def answers(self, wanted: str) -> ReleaseGate:
        async def so() -> ReleaseGate | None:
            return await self.gate() if await self.answer() == wanted else None

        return await until(so, f"the gate is {wanted}")
