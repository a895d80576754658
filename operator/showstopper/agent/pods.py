"""Pods: from a pod's UID to its network namespace, by the cgroups of its processes. No container runtime is asked.

The way in is the pod's first process: of the sandbox ("pause"), which started before the containers and outlives their
crashes. CRI-O starts most pods without it. There it is a process of a container, and another after its restart.
Works with cgroup v1 and v2, under the cgroupfs and the systemd driver. Needs the node's process ids (hostPID).
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise
from pathlib import Path

from showstopper.agent.kernel import guests
from showstopper.errors import NamespaceGone

PROC = Path("/proc")
LOOK_SECONDS = 0.5
_FIRST = "1"
"""The node's own first process."""

_CRI_O = "crio-"
_MONITOR = "crio-conmon-"
"""CRI-O's, one for each container: in the pod's cgroup, and in the node's network."""


@dataclass(frozen=True, slots=True)
class Process:
    """A running process. Its start time tells it apart from a later process with the same number."""

    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class PodNetwork:
    """A pod's network.

    Attributes:
        uid: of the pod.
        path: of the namespace, as long as its process runs.
        inode: of the namespace.
        process: by which it was found.
        shared: it is the network of the node itself.
        restarts: the process may be one of a container, and there may be none while that is restarted.
    """

    uid: str
    path: Path
    inode: int
    process: Process
    shared: bool
    restarts: bool


def belongs(lines: str, uid: str) -> bool:
    """Whether a process is of the pod, by its /proc/PID/cgroup.

    cgroupfs: `.../podUID/CONTAINER`, systemd: `.../kubepods-besteffort-podU_I_D.slice/cri-containerd-CONTAINER.scope`.
    Seen from inside a cgroup namespace, the same behind some `/..`. Guests of its containers are none of its processes,
    nor are the monitors of its containers.
    """
    if uid not in lines and uid.replace("-", "_") not in lines:  # most of the time, and much quicker
        return False
    names = pod_names(uid)
    paths = (line.split(":", 2)[2].split("/") for line in lines.splitlines() if line.count(":") >= 2)
    return any(
        names.fullmatch(part) and not guests.are_in(parts[index:]) and not _any(parts[index:], _MONITOR)
        for parts in paths
        for index, part in enumerate(parts)
    )


def _any(parts: Iterable[str], prefix: str) -> bool:
    return any(part.startswith(prefix) for part in parts)


def pod_names(uid: str) -> re.Pattern[str]:
    """How a pod's own cgroup is called: `podUID`, or systemd's `kubepods-besteffort-podU_I_D.slice`."""
    return re.compile(rf"(.*-)?pod({re.escape(uid)}|{re.escape(uid.replace('-', '_'))})(\.slice)?")


def start_of(stat: str) -> int:
    """When a process started, in clock ticks since boot: field 22 of proc(5)'s stat, behind a name of any text."""
    return int(stat.rpartition(")")[2].split()[19])


def own_addresses(fib_trie: str, if_inet6: str) -> set[IPv4Address | IPv6Address]:
    """The addresses of a namespace, by its /proc/net/fib_trie and /proc/net/if_inet6."""
    addresses: set[IPv4Address | IPv6Address] = set()
    lines = [line.strip() for line in fib_trie.splitlines()]
    for line, below in pairwise(lines):
        if line.startswith("|-- ") and below == "/32 host LOCAL":
            addresses.add(IPv4Address(line.removeprefix("|-- ")))
    addresses |= {IPv6Address(bytes.fromhex(line.split()[0])) for line in if_inet6.splitlines() if line}
    return addresses


class Pods:
    """The pods of this node, by its /proc."""

    def __init__(self, proc: Path = PROC, now: Callable[[], float] = time.monotonic) -> None:
        self._proc, self._now = proc, now
        self._lock = threading.Lock()
        self._cgroups: dict[int, str] = {}
        self._looked = -LOOK_SECONDS

    def network(self, uid: str, address: str) -> PodNetwork:
        """The network of the pod, if the address is really there.

        Raises:
            NamespaceGone: no process of the pod runs here, or its network has not that address.
        """
        elsewhere = False
        for process in sorted(self._processes(uid), key=lambda process: (process.started, process.pid)):
            try:
                inode = self._inode(str(process.pid))
                addresses = self._addresses(process.pid)
            except OSError:  # it ended between two looks
                continue
            if ip_address(address) in addresses:
                shared = self._leads(_FIRST, inode)
                restarts = _any(self._cgroup(process.pid).split("/"), _CRI_O)
                return PodNetwork(uid, self._path(process, shared=shared), inode, process, shared, restarts)
            elsewhere = True
        if elsewhere:
            raise NamespaceGone(f"the network of the pod with UID {uid} has no address {address} (any more)")
        raise NamespaceGone(f"no process of a pod with UID {uid} runs on this node")

    def again(self, network: PodNetwork) -> PodNetwork | None:
        """The same network, by a process of its pod that is in it now. None: there is none."""
        if self._is_in(network.process, network.inode):
            return network
        for process in self._processes(network.uid):
            if self._is_in(process, network.inode):
                return replace(network, path=self._path(process, shared=network.shared), process=process)
        return None

    def _leads(self, pid: str, inode: int) -> bool:
        try:
            return self._inode(pid) == inode
        except OSError:  # it ended, or a sandbox around the node hides its first process even from the node's root
            return False

    def _is_in(self, process: Process, inode: int) -> bool:
        try:
            return self._inode(str(process.pid)) == inode and self._start(process.pid) == process.started
        except OSError:  # it ended
            return False

    def _processes(self, uid: str) -> Iterator[Process]:
        """The pod's processes, from the last look at all processes, or from a new look if there were none in it."""
        processes = list(self._of(uid, self._look(LOOK_SECONDS)))
        yield from processes or self._of(uid, self._look(0.0))

    def _of(self, uid: str, cgroups: Mapping[int, str]) -> Iterator[Process]:
        for pid, lines in cgroups.items():
            # The number may be somebody else's by now, so what was seen before is only where to look again.
            if belongs(lines, uid) and belongs(self._cgroup(pid), uid):
                try:
                    yield Process(pid, self._start(pid))
                except OSError:  # it ended between two looks
                    continue

    def _look(self, oldest: float) -> Mapping[int, str]:
        """The cgroups of all processes, seen so many seconds ago at the most: many targets are armed at once."""
        with self._lock:
            if self._now() - self._looked >= oldest:
                self._looked = self._now()
                pids = [int(entry.name) for entry in self._proc.iterdir() if entry.name.isdigit()]
                self._cgroups = {pid: self._cgroup(pid) for pid in pids}
            return self._cgroups

    def _cgroup(self, pid: int) -> str:
        try:
            return (self._proc / str(pid) / "cgroup").read_text()
        except OSError:  # it ended between two looks
            return ""

    def _start(self, pid: int) -> int:
        return start_of((self._proc / str(pid) / "stat").read_text())

    def _inode(self, pid: str) -> int:
        return (self._proc / pid / "ns" / "net").stat().st_ino

    def _addresses(self, pid: int) -> set[IPv4Address | IPv6Address]:
        net = self._proc / str(pid) / "net"
        six = net / "if_inet6"  # not there when the node has no IPv6
        return own_addresses((net / "fib_trie").read_text(), six.read_text() if six.exists() else "")

    def _path(self, process: Process, *, shared: bool) -> Path:
        """The way in. That into the node's own network is its first process, which outlives all pods."""
        return self._proc / (_FIRST if shared else str(process.pid)) / "ns" / "net"
