"""The three ways to lose control of a fault: the agent dies, the operator dies, the agent's link to the API is cut."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from dev import stage
from dev.cluster import errors, inside
from dev.cluster.addresses import WORKERS
from dev.cluster.api import Cluster
from tests.support.operator_process import Operator
from tests.support.staged_room import Show

CUT = "showstopper-link-cut"
"""The name of the table in the node's namespace that cuts the link."""

API_PORTS = "443, 6443"
"""The API server's, by its Service and by itself."""

AGENT = "agent"
"""The agent's container."""

KILL_AGAIN_SECONDS = 0.02

Way = Callable[[Show, str], AbstractContextManager[float]]
"""Loses control, for the time of the block, of the faults on a node. Yields a moment (unix seconds) from which on it
was lost for certain. Afterwards agent and operator are ready again."""


@contextmanager
def agent_killed(show: Show, node: str) -> Iterator[float]:
    """SIGKILL, and again whenever the kubelet has started it anew. Then a new pod, whose agent sweeps."""
    name = agent_pod(show.cluster, node)
    pod = show.cluster.pod(stage.AGENTS, name)
    killer = _Killer(pod.uid, pod.containers[AGENT])
    with killer:
        yield killer.began
    show.cluster.run_kubectl("--namespace", stage.AGENTS, "delete", "pod", name, "--grace-period=0", "--force")
    stage.wait_for_agents(show.cluster)


@contextmanager
def operator_killed(show: Show, _node: str) -> Iterator[float]:
    """SIGKILL, with none in its place."""
    with Operator(show).away():
        yield time.time()


@contextmanager
def link_cut(show: Show, node: str) -> Iterator[float]:
    """Nothing passes between the agent and the API server: the node drops it."""
    address = show.cluster.pod(stage.AGENTS, agent_pod(show.cluster, node)).address
    _cut(node, [f"add rule ip {CUT} cut ip {end} {address} drop" for end in ("saddr", "daddr")])
    try:
        yield time.time()
    finally:
        _nft(node, f"delete table ip {CUT}")


@contextmanager
def processes_killed(show: Show, pods: Mapping[str, str]) -> Iterator[float]:
    """SIGKILL to the first process of a container in each pod, by the pods' names. The kubelet starts them anew."""
    for pod, container in pods.items():
        show.cluster.pod(show.namespace, pod).kill(container)
    yield time.time()


@contextmanager
def api_cut(addresses: Iterable[str]) -> Iterator[float]:
    """Nothing passes between these addresses and the API server: every node drops it, and nothing else of theirs."""
    rules = [
        f"add rule ip {CUT} cut ip {end} {address} tcp {port} {{ {API_PORTS} }} drop"
        for address in addresses
        for end, port in (("saddr", "dport"), ("daddr", "sport"))
    ]
    nodes = [node.name for node in WORKERS]
    for node in nodes:
        _cut(node, rules)
    try:
        yield time.time()
    finally:
        for node in nodes:
            _nft(node, f"delete table ip {CUT}")


WAYS: dict[str, Way] = {
    "agent_killed": agent_killed,
    "operator_killed": operator_killed,
    "link_cut": link_cut,
}


def agent_pod(cluster: Cluster, node: str) -> str:
    """The name of the agent's pod on a node."""
    chosen = ("--selector=app.kubernetes.io/component=agent", f"--field-selector=spec.nodeName={node}")
    pods = cluster.get("--namespace", stage.AGENTS, "pods", *chosen)["items"]
    alive = [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    if len(alive) != 1:
        raise errors.ClusterError(f"there should be one agent on {node}, and there are: {', '.join(alive) or 'none'}")
    return str(alive[0])


class _Killer:
    """Kills a container's processes, and those of every container that takes its place in the pod, until it is left."""

    def __init__(self, pod: str, container: str) -> None:
        own = inside.container_cgroups(pod, container)[0]
        self._pod = own.parent
        self._others = {folder for folder in self._containers() if folder != own}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.began = 0.0

    def __enter__(self) -> None:
        self._kill()
        self.began = time.time()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(KILL_AGAIN_SECONDS):
            self._kill()

    def _kill(self) -> None:
        with suppress(OSError):  # a folder goes with its last process
            for folder in self._containers():
                for pid in [] if folder in self._others else (folder / "cgroup.procs").read_text().split():
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)

    def _containers(self) -> list[Path]:
        return [folder for folder in self._pod.iterdir() if folder.is_dir()]


def _cut(node: str, rules: Iterable[str]) -> None:
    base = f"add chain ip {CUT} cut {{ type filter hook prerouting priority -300; policy accept; }}"
    _nft(node, "; ".join([f"add table ip {CUT}; delete table ip {CUT}; add table ip {CUT}", base, *rules]))


def _nft(node: str, commands: str) -> None:
    inside.run_in(inside.node_namespace(node), ["nft", commands])
