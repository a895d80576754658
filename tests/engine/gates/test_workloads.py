"""A gate against a real API server and its workloads: it closes when a template changes, before any pod tells.

There is no controller and no kubelet here: the test plays both, so that nothing but the template has changed.
"""

import asyncio
import json
import time
from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, find
from showstopper.api.gate import ReleaseGate
from showstopper.api.schema.base import dump
from showstopper.clock import to_timestamp
from showstopper.cluster.kinds import DEPLOYMENT, EXPERIMENT_RUN, POD, RELEASE_GATE
from showstopper.engine.rooms import deployed
from showstopper.engine.runs import requests
from tests.support import build
from tests.support.api_server import apply
from tests.support.operator_harness import NAME, OperatorHarness, at_work, until

pytestmark = pytest.mark.apiserver

DIGEST = "sha256:" + "1" * 64
# 100 ms on an idle machine. The tests share theirs; with looks every few seconds it took up to 14 s.
AT_ONCE_SECONDS = 3.0


class Deployed:
    """A Deployment of the relay with its pod, played by the test, and a gate that is about it."""

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
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "name": "relay-a", "labels": self.labels}}
        await self.operator.client.create(POD, {**pod, "spec": spec})
        state = {"name": "relay", "image": "relay:1", "imageID": f"relay@{DIGEST}", "ready": True, "restartCount": 0}
        self.patch("pod", "relay-a", {"phase": "Running", "containerStatuses": [state]})
        await self.rolled_out()

    async def rolled_out(self) -> None:
        """As its controller says it in the end."""
        body = await self.operator.client.get(DEPLOYMENT, self.operator.namespace, "relay")
        seen = {"observedGeneration": body["metadata"]["generation"], "replicas": 1, "updatedReplicas": 1}
        self.patch("deployment", "relay", seen)

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


@pytest.fixture
async def relay(operator: OperatorHarness) -> Deployed:
    made = Deployed(operator)
    operator.apply(suspend=True)
    await made.create()
    await made.passes()
    return made


async def test_it_closes_at_once_when_a_template_changes_long_before_any_pod_does(relay: Deployed) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        await relay.answers("True Passed")
        for n in range(5):
            began = time.monotonic()
            await relay.change_template("checksum/config", str(n))
            while await relay.answer() != "Unknown RolloutUnderWay":
                assert time.monotonic() - began < AT_ONCE_SECONDS, "it let a template pass that no run has seen"
                await asyncio.sleep(0.005)
            await relay.rolled_out()
            await relay.answers("False RunMissing")  # the same image, and another release
            await relay.restore_template()
            await relay.rolled_out()
            await relay.answers("True Passed")  # rolled back: what passed before counts again


async def test_images_alone_are_the_release_if_the_gate_says_so(relay: Deployed) -> None:
    relay.declare_gate(release="Images")
    async with at_work(relay.operator):
        await relay.answers("True Passed")
        await relay.change_template("checksum/config", "new")
        await relay.answers("Unknown RolloutUnderWay")
        await relay.rolled_out()
        await relay.answers("True Passed")


async def test_a_changed_revision_or_a_new_gate_is_answered_for_after_a_look(relay: Deployed) -> None:
    """Its first answer is about the change before it, also where the watch has not told that yet."""
    relay.declare_gate(revision="one")
    async with at_work(relay.operator):
        gate = await relay.answers("True Passed")
        assert gate.status.observed_at
        assert gate.status.expires_at == gate.status.experiments[0].expires_at
        for n in range(3):
            await relay.change_template("checksum/config", str(n))
            relay.declare_gate(revision=f"of {n}")
            while (answer := await relay.answer()) == "not yet":
                await asyncio.sleep(0.005)
            assert answer == "Unknown RolloutUnderWay"
        relay.operator.server.kubectl("-n", relay.operator.namespace, "delete", "releasegate", "night")
        relay.declare_gate()
        while (answer := await relay.answer()) == "not yet":
            await asyncio.sleep(0.005)
        assert answer == "Unknown RolloutUnderWay"


async def test_a_new_operator_lets_an_open_gate_stand_until_it_has_looked(relay: Deployed) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        before = await relay.answers("True Passed")
    relay.operator = relay.operator.anew()
    async with at_work(relay.operator):
        await until(lambda: _loaded(relay.operator), "a new operator")
        await asyncio.sleep(1)
        after = await relay.gate()
    moved = [find(gate.status.conditions, ConditionType.READY) for gate in (before, after)]
    assert moved[0] is not None
    assert moved[1] is not None
    assert moved[0].last_transition_time == moved[1].last_transition_time, "it has not flapped"


async def _loaded(operator: OperatorHarness) -> bool:
    return operator.operation.loaded


async def test_a_failed_run_that_is_deleted_still_counts(relay: Deployed) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        gate = await relay.answers("True Passed")
        run = gate.status.experiments[0].run
        assert run is not None
        relay.patch("exprun", run, {"verdict": "Failed", "reason": "ExpectationMissed"})
        await relay.answers("False ExperimentNotPassed")
        await relay.operator.client.delete(EXPERIMENT_RUN, relay.operator.namespace, run)

        async def told() -> bool:
            return "though the run was deleted" in ((await relay.gate()).status.message or "")

        await until(told, "the deleted run counts")
        assert await relay.answer() == "False ExperimentNotPassed"


async def test_it_counts_also_for_a_gate_that_is_made_anew(relay: Deployed) -> None:
    """As a hook of Argo CD is, at every sync."""
    relay.declare_gate()
    async with at_work(relay.operator):
        run = (await relay.answers("True Passed")).status.experiments[0].run
        assert run is not None
        later = to_timestamp(relay.operator.clock.now() + 1)
        relay.patch("exprun", run, {"verdict": "Failed", "reason": "ExpectationMissed", "finishedAt": later})
        await relay.answers("False ExperimentNotPassed")

        async def remembered() -> bool:
            return [each.verdict for each in (await relay.operator.experiment()).status.verdicts] == ["Failed"]

        await until(remembered, "the verdict in the experiment's status")
        await relay.operator.client.delete(EXPERIMENT_RUN, relay.operator.namespace, run)
        relay.operator.server.kubectl("-n", relay.operator.namespace, "delete", "releasegate", "night")
        relay.declare_gate()
        gate = await relay.answers("False ExperimentNotPassed")
        assert "though the run was deleted" in (gate.status.message or "")
