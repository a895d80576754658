"""An API server that refuses writes for a while, as a failing webhook or a policy of somebody else's does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import POLICY_BINDING, Kind
from showstopper.errors import Invalid

_POLICY = Kind(
    "ValidatingAdmissionPolicy", POLICY_BINDING.group_version, "validatingadmissionpolicies", namespaced=False
)
_LABEL = "showstopper-test/probe"


@asynccontextmanager
async def refusing(client: Client, kind: Kind, namespace: str, name: str) -> AsyncIterator[None]:
    """No object of the kind can be changed in the namespace. `name`: one that is there, by which that is seen."""
    group, _, version = kind.group_version.rpartition("/")
    rule = {"apiGroups": [group], "apiVersions": [version], "operations": ["UPDATE"], "resources": [kind.plural]}
    there = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    policy = {
        "matchConstraints": {"resourceRules": [rule], **there},
        "validations": [{"expression": "false", "message": "the test refuses it"}],
    }
    binding = {"policyName": f"refuse-{namespace}", "validationActions": ["Deny"]}
    for made, spec in ((_POLICY, policy), (POLICY_BINDING, binding)):
        await client.create(made, _body(made, f"refuse-{namespace}", spec))
    try:
        await _until(client, kind, namespace, name, refused=True)
        yield
    finally:
        for made in (POLICY_BINDING, _POLICY):
            await client.delete(made, "", f"refuse-{namespace}")
        await _until(client, kind, namespace, name, refused=False)


def _body(kind: Kind, name: str, spec: Object) -> Object:
    return {"apiVersion": kind.group_version, "kind": kind.name, "metadata": {"name": name}, "spec": spec}


async def _until(client: Client, kind: Kind, namespace: str, name: str, *, refused: bool) -> None:
    """Wait until the API server has heard of it."""
    async with asyncio.timeout(30):
        while await _is_refused(client, kind, namespace, name) is not refused:
            await asyncio.sleep(0.1)


async def _is_refused(client: Client, kind: Kind, namespace: str, name: str) -> bool:
    labels = (await client.get(kind, namespace, name))["metadata"].get("labels", {})
    probe = {"op": "add", "path": "/metadata/labels", "value": {**labels, _LABEL: str(time.monotonic_ns())}}
    try:
        await client.patch(kind, namespace, name, [probe])
    except Invalid:
        return True
    return False
