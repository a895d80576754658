"""Hold against a real API server: each fault is lifted at its own end, and lifted again until that has come of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import DEPLOYMENT
from showstopper.engine.hands.pace import Pace
from tests.support import stored_objects
from tests.support.api_server import apply
from tests.support.operator_harness import until
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent

pytestmark = pytest.mark.apiserver

DOWN = {
    "name": "down",
    "target": {"component": "relay", "max": 2},
    "scaleDown": {"replicas": 1},
    "duration": "10s",
}


@pytest.fixture
async def harness(client: Client, namespace: str) -> AsyncIterator[RunHarness]:
    """Runs in a namespace with a Deployment of three relays. The agent that is played does not report twice."""
    await stored_objects.deployment(client, namespace, ("a", "b", "c"))
    made = RunHarness(client, namespace, Pace(silent=600.0))
    yield made
    await made.end()


@contextmanager
def locked(server: ApiServer, namespace: str) -> Iterator[None]:
    """Nobody may change Deployments of this namespace: an admission policy that somebody has got wrong."""
    api, name = "admissionregistration.k8s.io/v1", f"locked-{namespace}"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}
    policy: dict[str, Any] = {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "resourceRules": [rule],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            },
            "validations": [{"expression": "false", "message": "locked"}],
        },
    }
    binding: dict[str, Any] = {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    for body in (policy, binding):
        apply(server, body)
    try:
        yield
    finally:
        for body in (binding, policy):
            server.kubectl("delete", body["kind"], name)


async def test_what_cannot_be_put_back_at_once_is_tried_again_while_another_fault_lasts(
    client: Client, server: ApiServer, harness: RunHarness
) -> None:
    def active(run: ExperimentRun) -> bool:
        return run.status.step == "Active" and all(change.changed_at for change in run.status.changes)

    def refused(run: ExperimentRun) -> bool:
        return any("could not be put back" in (change.message or "") for change in run.status.changes)

    async def replicas() -> int:
        body = await client.get(DEPLOYMENT, harness.namespace, "relay")
        number: int = body["spec"]["replicas"]
        return number

    async with Agent(client, harness.namespace):
        run = await harness.create("both", faults=[DOWN, LOSS | {"duration": "1h"}])
        await harness.stored(run, active)
        with locked(server, harness.namespace):
            await harness.stored(run, refused)
            assert await replicas() == 1

        async def is_back() -> bool:
            return await replicas() == 3

        await until(is_back, "three replicas")
        run = await harness.stored(run, lambda found: found.status.faults[0].reverted)
        assert active(run), "the other fault lasts"
        await harness.abort(run)
        await harness.stored(run, lambda found: found.finished)
