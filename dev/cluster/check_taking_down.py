"""Taking down leaves nothing behind, also after a supervisor that was killed with SIGKILL in the middle of a start.

Needs the machine's cluster for itself and takes it down, so pytest collects it only when asked by name:
``pytest dev/cluster/check_taking_down.py`` or ``make cluster-check``. MOMENTS says at how many random moments a start
is killed, SEED which ones.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.cluster import cgroups, ledger, lock, paths, snapshot, supervisor

pytestmark = pytest.mark.cluster

OURS = re.compile(
    r"/run/showstopper|/cluster-\w+/cluster (?!.*/showstopper-apiserver-)"
    r"|containerd|/pause\b|/coredns\b|/(launch|init)\.py|buildah|skopeo"
)
"""Command lines of the cluster, but not those of an API server alone, which a test beside this one may have."""
UP = [sys.executable, "-m", "dev.cluster", "up"]
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10_000))
_random = random.Random(SEED)
MOMENTS = [_random.random() for _ in range(int(os.environ.get("MOMENTS") or 3))]
"""Parts of the time that a whole start takes."""

FOREIGN = re.compile(r"/run/netns/(?!showstopper-)")
"""Mounts of network namespaces that a test beside this one makes."""


def machine() -> str:
    """The machine as it is, but for processes and network namespaces that have nothing to do with the cluster."""
    relevant: dict[str, Callable[[str], object]] = {
        "# processes": OURS.search,
        "# mounts": lambda line: not FOREIGN.search(line),
        "# network namespaces": lambda line: line.startswith("showstopper-"),
    }
    kept: list[str] = []
    is_relevant: Callable[[str], object] = bool
    for line in filter(None, snapshot.take().splitlines()):
        if line.startswith("# "):
            is_relevant = relevant.get(line, bool)
            kept.append(line)
        elif is_relevant(line):
            kept.append(line)
    return "\n".join(kept)


@dataclass(frozen=True, slots=True)
class Start:
    """A whole start on this machine: how long it took, and how many entries its ledger had at the end."""

    seconds: float
    entries: int


@pytest.fixture(scope="module")
def whole_start() -> Start:
    """A start that is not killed."""
    supervisor.down()
    began = time.monotonic()
    subprocess.run(UP, cwd=paths.PROJECT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, entries = time.monotonic() - began, lines(ledger.Ledger().path)
    supervisor.down()
    return Start(seconds, entries)


@pytest.fixture
def before() -> Iterator[str]:
    """The machine without the cluster."""
    supervisor.down()
    yield machine()
    supervisor.down()


def test_up_and_down_leave_the_machine_as_it_was(before: str) -> None:
    for _ in range(2):
        supervisor.up()
        assert supervisor.health().whole
        assert machine() != before
        supervisor.down()
        assert machine() == before
        assert not paths.RUN.exists()


@pytest.mark.parametrize("recorded", [1, 5, 8, 13, 14, 16, 19, 20], ids=lambda number: f"entry{number}")
def test_a_start_that_is_killed_leaves_nothing_that_down_does_not_remove(
    whole_start: Start, before: str, recorded: int
) -> None:
    killed_at(min(recorded, whole_start.entries))
    supervisor.down()
    assert machine() == before
    assert not paths.RUN.exists()


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"seed{SEED}-{moment:.4f}")
def test_a_start_that_is_killed_at_any_moment_leaves_nothing(whole_start: Start, before: str, moment: float) -> None:
    with subprocess.Popen(UP, cwd=paths.PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as starting:
        time.sleep(moment * whole_start.seconds)  # no state is waited for: the moment itself is what is tried
        starting.send_signal(signal.SIGKILL)
    supervisor.down()
    assert machine() == before
    assert not paths.RUN.exists()


@pytest.mark.parametrize("tree", cgroups.trees(), ids=str)
def test_what_an_earlier_cluster_left_in_any_cgroup_tree_is_seen_and_removed(before: str, tree: Path) -> None:
    (tree / cgroups.ROOT / "node1" / "kubepods" / "pod1").mkdir(parents=True)
    assert machine() != before
    supervisor.down()
    assert machine() == before


@pytest.mark.usefixtures("before")
def test_a_start_after_a_killed_one_makes_a_whole_cluster() -> None:
    killed_at(14)
    supervisor.up()
    assert supervisor.health().whole


def killed_at(recorded: int) -> None:
    """Start a supervisor and kill it as soon as its ledger has so many entries."""
    book = ledger.Ledger()
    with subprocess.Popen(UP, cwd=paths.PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as starting:
        while lines(book.path) < recorded:
            assert starting.poll() is None, "it ended before it could be killed"
            time.sleep(0.0005)
        starting.send_signal(signal.SIGKILL)
    with lock.held():  # free at once, for its holder is dead
        assert lines(book.path) >= recorded


def lines(file: Path) -> int:
    """How many lines a file has. None when it is not there."""
    return len(file.read_text().splitlines()) if file.exists() else 0
