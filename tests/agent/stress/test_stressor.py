"""A stressor as a process: what it says, and every way in which it ends. Its children are in no cgroup of their own."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from showstopper.agent.stress.order import Order
from showstopper.agent.stress.stressor import Stressor
from showstopper.errors import EffectRefused
from tests.agent.hits.acting import PATIENCE, until

LEASE = 1.5


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A folder like a cgroup of version 2, in which a process lives."""
    folder = tmp_path / "container"
    folder.mkdir()
    (folder / "cgroup.procs").write_text("7\n")
    (folder / "memory.current").write_text("0\n")
    (folder / "memory.stat").write_text("anon 0\ninactive_file 0\n")
    (folder / "memory.events").write_text("oom 0\noom_kill 0\n")
    return folder


@pytest.fixture
def order(container: Path) -> Order:
    """Two workers, for a short lease."""
    return Order(until=time.monotonic() + LEASE, container=str(container), guests=(), workers=2, share=0.1)


@pytest.fixture
def started(order: Order) -> Iterator[Stressor]:
    stressor = Stressor(order)
    yield stressor
    stressor.end()


def children(stressor: Stressor) -> list[int]:
    """By all processes: not every kernel has a list of one's children."""
    return [
        pid
        for pid in (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
        if parent(pid) == stressor.pid
    ]


def parent(pid: int) -> int:
    """Of a process that lives; 0: it does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, parent_pid = stat.rpartition(")")[2].split()[:2]
    return 0 if state == "Z" else int(parent_pid)


def lives(pid: int) -> bool:
    return parent(pid) != 0


def all_gone(pids: list[int]) -> bool:
    return not any(map(lives, pids))


def test_an_order_is_read_as_it_was_written() -> None:
    order = Order(until=5.25, container="/c", guests=("/c/a", "/c/b"), workers=3, share=0.5, size=None, goal=7)
    assert Order.load(order.dump()) == order


def test_the_kernel_ends_it_with_its_lease_and_its_children_with_it(started: Stressor, order: Order) -> None:
    pids = children(started)
    assert len(pids) == 2
    until(lambda: started.ended, "it ends by itself")
    assert time.monotonic() >= order.until
    assert started.problem == f"the stressor was ended: exit status {-signal.SIGALRM}"
    until(lambda: all_gone(pids), "its children are gone")


def test_a_renewal_keeps_it(started: Stressor, order: Order) -> None:
    started.renew(order.until + 60)
    while time.monotonic() < order.until + 0.3:
        assert not started.ended
        time.sleep(0.05)
    assert len(children(started)) == 2


def test_it_ends_when_nobody_holds_its_input_as_when_the_agent_dies(started: Stressor) -> None:
    pids = children(started)
    started.end()
    until(lambda: all_gone(pids), "its children are gone")
    assert started.ended
    assert started.problem is None
    started.end()


def test_one_that_hangs_is_ended_all_the_same(started: Stressor) -> None:
    pids = children(started)
    os.kill(started.pid, signal.SIGSTOP)
    started.end()
    until(lambda: all_gone(pids), "its children are gone")


def test_one_that_is_killed_takes_its_children_with_it(started: Stressor) -> None:
    pids = children(started)
    os.kill(started.pid, signal.SIGKILL)
    until(lambda: all_gone(pids), "its children are gone")


def test_it_ends_with_its_container(started: Stressor, container: Path) -> None:
    (container / "cgroup.procs").write_text("")
    until(lambda: started.ended, "it ends")
    assert started.problem is None


def test_it_says_so_when_a_worker_was_ended(started: Stressor) -> None:
    os.kill(children(started)[0], signal.SIGKILL)
    until(lambda: started.ended, "it ends")
    assert started.problem == "a busy worker was ended by somebody else"


def test_nobody_begins_without_a_lease(order: Order) -> None:
    with pytest.raises(EffectRefused, match="its lease has run out"):
        Stressor(replace(order, until=time.monotonic() - 1))


def test_nobody_begins_where_nobody_may_be_moved(order: Order, tmp_path: Path) -> None:
    with pytest.raises(EffectRefused, match="No such file"):
        Stressor(replace(order, guests=(str(tmp_path / "gone"),)))


def test_memory_is_taken_and_free_again_at_its_end(order: Order) -> None:
    stressor = Stressor(replace(order, until=time.monotonic() + PATIENCE, workers=0, size=40 << 20))
    try:
        until(lambda: stressor.figures.get("taken") == 40 << 20, "all of it is taken")
        until(lambda: stressor.figures.get("held", 0) > 0, "its time is counted")
        assert dict(stressor.figures) | {"held": 0} == {
            "taken": 40 << 20,
            "most": 40 << 20,
            "kills": 0,
            "lost": 0,
            "held": 0,
        }
        assert not children(stressor), "who took it has ended"
    finally:
        stressor.end()


def test_it_stays_small(started: Stressor) -> None:
    status = Path(f"/proc/{started.pid}/status").read_text()
    (kilobytes,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert kilobytes < 20 * 1024


def test_its_last_words_tell_whom_the_kernel_killed(order: Order, container: Path) -> None:
    stressor = Stressor(replace(order, until=time.monotonic() + PATIENCE, workers=0))
    try:
        (container / "memory.events").write_text("oom 1\noom_kill 1\n")
        (container / "cgroup.procs").write_text("")
        stressor.settle()
        assert stressor.ended
        assert stressor.problem is None
        assert stressor.figures["kills"] == 1
    finally:
        stressor.end()
