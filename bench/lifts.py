"""What the trials of bench/lift.py are made on: pods that are hit by one fault each, and one that hears them all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench import lifted, senses, spare
from bench.senses import Cgroups
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
SINK_PORT = 7000
"""Where connections of storms go to."""

DNS = 53
DOOR = "door"
STAGE = (
    "room.enabled=false",
    f"room.name={ROOM}",
    "relay.replicas=1",
    "door.enabled=true",
    "door.rateLimit.perSecond=200",
    "door.rateLimit.burst=400",
)
"""The room is ours, and so is whoever asks the door so often."""

NETWORK: dict[str, tuple[str, dict[str, Any]]] = {
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

PROCESSES: dict[str, tuple[str, dict[str, Any]]] = {
    "freeze": ("freeze", {}),
    "throttle": ("cpuThrottle", {"limit": "50m"}),
    "workers": ("cpuStress", {"workers": 1, "load": "20%"}),
    "memory": ("memoryStress", {"size": "32Mi"}),
}
"""The same for faults that the pod's cgroups tell of."""

KINDS = NETWORK | PROCESSES
CHANGED: dict[str, tuple[Callable[[Path], bool], str]] = {
    "freeze": (senses.frozen, "its cgroup was frozen"),
    "throttle": (partial(senses.throttled, microseconds=5_000), "its cgroup had the fault's quota"),
    "workers": (senses.visited, "workers were below its cgroup"),
    "memory": (partial(senses.filled, least=16 << 20), "memory was taken in its cgroup"),
}
BY_WATCHDOG = frozenset({"freeze", "throttle"})
"""The kernel has no timer for these."""

BUSY = "throttle"
"""Who never needs CPU time has to wait for none. This pod wants more than it may take."""

AT_ONCE = 8
"""Faults in one run: as many as an Experiment may have."""


def chosen(number: int) -> list[str]:
    """The faults of the run with this number, counted from 0: they take turns, so that each is tried in every way."""
    names = list(KINDS)
    return [names[(number * AT_ONCE + each) % len(names)] for each in range(AT_ONCE)]


def grace(kind: str) -> float:
    """For how long after the lease it may be felt, in seconds."""
    return lifted.WATCHDOG_SECONDS if kind in BY_WATCHDOG else lifted.GRACE_SECONDS


def sense(kind: str, place: Place) -> Cgroups:
    """What feels a fault of processes on its pod."""
    changed, how = CHANGED[kind]
    return Cgroups(place, changed, how)


def install(cluster: Cluster) -> None:
    """A stage of its own, with one listener. Returns when it hears the host and all pods are ready."""
    stage.install_stage(cluster, namespace=NAMESPACE, values=STAGE)
    for name in (SINK, *KINDS):
        _apply(cluster, _pod(cluster, name))
    install_room(cluster, chosen(0))
    cluster.run_kubectl("--namespace", NAMESPACE, "wait", "pods", "--for=condition=Ready", "--all", "--timeout=120s")


def install_room(cluster: Cluster, kinds: Iterable[str]) -> None:
    """The room with the pods of these faults as components: all of them are more than a room may have."""
    _apply(cluster, _room(kinds))
    stage.wait_for_room(cluster, namespace=NAMESPACE, room=ROOM)


def places(cluster: Cluster) -> dict[str, Place]:
    """Each of the pods by its name."""
    pods = cluster.get("--namespace", NAMESPACE, "pods", "--selector=bench=lift")["items"]
    return {pod["metadata"]["name"]: Place(pod["metadata"]["uid"], pod["status"]["podIP"]) for pod in pods}


def port_of(kind: str) -> int:
    """The sink's port for the packets of a pod: each has its own, but questions go to the name servers' port."""
    return DNS if kind == "dns" else PORT + list(NETWORK).index(kind)


def experiment(revision: str, kinds: Iterable[str]) -> dict[str, Any]:
    """All these faults at once, each on its pod, for longer than anybody keeps them up."""
    faults = []
    for name in kinds:
        kind, spec = KINDS[name]
        faults.append({"name": name, "target": {"component": name}, "duration": "10m", kind: spec})
    return spare.experiment(NAMESPACE, ROOM, EXPERIMENT, revision, faults)


def state(pods: Mapping[str, Place]) -> dict[str, str]:
    """What faults change and must give back: of every pod, and of the node what is ours."""
    setups = {f"{what} of {name}": text for name, place in pods.items() for what, text in setup(place.uid).items()}
    tables = inside.run_in(inside.node_namespace(NODE), ["nft", "list", "tables"])
    setups[f"tables of {NODE}"] = "\n".join(line for line in tables.splitlines() if "showstopper" in line)
    return setups


def _apply(cluster: Cluster, manifest: dict[str, Any]) -> None:
    cluster.run_kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=json.dumps(manifest))


def _room(kinds: Iterable[str]) -> dict[str, Any]:
    """One listener, who comes in by the door."""
    sink = spare.component(SINK, ports=[{"name": "tcp", "port": SINK_PORT, "protocol": "TCP"}])
    others = [spare.component(name) for name in ("relay", DOOR, *kinds)]
    made = spare.room(NAMESPACE, ROOM, [sink, *others], listeners=1)
    made["spec"]["door"] = {"url": f"http://{DOOR}:8090/token", "component": DOOR}
    return made


def _pod(cluster: Cluster, name: str) -> dict[str, Any]:
    """A pod that does nothing, or is busy, on the node of the faults."""
    labels = {"app.kubernetes.io/component": name, "bench": "lift"}
    if name == BUSY:
        container = {
            "name": "busy",
            "image": cluster.images["control"],
            "command": ["python3", "-c", "while True: pass"],
            "resources": {"limits": {"cpu": "200m", "memory": "64Mi"}},
        }
    else:
        container = {"name": "pause", "image": images.ensure(images.PAUSE).reference}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "nodeName": NODE,
            "containers": [{**container, "imagePullPolicy": "IfNotPresent"}],
            "terminationGracePeriodSeconds": 0,
        },
    }
