"""What the trials of bench/lift.py are made on: pods that are hit by one fault each, and one that hears them all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bench import spare
from bench.streams import PORT, Place
from dev import stage
from dev.cluster import images, inside
from dev.cluster.api import Cluster
from tests.support.pod_state import setup

NAMESPACE = "bench-lift"
ROOM = EXPERIMENT = "lift"
NODE = "node2"
"""Where the faults are, all under one agent."""

SINK = "sink"
DNS = 53

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "loss": ("packetLoss", {"percent": "50%"}),
    "bursts": ("packetLoss", {"percent": "50%", "burst": "100ms"}),
    "delay": ("delay", {"latency": "300ms", "direction": "Egress"}),
    "jitter": ("delay", {"latency": "300ms", "jitter": "100ms", "direction": "Egress"}),
    "duplicate": ("duplicate", {"percent": "50%", "direction": "Egress"}),
    "corrupt": ("corrupt", {"percent": "50%", "direction": "Egress"}),
    "reorder": ("reorder", {"percent": "50%", "hold": "300ms", "direction": "Egress"}),
    "bandwidth": ("bandwidth", {"rate": "100kbit", "direction": "Egress"}),
    "partition": ("partition", {"peers": [{"component": SINK}]}),
    "ports": ("portBlock", {"protocols": ["UDP"]}),
    "dns": ("dnsFailure", {}),
}
"""Each fault by the name of the pod that it hits, in doses that many packets feel."""

AT_ONCE = 8
"""Faults in one run: as many as an Experiment may have."""


def chosen(number: int) -> list[str]:
    """The faults of the run with this number, counted from 0: they take turns, so that each is tried in every way."""
    names = list(KINDS)
    return [names[(number * AT_ONCE + each) % len(names)] for each in range(AT_ONCE)]


def install(cluster: Cluster) -> None:
    """A stage of its own, with one listener; returns when it hears the host and all pods are ready."""
    stage.install_stage(cluster, namespace=NAMESPACE, values=["room.enabled=false", "relay.replicas=1"])
    pause = images.ensure(images.PAUSE).reference
    room = spare.room(NAMESPACE, ROOM, [spare.component(name) for name in ("relay", SINK, *KINDS)], listeners=1)
    for manifest in (*(_pod(pause, name) for name in (SINK, *KINDS)), room):
        cluster.run_kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=json.dumps(manifest))
    cluster.run_kubectl("--namespace", NAMESPACE, "wait", "pods", "--for=condition=Ready", "--all", "--timeout=120s")
    stage.wait_for_room(cluster, namespace=NAMESPACE, room=ROOM)


def places(cluster: Cluster) -> dict[str, Place]:
    """Each of the pods by its name."""
    pods = cluster.get("--namespace", NAMESPACE, "pods", "--selector=bench=lift")["items"]
    return {pod["metadata"]["name"]: Place(pod["metadata"]["uid"], pod["status"]["podIP"]) for pod in pods}


def port_of(kind: str) -> int:
    """The sink's port for the packets of a pod: each has its own, but questions go to the name servers' port."""
    return DNS if kind == "dns" else PORT + list(KINDS).index(kind)


def experiment(revision: str, kinds: Iterable[str]) -> dict[str, Any]:
    """All these faults at once, each on its pod, for longer than anybody keeps them up."""
    faults = []
    for name in kinds:
        kind, spec = KINDS[name]
        faults.append({"name": name, "target": {"component": name}, "duration": "10m", kind: spec})
    return spare.experiment(NAMESPACE, ROOM, EXPERIMENT, revision, faults)


def state(pods: Mapping[str, Place]) -> dict[str, str]:
    """What faults change and must give back: of every pod, and of the node what is ours."""
    found = {f"{what} of {name}": text for name, place in pods.items() for what, text in setup(place.uid).items()}
    tables = inside.run_in(inside.node_namespace(NODE), ["nft", "list", "tables"])
    found[f"tables of {NODE}"] = "\n".join(line for line in tables.splitlines() if "showstopper" in line)
    return found


def _pod(image: str, name: str) -> dict[str, Any]:
    """A pod that does nothing, on the node of the faults."""
    labels = {"app.kubernetes.io/component": name, "bench": "lift"}
    container = {"name": "pause", "image": image, "imagePullPolicy": "IfNotPresent"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"nodeName": NODE, "containers": [container], "terminationGracePeriodSeconds": 0},
    }
