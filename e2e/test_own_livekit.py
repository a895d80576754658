"""A LiveKit that our chart did not install: one AudioRoom of ten lines, and listeners hear the host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dev.cluster import paths
from dev.cluster.api import Cluster
from tests.support.staged_room import LONG, Api, Object, RefusedError, condition, eventually

pytestmark = pytest.mark.cluster

EXAMPLE: Path = paths.PROJECT / "examples" / "own-livekit.yaml"
NAMESPACE = "livekit"
"""As in the example."""

KEY, SECRET = "own", "a-secret-of-one-s-own-of-32-letters-or-more"


@pytest.fixture
def own(running: Cluster) -> Iterator[Cluster]:
    """LiveKit as somebody may have it: one Deployment, one Service, one Secret."""
    labels = {"app.kubernetes.io/name": "livekit-server"}
    container = {
        "name": "livekit",
        "image": running.images["livekit"],
        "command": ["/livekit-server", "--node-ip", "$(POD_IP)", "--udp-port", "7882"],
        "env": [
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "LIVEKIT_KEYS", "value": f"{KEY}: {SECRET}"},
            # Else clients are sent to public STUN servers, which the embedded cluster cannot reach.
            {"name": "LIVEKIT_CONFIG", "value": 'rtc: {stun_servers: ["127.0.0.1:3478"]}'},
        ],
        "readinessProbe": {"httpGet": {"path": "/", "port": 7880}, "periodSeconds": 1},
    }
    pods = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}
    manifests = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "livekit-server"},
            "spec": {"selector": {"matchLabels": labels}, "template": pods},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "livekit-server"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 7880}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "livekit-keys"},
            "stringData": {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET},
        },
    ]
    running.run_kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    running.run_kubectl("create", "namespace", NAMESPACE)
    items = {"apiVersion": "v1", "kind": "List", "items": manifests}
    running.run_kubectl("--namespace", NAMESPACE, "apply", "-f", "-", stdin=json.dumps(items))
    yield running
    running.run_kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_ten_lines_for_a_livekit_of_ones_own(own: Cluster, connection: Api) -> None:
    """The example as it is in the README. Deleted again, it leaves nothing: listeners and host go with their room."""
    text = EXAMPLE.read_text()
    room = yaml.safe_load(text)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 12, "about ten lines"
    own.run_kubectl("apply", "-f", str(EXAMPLE))
    path = f"/apis/showstopper.dev/v1alpha1/namespaces/{NAMESPACE}/audiorooms/{room['metadata']['name']}"

    def ready() -> bool:
        return bool(condition(connection.get(path), "Ready")["status"] == "True")

    eventually("the room is ready", LONG, ready, every=0.25)
    status = connection.get(path)["status"]
    assert status["listeners"]["live"] == status["listeners"]["intended"] == 6
    (serving,) = status["serving"]
    assert serving.startswith("livekit-server-")

    assert len(_fleet(connection)) == 3
    connection.delete(path)
    eventually("the fleet is gone", LONG, lambda: not _fleet(connection))
    with pytest.raises(RefusedError, match="404"):
        connection.get(path)


def _fleet(connection: Api) -> list[Object]:
    """Pods of listeners and hosts."""
    pods = connection.get(f"/api/v1/namespaces/{NAMESPACE}/pods", labelSelector="showstopper.dev/role")["items"]
    return list(pods)
