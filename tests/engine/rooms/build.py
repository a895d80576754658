"""Rooms and pods for tests."""

from typing import Any

from showstopper.api.room import AudioRoom
from showstopper.engine.rooms.fleet.manifests import Images

IMAGES = Images(audio="showstopper.local/audio:abc123")
UID = "0b8e0d3c-2c2f-4b57-9c5e-1de0a3d3a001"


def body(name: str = "main-stage", *, generation: int = 1, **spec: Any) -> dict[str, Any]:
    """An AudioRoom with a relay and a store, as the API has it."""
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "AudioRoom",
        "metadata": {"name": name, "namespace": "show", "uid": UID, "generation": generation},
        "spec": {
            "livekit": {
                "url": "ws://relay:7880",
                "room": "main-stage",
                "credentialsSecretRef": {"name": "livekit-keys"},
            },
            "components": [
                {
                    "name": "relay",
                    "selector": {"matchLabels": {"app.kubernetes.io/component": "relay"}},
                    "container": "livekit",
                    "ports": [{"name": "media", "port": 7882, "protocol": "UDP"}],
                },
                {"name": "store", "selector": {"matchLabels": {"app.kubernetes.io/component": "store"}}},
            ],
            "listeners": {"count": 6, "perPod": 3, "arrivals": {"every": "5s", "stay": "15s"}},
            **spec,
        },
    }


def room(name: str = "main-stage", **spec: Any) -> AudioRoom:
    return AudioRoom.parse(body(name, **spec))


def pod(
    name: str,
    *,
    labels: dict[str, str] | None = None,
    containers: tuple[str, ...] = ("livekit",),
    image: str = "showstopper.local/livekit:1",
    digest: str = "sha256:" + "1" * 64,
    address: str = "198.18.1.7",
    host: str = "198.18.1.1",
    host_network: bool = False,
    ports: tuple[int, ...] = (),
    **status: Any,
) -> dict[str, Any]:
    """A running pod as the API has it."""
    return {
        "metadata": {"name": name, "namespace": "show", "uid": f"uid-of-{name}", "labels": labels or {}},
        "spec": {
            "hostNetwork": host_network,
            "containers": [
                {"name": container, "image": image, "ports": [{"containerPort": port} for port in ports]}
                for container in containers
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": host if host_network else address,
            "hostIP": host,
            "containerStatuses": [{"name": container, "imageID": f"{image}@{digest}"} for container in containers],
            **status,
        },
    }
