"""Rooms and pods stored in a real API server."""

import itertools
from typing import Any

from showstopper.api.room import AudioRoom
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, POD
from showstopper.engine.rooms.fleet import names
from tests.engine.rooms.build import body

NUMBERS = itertools.count(1)


async def make_room(client: Client, **spec: Any) -> AudioRoom:
    """Store a room of a name that no other test uses."""
    wanted = body(f"stage-{next(NUMBERS)}", **spec)
    for field in ("uid", "generation"):
        del wanted["metadata"][field]
    return AudioRoom.parse(await client.create(AUDIO_ROOM, wanted))


async def make_pod(
    client: Client, name: str, labels: dict[str, str], address: str, version: str = "", *, node: str = ""
) -> None:
    """Store a running pod. With a node it is its kubelet's to end, and there is none: it stays until it is forced."""
    metadata = {"name": name, "namespace": "show", "labels": labels, "annotations": {names.FLEET_ANNOTATION: version}}
    containers = [{"name": "livekit", "image": "showstopper.local/livekit:1"}]
    spec = {"containers": containers, **({"nodeName": node} if node else {})}
    await client.create(POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    status = {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "containerStatuses": [
            {
                "name": "livekit",
                "image": "showstopper.local/livekit:1",
                "imageID": "showstopper.local/livekit@sha256:" + "1" * 64,
                "ready": True,
                "restartCount": 0,
            }
        ],
    }
    await client.patch(POD, "show", name, [{"op": "add", "path": "/status", "value": status}], subresource="status")
