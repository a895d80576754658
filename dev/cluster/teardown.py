"""Take the cluster down: undo what the ledger names, newest first, and nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from dev.cluster import cgroups, commands, errors, launch, mounts, network, paths
from dev.cluster.ledger import Entry, Kind, Ledger

DEATH_SECONDS = 30


def take_down(ledger: Ledger) -> None:
    """Remove everything that the ledger names, then the run folder with the ledger itself.

    May be repeated: what is gone already is no error. Raises LeftBehindError with all that could not be removed. The
    ledger stays then.
    """
    if not ledger.exists():
        return
    entries = ledger.entries()
    _end_processes(entries)
    problems = [problem for entry in reversed(entries) if (problem := _try_remove(entry)) is not None]
    if problems:
        raise errors.LeftBehindError("could not remove everything; run it again:\n" + "\n".join(problems))
    _remove_run_folder(ledger)


def sweep() -> None:
    """Remove what no ledger names, but only we make: cgroups whose cluster is gone, such as those of a lost ledger.

    What runs in them is not ended: nobody has written down what it is. Raises LeftBehindError with its process ids.
    """
    if left := cgroups.processes():
        raise errors.LeftBehindError(f"no ledger names these processes in the cluster's cgroups: {sorted(left)}")
    cgroups.remove()


def is_alive(entry: Entry) -> bool:
    """Whether this very process runs, not another one that got its id."""
    return launch.start_time(entry.pid) == entry.started


def _end_processes(entries: list[Entry]) -> None:
    for entry in entries:
        if entry.kind is Kind.PROCESS and is_alive(entry):
            _kill(entry.pid)
    if not any(entry.kind is Kind.CGROUP for entry in entries):
        return
    deadline = time.monotonic() + DEATH_SECONDS
    while left := cgroups.processes():
        if time.monotonic() > deadline:
            raise errors.LeftBehindError(f"processes in the cluster's cgroups do not end: {sorted(left)}")
        for pid in left:  # the cgroup is ours alone, so whatever is in it is ours: pods, and a start that was cut short
            _kill(pid)
        time.sleep(0.05)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # not our child: its own parent buries it
        os.waitpid(pid, os.WNOHANG)


def _try_remove(entry: Entry) -> str | None:
    try:
        _remove(entry)
    except (errors.ClusterError, OSError) as error:  # go on with the rest; the caller reports all of them
        return f"{entry.kind} {entry.name}: {error}"
    return None


def _remove(entry: Entry) -> None:
    remove = _REMOVERS.get(entry.kind)
    if remove is not None:
        remove(entry.name)


def _remove_cgroups(_name: str) -> None:
    cgroups.remove()


def _remove_namespace(name: str) -> None:
    path = network.NAMESPACES / name
    if mounts.is_mounted(path):
        commands.run(["umount", str(path)])
    path.unlink(missing_ok=True)  # without a mount when `ip netns add` was cut short


def _remove_link(name: str) -> None:
    if Path("/sys/class/net", name).exists():
        commands.run(["ip", "link", "delete", name])


def _remove_route(name: str) -> None:
    if commands.run(["ip", "route", "show", "exact", *_destination(name)]).strip():
        commands.run(["ip", "route", "delete", *name.split()])


def _remove_table(name: str) -> None:
    if commands.succeeds(["nft", "list", "table", *name.split()]):
        commands.run(["nft", "delete", "table", *name.split()])


def _unmount_if_unused(name: str) -> None:
    path = Path(name)
    if mounts.is_mounted(path) and not any(path.iterdir()):  # somebody else's namespaces may be in it by now
        commands.run(["umount", name])


def _remove_if_empty(name: str) -> None:
    path = Path(name)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()


_REMOVERS: dict[Kind, Callable[[str], None]] = {
    Kind.CGROUP: _remove_cgroups,
    Kind.NAMESPACE: _remove_namespace,
    Kind.LINK: _remove_link,
    Kind.ROUTE: _remove_route,
    Kind.TABLE: _remove_table,
    Kind.MOUNT: _unmount_if_unused,
    Kind.FOLDER: _remove_if_empty,
}
"""How each kind is removed. Processes come first, and all at once."""


def _destination(route: str) -> list[str]:
    words = route.split()
    return [words[1], "type", words[0]] if words[0] == "blackhole" else words[:1]


def _remove_run_folder(ledger: Ledger) -> None:
    folder = ledger.path.parent
    inside = [str(each) for each in mounts.targets() if each.is_relative_to(folder)]
    if inside:  # deleting through a mount would delete what is mounted
        raise errors.LeftBehindError(f"still mounted below {folder}: {', '.join(inside)}")
    for path in folder.iterdir():
        if path == ledger.path:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    ledger.path.unlink()
    if folder == paths.RUN:
        folder.rmdir()
