"""Kill the relay that serves: through a real run of the operator, or by hand to measure the listeners alone."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.listening import Heard
from dev.cluster import errors, waiting
from dev.cluster.api import Cluster
from showstopper.clock import from_timestamp

RUN_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Kill:
    """A relay was killed: its pod and address, when the API had answered the delete, and what the run said of it."""

    pod: str
    address: str
    at: float
    verdict: str


Killer = Callable[[int, Iterable[Heard]], Kill]


def by_run(cluster: Cluster, namespace: str, room: str) -> Killer:
    """Kills by an ExperimentRun each. Comes back when the run has its verdict."""
    series = f"{time.time():.0f}"

    def kill(number: int, _listeners: Iterable[Heard]) -> Kill:
        revision = f"{series}-{number}"
        manifest = _experiment(namespace, room, revision)
        cluster.run_kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=json.dumps(manifest))
        return _killed(_finished(cluster, namespace, revision))

    return kill


def by_hand(cluster: Cluster, namespace: str) -> Killer:
    """Kills as `kubectl delete --grace-period=0 --force` of the pod that most listeners name as their relay."""

    def kill(_number: int, listeners: Iterable[Heard]) -> Kill:
        addresses = Counter(listener.relay for listener in listeners if listener.relay)
        if not addresses:
            raise errors.ClusterError("no listener knows its relay")
        address = addresses.most_common(1)[0][0]
        pods = cluster.get("--namespace", namespace, "pods", "--selector=app.kubernetes.io/component=relay")["items"]
        pod = next(pod["metadata"]["name"] for pod in pods if pod["status"].get("podIP") == address)
        cluster.run_kubectl(
            "--namespace", namespace, "delete", "pod", pod, "--grace-period=0", "--force", "--wait=false"
        )
        return Kill(pod, address, time.time(), "")

    return kill


def _experiment(namespace: str, room: str, revision: str) -> dict[str, Any]:
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": "bench-accuracy", "namespace": namespace},
        "spec": {
            "revision": revision,
            "roomRef": {"name": room},
            "timing": {"baseline": "3s", "recovery": "15s"},
            "faults": [
                {
                    "name": "kill-the-serving-relay",
                    "target": {"component": "relay", "serving": True, "max": 1, "minReady": 1},
                    "podKill": {"gracePeriod": "0s"},
                }
            ],
            "expect": [{"indicator": "LongestDeadAir", "max": "60s"}],
        },
    }


def _finished(cluster: Cluster, namespace: str, revision: str) -> dict[str, Any]:
    """The run of that revision, when it has a verdict."""
    finished: dict[str, Any] = {}

    def is_over() -> bool:
        for run in cluster.get("--namespace", namespace, "experimentruns.showstopper.dev")["items"]:
            if run["spec"]["experiment"].get("revision") == revision and run.get("status", {}).get("verdict"):
                finished.update(run)
        return bool(finished)

    waiting.until(is_over, f"the run of revision {revision} has no verdict", seconds=RUN_SECONDS, every=1)
    return finished


def _killed(run: dict[str, Any]) -> Kill:
    status = run["status"]
    said = f"{status['verdict']}: {status.get('message', '')}"
    targets = [target for target in status.get("targets", []) if target.get("answeredAt")]
    if not targets:
        raise errors.ClusterError(f"run {run['metadata']['name']} killed nothing; it says {said}")
    target = targets[0]
    return Kill(target["pod"], target.get("address", ""), from_timestamp(target["answeredAt"]), status["verdict"])
