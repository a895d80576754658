"""What the operator costs at rest: its memory and its share of a core, with no room and no experiment in the cluster.

It is started afresh, left alone until it has settled, and watched for three minutes. Rooms that are there are put away
meanwhile and applied again afterwards. Writes build/bench/rest.json. Needs root and the embedded cluster.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import report
from dev import stage
from dev.cluster import api, endings, errors, progress
from dev.cluster.api import Cluster

SECONDS = 180.0
SETTLE_SECONDS = 15.0
OPERATOR = "app.kubernetes.io/component=operator"
_TICKS = os.sysconf("SC_CLK_TCK")
_MEBI = 1024.0


@dataclass(frozen=True, slots=True)
class Rest:
    """Of the operator's processes together: memory in MiB (the most of what was seen), CPU seconds over how long."""

    rss: float
    pss: float
    cpu_seconds: float
    seconds: float
    processes: int


def measure(cluster: Cluster, seconds: float = SECONDS) -> Rest:
    """Watch the operator at rest."""
    with rooms_put_away(cluster):
        cluster.run_kubectl("--namespace", stage.SYSTEM, "rollout", "restart", "deployment/showstopper-operator")
        stage.wait_for_operator(cluster)
        with progress.step(f"Watching the operator at rest for {seconds:.0f} s"):
            time.sleep(SETTLE_SECONDS)
            processes = operator_processes(cluster)
            began, before = time.monotonic(), sum(map(cpu_seconds, processes))
            rss = pss = 0.0
            while time.monotonic() - began < seconds:
                time.sleep(min(5.0, seconds))
                rss = max(rss, sum(memory(pid, "status", "VmRSS") for pid in processes))
                pss = max(pss, sum(memory(pid, "smaps_rollup", "Pss") for pid in processes))
            spent = sum(map(cpu_seconds, processes)) - before
            return Rest(rss, pss, spent, time.monotonic() - began, len(processes))


def operator_processes(cluster: Cluster) -> list[int]:
    """The ids, on the machine, of the processes of the operator's newest pod."""
    pods = cluster.get("--namespace", stage.SYSTEM, "pods", f"--selector={OPERATOR}")["items"]
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    if len(alive) != 1:
        names = ", ".join(pod["metadata"]["name"] for pod in alive)
        raise errors.ClusterError(f"there should be one pod of the operator, and there are: {names or 'none'}")
    pod = cluster.pod(stage.SYSTEM, alive[0]["metadata"]["name"])
    return [pid for container in pod.containers for pid in pod.processes(container)]


def memory(pid: int, file: str, field: str) -> float:
    """A figure of a process's memory in MiB (proc(5))."""
    return kibibytes(Path(f"/proc/{pid}/{file}").read_text(), field) / _MEBI


def kibibytes(text: str, field: str) -> float:
    """The figure of a line such as "VmRSS:     1234 kB"."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return float(value.split()[0])
    raise errors.ClusterError(f"the kernel does not say {field}")


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that a process has used, in user and kernel mode."""
    return ticks(Path(f"/proc/{pid}/stat").read_text()) / _TICKS


def ticks(stat: str) -> int:
    """User and kernel time of /proc/pid/stat, its fields 14 and 15. The name in parentheses may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def rooms_put_away(cluster: Cluster) -> Iterator[None]:
    """No room in the cluster for the block. Those that were there are applied again after it, as who applied them."""
    rooms = cluster.get("audiorooms.showstopper.dev", "--all-namespaces", "--show-managed-fields")["items"]
    for room in rooms:
        namespace, name = room["metadata"]["namespace"], room["metadata"]["name"]
        cluster.run_kubectl("--namespace", namespace, "delete", "audioroom", name)
    try:
        yield
    finally:
        for room in rooms:
            manager = f"--field-manager={manager_of(room)}"
            cluster.run_kubectl("apply", "--server-side", manager, "--filename=-", stdin=json.dumps(bare(room)))


def manager_of(resource: dict[str, Any]) -> str:
    """Who applied its spec: under another name, their next apply would meet a conflict."""
    for entry in resource["metadata"].get("managedFields", ()):
        if entry["operation"] == "Apply" and "f:spec" in entry["fieldsV1"]:
            return str(entry["manager"])
    return "kubectl"


def bare(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource as somebody would have written it: without what the API server added."""
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: value for key, value in resource["metadata"].items() if key in kept}
    return {"apiVersion": resource["apiVersion"], "kind": resource["kind"], "metadata": metadata} | {
        "spec": resource["spec"]
    }


def tell(rest: Rest) -> None:
    """Print and write rest.json."""
    report.write(
        "rest",
        {
            "operator_rss_mb": round(rest.rss, 1),
            "operator_cpu_percent": round(100 * rest.cpu_seconds / rest.seconds, 3),
            "operator_pss_mb": round(rest.pss, 1),
            "operator_processes": rest.processes,
            "watched_seconds": round(rest.seconds, 1),
        },
    )


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.rest", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    tell(measure(api.ensure_embedded(with_images=False), parser.parse_args().seconds))
    return 0


if __name__ == "__main__":
    sys.exit(endings.run(main))
