"""What the latency benchmark runs against: a stage on which nobody speaks, and pods that do not serve: spares, and one
that is fed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bench.streams import PORT, Place
from dev import stage
from dev.cluster import images, waiting
from dev.cluster.api import Cluster
from showstopper.cluster.listeners import HOST, ROLE_LABEL

NAMESPACE = "bench-latency"
ROOM = "bench"
SPARE = "spare"
EXPERIMENT = "bench-latency"
REPLICAS = 3
LABELS = {"app.kubernetes.io/component": SPARE}

FED, FEEDER = "fed", "feeder"
"""Packets go from the one pod of the second to the one of the first (bench/streams.py)."""

LOSS = "bench-loss"


def install(cluster: Cluster) -> None:
    """A stage of its own, idle. Returns when its listeners have heard the host, he has left, and the spares are ready.

    A host and two who decode what he says take a third of a core, which is no business of whoever kills a pod.
    """
    stage.install_stage(cluster, namespace=NAMESPACE, values=["room.enabled=false", "relay.replicas=1"])
    pause = images.ensure(images.PAUSE).reference  # the nodes have it: each pod's sandbox is made of it
    replicas = {SPARE: REPLICAS, FED: 1, FEEDER: 1}
    parts = [component(name) for name in ("relay", SPARE)]
    fed = component(FED, ports=[{"name": "media", "port": PORT, "protocol": "UDP"}])
    pods = [deployment(pause, name, count) for name, count in replicas.items()]
    for manifest in (*pods, room(NAMESPACE, ROOM, [*parts, fed], listeners=2)):
        cluster.run_kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=json.dumps(manifest))
    for name in replicas:
        cluster.run_kubectl("--namespace", NAMESPACE, "rollout", "status", f"deployment/{name}", "--timeout=60s")
    stage.wait_for_room(cluster, namespace=NAMESPACE, room=ROOM)
    nobody = json.dumps({"spec": {"program": {"host": "External"}}})
    cluster.run_kubectl("--namespace", NAMESPACE, "patch", "audioroom", ROOM, "--type=merge", f"--patch={nobody}")
    host = ("--namespace", NAMESPACE, "pods", f"--selector={ROLE_LABEL}={HOST}")
    waiting.until(lambda: not cluster.get(*host)["items"], "the host does not leave", seconds=60, every=0.5)


def clear(cluster: Cluster, namespace: str = NAMESPACE) -> None:
    """Take all of it away, and wait until it is gone: what follows measures an operator at rest."""
    if not cluster.run_kubectl("get", "namespace", namespace, "--ignore-not-found").strip():
        return
    cluster.run_kubectl("--namespace", namespace, "delete", "experiments,audiorooms", "--all")
    cluster.run_helm("uninstall", "stage", f"--namespace={namespace}", "--ignore-not-found")
    cluster.run_kubectl("delete", "namespace", namespace, "--wait=false")

    def is_gone() -> bool:
        return not cluster.run_kubectl("get", "namespace", namespace, "--ignore-not-found").strip()

    waiting.until(is_gone, f"namespace {namespace} does not go", seconds=120, every=1)


def place(cluster: Cluster, component: str) -> Place:
    """The one pod of a component."""
    chosen = f"--selector=app.kubernetes.io/component={component}"
    (pod,) = cluster.get("--namespace", NAMESPACE, "pods", chosen)["items"]
    return Place(pod["metadata"]["uid"], pod["status"]["podIP"])


def deployment(image: str, name: str, replicas: int) -> dict[str, Any]:
    """Pods that do nothing."""
    labels = {"app.kubernetes.io/component": name}
    container = {"name": "pause", "image": image, "imagePullPolicy": "IfNotPresent"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def room(namespace: str, name: str, components: Sequence[dict[str, Any]], *, listeners: int) -> dict[str, Any]:
    """A room of some listeners on the stage's relays."""
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "AudioRoom",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "livekit": {"url": "ws://relay:7880", "room": name, "credentialsSecretRef": {"name": "livekit-keys"}},
            "components": list(components),
            "listeners": {"count": listeners, "perPod": 2, "arrivals": {"every": "0s", "stay": "1s"}},
        },
    }


def component(name: str, **more: Any) -> dict[str, Any]:
    """The component of the pods that are labelled so."""
    return {"name": name, "selector": {"matchLabels": {"app.kubernetes.io/component": name}}, **more}


def kill(revision: str) -> dict[str, Any]:
    """Kill one spare at once: no baseline, no recovery."""
    target = {"component": SPARE, "max": 1, "minReady": 1}
    fault = {"name": "kill-a-spare", "target": target, "podKill": {"gracePeriod": "0s"}}
    return experiment(NAMESPACE, ROOM, EXPERIMENT, revision, [fault])


def loss(revision: str) -> dict[str, Any]:
    """Lose everything that comes to the pod that is fed, at once, until the run is aborted."""
    everything = {"percent": "100%", "direction": "Ingress", "ports": ["media"]}
    target = {"component": FED, "max": 1}
    fault = {"name": "lose-all", "target": target, "duration": "30s", "packetLoss": everything}
    return experiment(NAMESPACE, ROOM, LOSS, revision, [fault])


def experiment(namespace: str, room: str, name: str, revision: str, faults: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """These faults at once: no baseline, no recovery."""
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "revision": revision,
            "roomRef": {"name": room},
            "timing": {"baseline": "0s", "recovery": "0s"},
            "faults": list(faults),
            "expect": [{"indicator": "LongestDeadAir", "max": "60s"}],
        },
    }
