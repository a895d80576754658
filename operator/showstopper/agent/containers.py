"""Containers of this node: their processes, and what can be done to them, without asking a container runtime."""

import os
import signal
from pathlib import Path, PurePosixPath

from showstopper.agent.kernel import cgroups
from showstopper.agent.kernel.cgroups import Place
from showstopper.agent.pods import PROC, Process, start_of
from showstopper.errors import AgentError, ContainerGone, KernelRefused

# Whatever forks while it is being hit is hit too, within reason.
_ROUNDS = 5
_ENDED = {"Z", "X"}
"""proc(5): a zombie waits for nobody but its parent, who may never ask."""


class Containers:
    """The containers, by the node's /proc and its cgroup trees.

    Args:
        proc: with the node's process ids.
        root: where the node's cgroup trees are mounted, writable.
    """

    def __init__(self, root: Path = cgroups.ROOT, proc: Path = PROC) -> None:
        self._root, self._proc = root, proc

    def processes(self, uid: str, container: str) -> list[Process]:
        """All that live in a container of the pod, by number."""
        pids = sorted(int(entry.name) for entry in self._proc.iterdir() if entry.name.isdigit())
        processes = [
            Process(pid, start) for pid in pids if self._paths(pid, uid, container) and (start := self._start(pid))
        ]
        return [process for process in processes if not self.ended(process)]

    def place(self, uid: str, container: str) -> tuple[Place, int]:
        """Where its cgroups are, and how many processes live there.

        Raises:
            ContainerGone: no process of it runs here.
        """
        processes = self._some(uid, container)
        pid = processes[0].pid
        return Place(self._root, self._paths(pid, uid, container), pid), len(processes)

    def send(self, uid: str, container: str, number: signal.Signals) -> tuple[str, list[Process]]:
        """Send a signal to every process of the container. Returns by what means, and the processes.

        Raises:
            ContainerGone: no process of it runs here.
            KernelRefused: it may not be sent to one of them.
        """
        method, hit = "signals", dict.fromkeys(self._some(uid, container))
        if number is signal.SIGKILL and self._kill_at_once(uid, container, next(iter(hit))):
            return "cgroup.kill", list(hit)
        fresh = list(hit)
        for _ in range(_ROUNDS):
            for process in fresh:
                self._send(process, uid, container, number)
            fresh = [process for process in self.processes(uid, container) if process not in hit]
            hit |= dict.fromkeys(fresh)
        return method, list(hit)

    def ended(self, process: Process) -> bool:
        """Whether a process has ended."""
        try:
            stat = (self._proc / str(process.pid) / "stat").read_text()
        except OSError:
            return True
        return start_of(stat) != process.started or stat.rpartition(")")[2].split()[0] in _ENDED

    def _some(self, uid: str, container: str) -> list[Process]:
        if not (processes := self.processes(uid, container)):
            raise ContainerGone(f"no process of container {container[:12]} of the pod with UID {uid} runs on this node")
        return processes

    def _paths(self, pid: int, uid: str, container: str) -> dict[str, PurePosixPath]:
        try:
            return cgroups.paths((self._proc / str(pid) / "cgroup").read_text(), uid, container)
        except OSError:  # it ended between two looks
            return {}

    def _start(self, pid: int) -> int:
        try:
            return start_of((self._proc / str(pid) / "stat").read_text())
        except OSError:  # as above
            return 0

    def _kill_at_once(self, uid: str, container: str, process: Process) -> bool:
        """Kill by version 2's cgroup.kill (Linux 5.14): nothing can fork away from it. Returns whether it exists."""
        path = self._paths(process.pid, uid, container).get(cgroups.UNIFIED)
        if path is None:
            return False
        try:
            switch = cgroups.unified(self._root, path, process.pid) / "cgroup.kill"
            if not switch.exists():
                return False
            switch.write_text("1")
        except (AgentError, OSError):  # not mounted, or not to be written: one by one then
            return False
        return True

    def _send(self, process: Process, uid: str, container: str, number: signal.Signals) -> None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return
        try:
            # The descriptor is of whoever has the number now; only then it is looked whether that is still the one.
            if self._start(process.pid) == process.started and self._paths(process.pid, uid, container):
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return
        except OSError as error:
            raise KernelRefused(
                f"{number.name} to process {process.pid}: {error.strerror}", code=error.errno or 0
            ) from error
        finally:
            os.close(descriptor)
