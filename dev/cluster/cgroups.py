"""The cluster's cgroups, in version 1 (a tree per controller) and version 2 (one tree)."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from dev.cluster import errors

ROOT = "showstopper"
"""Our cgroup, directly below the root of each tree. Below it: a cgroup a node for pods, and one for its daemons."""

EMPTY_SECONDS = 20
_CPUSET_FILES = ("cpuset.cpus", "cpuset.mems")
_WEIGHTS = {"cpu.shares": 1024, "cpu.weight": 100}
"""The weight of a cgroup that nobody has weighed, in version 1 and version 2."""


def trees(mounts: str | None = None) -> list[Path]:
    """The roots of all cgroup trees, from the text of /proc/mounts.

    With version 1 that is also the version 2 tree beside it ("hybrid"), though the kubelet does not know it: runc puts
    each container into it too, below the same name, and nobody removes what is empty there when a pod goes.
    """
    lines = (mounts if mounts is not None else Path("/proc/mounts").read_text()).splitlines()
    mounted = [(fields[2], Path(fields[1])) for fields in (line.split() for line in lines)]
    first = [path for kind, path in mounted if kind == "cgroup"]
    second = [path for kind, path in mounted if kind == "cgroup2"]
    return [*first, *second]


def paths(name: str) -> list[Path]:
    """The folders of the cgroup `name` (relative to ours) in all trees."""
    return [tree / ROOT / name for tree in trees()]


def make(name: str) -> None:
    """Make the cgroup `name` below ours, fit to hold processes: cpusets filled, controllers handed down."""
    for tree in trees():
        folder = tree
        for part in (ROOT, *Path(name).parts):
            _hand_down(folder)
            folder /= part
            folder.mkdir(exist_ok=True)
            _fill_cpuset(folder)


def make_parent(name: str) -> None:
    """Make the cgroup `name` for others to make cgroups in: no process of ours may be put into it."""
    make(name)
    for folder in paths(name):
        _hand_down(folder)


def prefer(name: str, times: int) -> None:
    """Give the cgroup `name` so many times the processor time of a sibling, when there is too little for all."""
    for folder in paths(name):
        for file, weight in _WEIGHTS.items():
            if (folder / file).exists():
                (folder / file).write_text(str(weight * times))


def processes() -> set[int]:
    """The ids of all processes in our cgroups, as this process sees them."""
    return {pid for folder in folders() for pid in processes_in(folder)} - {0}


def processes_in(folder: Path) -> list[int]:
    """The ids of the processes in a cgroup, but not in those below it. None when it, or its type, went meanwhile."""
    with contextlib.suppress(OSError):
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
    return []


def folders() -> Iterator[Path]:
    """All of our cgroups in all trees, parents first."""
    return (folder for tree in trees() for folder in with_all_below(tree / ROOT))


def with_all_below(folder: Path) -> Iterator[Path]:
    """A cgroup and those below it, parents first. What goes while they are read is left out (`Path.rglob` raises)."""
    return (Path(path) for path, _, _ in os.walk(folder))


def remove() -> None:
    """Remove our cgroups. Raises LeftBehindError when the kernel does not let go of one."""
    deadline = time.monotonic() + EMPTY_SECONDS
    for tree in trees():
        while (tree / ROOT).exists():
            last = _remove_tree(reversed([*with_all_below(tree / ROOT)]))
            if last is not None and time.monotonic() > deadline:
                raise errors.LeftBehindError(f"cannot remove the cgroup {tree / ROOT}: {last}")
            time.sleep(0 if last is None else 0.05)


def _remove_tree(folders: Iterable[Path]) -> OSError | None:
    last: OSError | None = None
    for folder in folders:
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:  # busy: its last process is still being buried, or a child could not go either
            last = error
    return last


def _fill_cpuset(folder: Path) -> None:
    for name in _CPUSET_FILES:  # version 1 makes them empty, and an empty cpuset takes no process
        file = folder / name
        if (folder.parent / name).exists() and file.exists() and not file.read_text().strip():
            file.write_text((folder.parent / name).read_text())


def _hand_down(folder: Path) -> None:
    available = folder / "cgroup.controllers"
    if not available.exists():
        return  # version 1
    for controller in available.read_text().split():
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError as error:
            if error.errno not in {errno.EBUSY, errno.ENOTSUP, errno.EINVAL}:
                raise
            raise errors.ConflictError(
                f"cgroup {folder} cannot hand {controller} down ({error.strerror}): it holds processes itself;"
                " run in a cgroup root of its own (on a machine, not in a container)"
            ) from error
