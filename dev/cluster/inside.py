"""Reach inside nodes and pods from the machine: their network namespaces, and the processes of their containers.

The machine sees the processes of all nodes. A container's are found by its cgroup, which carries the pod's UID and the
container's id. Nothing is guessed from names or addresses.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.cluster import addresses, cgroups, commands, errors, launch

STRESS = "showstopper-stress-"
"""What the cgroups are called in which a fault of stress works below a container's (agent/kernel/guests.py)."""


def node_namespace(node: str) -> Path:
    """The file of a node's network namespace, by the node's name ("node1")."""
    for member in addresses.MEMBERS:
        if member.name == node:
            return member.namespace_file
    raise errors.MissingError(f"no node {node!r}; there are: {', '.join(each.name for each in addresses.WORKERS)}")


def container_processes(pod_uid: str, container_id: str) -> list[int]:
    """The ids, on the machine, of a container's own processes, its first process first. None when it does not run.

    `container_id` as in the pod's status, with or without "containerd://".
    """
    pids = {
        pid
        for container in container_cgroups(pod_uid, container_id)
        for folder in cgroups.with_all_below(container)
        if not folder.name.startswith(STRESS)
        for pid in cgroups.processes_in(folder)
    }
    return sorted(pids, key=lambda pid: (_inner_id(pid), pid))


def container_cgroups(pod_uid: str, container_id: str) -> list[Path]:
    """The cgroup folders of a container, one a controller (version 1) or just one (version 2). `*`: of all of a pod."""
    name = container_id.removeprefix("containerd://")
    return [folder for folder in cgroups.folders() if folder.match(f"pod{pod_uid}/{name}")]


def pod_process(pod_uid: str) -> int:
    """The id, on the machine, of one living process of the pod: the way into its namespaces. Raises MissingError."""
    for pid in container_processes(pod_uid, "*"):
        return pid
    raise errors.MissingError(f"no process of the pod with UID {pod_uid} runs in this cluster")


def pod_namespace(pod_uid: str) -> Path:
    """The file of a pod's network namespace. It is good for as long as the process lives that it was found by."""
    return Path(f"/proc/{pod_process(pod_uid)}/ns/net")


@contextmanager
def open_pod_namespace(pod_uid: str) -> Iterator[int]:
    """A file descriptor of a pod's network namespace, for setns(2). It stays good when the pod goes."""
    descriptor = os.open(pod_namespace(pod_uid), os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def run_in(namespace: Path, command: Sequence[str]) -> str:
    """What a program of the machine prints when it runs in a network namespace. Raises CommandError."""
    return commands.run(["nsenter", f"--net={namespace}", *command])


def kill_container(pod_uid: str, container_id: str, number: signal.Signals = signal.SIGKILL) -> int:
    """Send a signal to a container's first process, at once, past the kubelet. Its id. Raises MissingError."""
    processes = container_processes(pod_uid, container_id)
    if not processes:
        raise errors.MissingError(f"container {container_id} of the pod with UID {pod_uid} does not run")
    os.kill(processes[0], number)
    return processes[0]


def is_running(pid: int) -> bool:
    """Whether a process lives, by its id on the machine (a dead one that nobody buried yet does not)."""
    return launch.start_time(pid) is not None


def _inner_id(pid: int) -> int:
    """Its id in its own process namespace: 1 is a container's first process (proc(5), NSpid)."""
    with contextlib.suppress(OSError):  # it went away between two looks
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return pid
