"""Probes: which ports of a pod its kubelet asks."""

from typing import Any

import pytest

from showstopper.engine.rooms import pod_cache, probes

HTTP = {"name": "http", "containerPort": 7880}


def pod(*containers: dict[str, Any], init: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "metadata": {"name": "relay-0", "namespace": "show", "uid": "u"},
        "spec": {"containers": list(containers), "initContainers": init or []},
    }


@pytest.mark.parametrize(
    ("container", "ports"),
    [
        ({"readinessProbe": {"httpGet": {"path": "/", "port": 7880}}}, (7880,)),
        ({"ports": [HTTP], "livenessProbe": {"httpGet": {"path": "/", "port": "http"}}}, (7880,)),
        ({"startupProbe": {"tcpSocket": {"port": 7881}}, "livenessProbe": {"grpc": {"port": 9000}}}, (7881, 9000)),
        ({"livenessProbe": {"exec": {"command": ["true"]}}}, ()),
        ({"livenessProbe": {"httpGet": {"port": "gone"}}}, ()),
        ({"livenessProbe": {"httpGet": {"port": 80, "host": "198.18.0.9"}}}, ()),
        ({}, ()),
    ],
)
def test_ports_are_those_that_are_asked_over_the_network(container: dict[str, Any], ports: tuple[int, ...]) -> None:
    body = pod({"name": "livekit", **container})
    assert probes.ports_of(body["spec"]) == ports
    assert probes.ports_of(pod_cache.slim(body)["spec"]) == ports, "the cache keeps what is needed"


def test_sidecars_that_are_init_containers_have_probes_too() -> None:
    sidecar = {"name": "proxy", "ports": [HTTP], "restartPolicy": "Always", "startupProbe": {"grpc": {"port": 4143}}}
    body = pod({"name": "livekit"}, init=[{"name": "prepare"}, sidecar])
    assert probes.ports_of(body["spec"]) == (4143,)
    slimmed = pod_cache.slim(body)["spec"]
    assert probes.ports_of(slimmed) == (4143,)
    assert slimmed["initContainers"][0] == {"name": "prepare"}
