"""Cgroups of one container: their paths by /proc/PID/cgroup, and their folders in the node's trees, version 1 or 2.

A container's processes are known by their pod's UID *and* the container's id, one below the other in the path:

    cgroupfs  .../podUID/CONTAINER
    systemd   .../kubepods-besteffort-podU_I_D.slice/cri-containerd-CONTAINER.scope
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from showstopper.agent.kernel import guests
from showstopper.agent.pods import pod_names
from showstopper.errors import EffectRefused

ROOT = Path("/sys/fs/cgroup")
FREEZER, CPU_TIME, UNIFIED = "freezer", "cpuacct", ""
"""Controllers of version 1 as /proc/PID/cgroup names them. Version 2 has one tree, without a name."""

_SCOPES = "(?:(?:cri-containerd|crio|docker)-)?{}(?:\\.scope)?"
"""Beside it there may be others of that container that are not its own, such as `crio-conmon-CONTAINER.scope`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a container's processes are in the trees of its node.

    Attributes:
        root: where the node's cgroup trees are mounted.
        paths: of the container, by controller.
        pid: one of its processes, as this process and the trees number it.
    """

    root: Path
    paths: dict[str, PurePosixPath]
    pid: int

    def folder(self, controller: str) -> Path:
        """The folder of the container's cgroup in which that controller has its files.

        Raises:
            EffectRefused: there is none.
        """
        if controller in self.paths:
            return _folder(self.root / controller, self.paths[controller], self.pid)
        if UNIFIED in self.paths:
            return unified(self.root, self.paths[UNIFIED], self.pid)
        raise EffectRefused(f"process {self.pid} has no cgroup for {controller}: neither version 1's nor version 2")


def paths(lines: str, uid: str, container: str) -> dict[str, PurePosixPath]:
    """The paths of a container's cgroups by controller, from a process's /proc/PID/cgroup. Empty: not in it.

    What the container has made below its own cgroup is left out, and who is there as a guest is not in it. Seen from
    inside a cgroup namespace, paths may begin with some `/..`.
    """
    if container not in lines:
        return {}
    pod, own = pod_names(uid), re.compile(_SCOPES.format(re.escape(container)))
    by_controller: dict[str, PurePosixPath] = {}
    for line in lines.splitlines():
        _, controllers, path = line.split(":", 2)
        parts = PurePosixPath(path).parts
        ends = (
            end for end in range(2, len(parts) + 1) if pod.fullmatch(parts[end - 2]) and own.fullmatch(parts[end - 1])
        )
        if (end := next(ends, None)) is not None and not guests.are_in(parts[end:]):
            by_controller |= dict.fromkeys(controllers.split(","), PurePosixPath(*parts[:end]))
    return by_controller


def unified(root: Path, path: PurePosixPath, pid: int) -> Path:
    """The folder in version 2's tree, which may be mounted beside those of version 1.

    Raises:
        EffectRefused: it is not there.
    """
    return _folder(root if (root / "cgroup.controllers").exists() else root / "unified", path, pid)


def cpu_microseconds(folder: Path) -> int:
    """The CPU time that has passed for all processes that are or were in a cgroup and below it.

    Raises:
        OSError: the cgroup is gone.
    """
    usage = folder / "cpuacct.usage"  # version 1, in nanoseconds
    if usage.exists():
        return int(usage.read_text()) // 1000
    figures = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
    return int(figures["usage_usec"])


def _folder(tree: Path, path: PurePosixPath, pid: int) -> Path:
    """The folder of that path which holds the process: that, and no path alone, says that it is the right one."""
    parts = [part for part in path.parts if part not in {"/", ".."}]
    candidates = [tree.joinpath(*parts)]
    if ".." in path.parts:  # seen from inside a cgroup namespace: who is above is not told
        candidates += (above.joinpath(*parts) for above in guests.with_all_below(tree))
    for folder in candidates:
        if any(pid in guests.processes(each) for each in guests.with_all_below(folder)):
            return folder
    raise EffectRefused(f"{tree} has no cgroup {'/'.join(parts)} with process {pid}: is the node's tree mounted there?")
