"""What tests of the engine put into a real API server: a namespace, and pods that nobody runs."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import DEPLOYMENT, NAMESPACE, POD
from showstopper.engine.planning.policies import CHAOS_ALLOWED, CHAOS_LABEL

LABELS = {"app": "relay"}
CONTAINER = "5f" * 32
"""The id of each pod's container."""


async def namespace(client: Client, name: str) -> None:
    """A namespace that allows experiments."""
    metadata = {"name": name, "labels": {CHAOS_LABEL: CHAOS_ALLOWED}}
    await client.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


async def forbid(client: Client, name: str) -> None:
    """Take that label away."""
    path = f"/metadata/labels/{CHAOS_LABEL.replace('/', '~1')}"
    await client.patch(NAMESPACE, "", name, [{"op": "remove", "path": path}])


async def pod(
    client: Client,
    place: str,
    name: str,
    *,
    ready: bool = True,
    node: str = "node1",
    labels: Mapping[str, str] = LABELS,
    annotations: Mapping[str, str] = MappingProxyType({}),
    address: str = "198.18.200.9",
    digest: str = "",
    owner: Object | None = None,
) -> Object:
    """A scheduled pod of the component relay. `owner`: the reference to what made it."""
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": place,
            "labels": dict(labels),
            "annotations": dict(annotations),
            "ownerReferences": [owner] if owner is not None else [],
        },
        "spec": {"nodeName": node, "containers": [{"name": "livekit", "image": "livekit:1"}]},
    }
    await client.create(POD, body)
    return await set_ready(client, place, name, ready=ready, address=address, digest=digest)


async def set_ready(
    client: Client, place: str, name: str, *, ready: bool, address: str = "198.18.200.9", digest: str = ""
) -> Object:
    """What its kubelet would say of it."""
    status: dict[str, Any] = {
        "phase": "Running",
        "podIP": address,
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [
            {
                "name": "livekit",
                "containerID": f"containerd://{CONTAINER}",
                "state": {"running": {}},
                "ready": ready,
                "restartCount": 0,
                "image": "livekit:1",
                "imageID": digest,
            }
        ],
    }
    return await client.patch(
        POD, place, name, [{"op": "add", "path": "/status", "value": status}], subresource="status"
    )


async def names(client: Client, place: str) -> set[str]:
    """The pods that are there."""
    return {stored["metadata"]["name"] for stored in await client.list(POD, place)}


TEMPLATE = "abc"
"""The hash of the Deployment's pod template, as its controller would label its ReplicaSet and its pods."""


async def deployment(client: Client, place: str, names: Sequence[str], *, node: str = "node1", **spec: Any) -> Object:
    """A Deployment called relay, with these pods of one ReplicaSet on one node. Nobody controls it."""
    template = {
        "metadata": {"labels": LABELS},
        "spec": {"containers": [{"name": "livekit", "image": "livekit:1"}]},
    }
    body = {
        "apiVersion": DEPLOYMENT.group_version,
        "kind": DEPLOYMENT.name,
        "metadata": {"name": "relay", "namespace": place},
        "spec": {"replicas": len(names), "selector": {"matchLabels": LABELS}, "template": template, **spec},
    }
    made = await client.create(DEPLOYMENT, body)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"relay-{TEMPLATE}", "uid": "its-uid"}
    labels = {**LABELS, "pod-template-hash": TEMPLATE}
    for name in names:
        await pod(client, place, name, node=node, labels=labels, owner={**owner, "controller": True})
    return made
