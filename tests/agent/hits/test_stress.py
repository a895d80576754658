"""Stress on real processes in real cgroups: what it takes, whom it costs, and how it ends."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.agent.hits import memory_stress
from showstopper.agent.hits.change import ChangeHit
from showstopper.agent.hits.container_kill import KillHit
from showstopper.agent.hits.cpu_stress import CpuStressHit
from showstopper.agent.hits.memory_stress import MemoryStressHit
from showstopper.agent.kernel.guests import PREFIX, processes
from showstopper.api.faults.process import ContainerKill, CpuStress, MemoryStress, ProcessFigures
from showstopper.api.injection import TargetState
from tests.agent.conftest import Note
from tests.agent.container import Container, container, trees
from tests.agent.hits.acting import access, held, nobody_left, renewed, soon, struck, target, until, watchdog

pytestmark = [pytest.mark.netns, pytest.mark.alone]

MIB = 1 << 20
LIMIT = 96 * MIB

VERSIONS = [version for version in (1, 2) if trees(version)]
needs_version_1 = pytest.mark.skipif(not trees(1), reason="no cgroups of version 1")


@pytest.fixture(params=VERSIONS, ids="v{}".format)
def victim(request: pytest.FixtureRequest) -> Iterator[Container]:
    """A container with two busy processes."""
    with container(request.param) as made:
        yield made
        assert not guests(made)


@pytest.fixture
def limited() -> Iterator[Container]:
    """A container of version 1 with two busy processes and a memory limit."""
    with container(1) as made:
        file(made, "memory.limit_in_bytes").write_text(str(LIMIT))
        yield made
        assert not guests(made)


@pytest.fixture
def changes(tmp_path: Path) -> Changes:
    """Where is written down what is changed; a watchdog was there a moment ago."""
    made = Changes(tmp_path)
    made.beat()
    return made


def file(of: Container, name: str) -> Path:
    return next(each for folder in of.folders if (each := folder / name).exists())


def guests(of: Container) -> set[int]:
    """Processes of ours below the container's cgroups, and -1 for each cgroup."""
    folders = [each for folder in of.folders for each in folder.glob(f"{PREFIX}*")]
    return {pid for folder in folders for pid in processes(folder)} | ({-1} if folders else set())


def state_of(hit: ChangeHit[Any]) -> TargetState:
    return hit.record.state


def cpu_hit(of: Container, changes: Changes, **fault: object) -> CpuStressHit:
    return CpuStressHit(CpuStress.model_validate(fault), target(of), "cpu.u.0", access(changes))


def memory_hit(of: Container, changes: Changes, **fault: object) -> MemoryStressHit:
    return MemoryStressHit(MemoryStress.model_validate(fault), target(of), "memory.u.0", access(changes))


def figures(hit: ChangeHit[Any]) -> ProcessFigures:
    assert hit.record.processes is not None
    return hit.record.processes


def proven(hit: ChangeHit[Any]) -> Callable[[], bool]:
    """Looked at until it is."""

    def look() -> bool:
        hit.look()
        assert state_of(hit) is TargetState.ARMED, hit.record
        return hit.record.proven

    return look


def test_workers_compete_with_the_container_are_none_of_it_and_leave_nothing(
    victim: Container, changes: Changes, note: Note
) -> None:
    own = victim.pids
    hit = cpu_hit(victim, changes, workers=2)
    hit.arm(soon())
    assert state_of(hit) is TargetState.ARMED, hit.record
    assert len(guests(victim) - {-1}) == 2
    assert victim.pids == own
    assert {process.pid for process in Containers().processes(victim.uid, victim.id)} == own
    until(proven(hit), "it is proven")
    hit.lift()
    assert state_of(hit) is TargetState.LIFTED
    assert hit.record.message is None
    seen = figures(hit)
    note("took", f"{seen.stress_cpu_microseconds} us, and its own {seen.cpu_microseconds} us")
    assert (seen.processes, seen.stress_workers) == (2, 2)
    assert (seen.stress_cpu_microseconds or 0) > 0
    assert (seen.cpu_microseconds or 0) > 0
    assert not guests(victim)
    assert not list(changes.all())
    assert victim.runs()


@needs_version_1
def test_workers_are_held_to_the_container_s_quota_together_with_it(limited: Container, changes: Changes) -> None:
    file(limited, "cpu.cfs_quota_us").write_text("20000")  # a fifth of a core for two processes and two workers
    hit = cpu_hit(limited, changes, workers=2)
    hit.arm(soon())
    until(proven(hit), "it is proven")
    before, began = figures(hit), time.monotonic()
    time.sleep(2)  # the stretch that is measured
    hit.look()
    seen, lasted = figures(hit), time.monotonic() - began
    ours = ((seen.stress_cpu_microseconds or 0) - (before.stress_cpu_microseconds or 0)) / 1e6 / lasted
    theirs = ((seen.cpu_microseconds or 0) - (before.cpu_microseconds or 0)) / 1e6 / lasted
    assert ours + theirs <= 0.25
    assert 0.2 <= ours / (ours + theirs) <= 0.8, "two workers weigh as much as two processes"
    assert (seen.throttled_periods or 0) > 0
    hit.lift()


def test_a_load_is_a_share_of_the_time(victim: Container, changes: Changes) -> None:
    hit = cpu_hit(victim, changes, workers=1, load="20%")
    hit.arm(soon())
    before, began = figures_now(hit), time.monotonic()
    time.sleep(2)  # the stretch that is measured
    cores = (figures_now(hit) - before) / 1e6 / (time.monotonic() - began)
    hit.lift()
    assert 0.02 <= cores <= 0.22


def figures_now(hit: CpuStressHit) -> int:
    hit.look()
    return figures(hit).stress_cpu_microseconds or 0


def test_more_workers_than_the_node_has_cpus_are_refused(
    victim: Container, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    hit = cpu_hit(victim, changes, workers=3)
    hit.arm(soon())
    assert state_of(hit) is TargetState.REFUSED
    assert "has 2 CPUs, and 3 workers would wait for each other: write workers: 2 or fewer" in (
        hit.record.message or ""
    )
    assert not list(changes.all())


def test_two_of_a_kind_are_refused_and_the_first_goes_on(victim: Container, changes: Changes) -> None:
    first = cpu_hit(victim, changes)
    second = CpuStressHit(CpuStress(), target(victim), "cpu.u.1", access(changes))
    first.arm(soon())
    second.arm(soon())
    assert state_of(second) is TargetState.REFUSED
    assert "changed already, by cpu.u.0" in (second.record.message or "")
    until(proven(first), "it is proven")
    first.lift()


def test_signals_to_the_container_do_not_reach_workers_and_its_end_ends_them(
    victim: Container, changes: Changes
) -> None:
    hit = cpu_hit(victim, changes)
    hit.arm(soon())
    kill = KillHit(ContainerKill(), target(victim), "kill.u.0", access(changes))
    kill.arm(soon())
    until(lambda: kill.record.proven or kill.look(), "the container's processes are gone")
    assert kill.record.processes is not None
    assert kill.record.processes.processes == 2
    until(lambda: hit.look() or state_of(hit) is TargetState.GONE, "it is over")
    assert "is gone" in (hit.record.message or "")
    assert not guests(victim)
    assert not list(changes.all())


def test_a_worker_that_somebody_ends_ends_it_and_that_is_told(victim: Container, changes: Changes) -> None:
    hit = cpu_hit(victim, changes)
    hit.arm(soon())
    os.kill(max(guests(victim)), signal.SIGKILL)
    until(lambda: hit.look() or state_of(hit) is not TargetState.ARMED, "it is over")
    assert state_of(hit) is TargetState.LIFTED
    assert hit.record.message == "a busy worker was ended by somebody else"


@needs_version_1
def test_memory_is_kept_at_a_share_of_the_limit(limited: Container, changes: Changes, note: Note) -> None:
    hit = memory_hit(limited, changes, percent="80%")
    hit.arm(soon())
    assert state_of(hit) is TargetState.ARMED, hit.record
    until(proven(hit), "it is proven")
    usage = int(file(limited, "memory.usage_in_bytes").read_text())
    note("in use", f"{usage / LIMIT:.1%} of the limit")
    assert 0.75 * LIMIT <= usage <= 0.9 * LIMIT
    seen = figures(hit)
    assert (seen.processes, seen.oom_kills, seen.memory_limit_bytes) == (2, 0, LIMIT)
    until(lambda: hit.look() or (figures(hit).held_milliseconds or 0) > 500, "time with it is counted")
    hit.lift()
    assert state_of(hit) is TargetState.LIFTED
    assert int(file(limited, "memory.usage_in_bytes").read_text()) < 0.5 * LIMIT
    assert len(limited.pids) == 2


@needs_version_1
def test_a_size_is_taken_beside_what_the_container_uses(limited: Container, changes: Changes) -> None:
    hit = memory_hit(limited, changes, size="24Mi")
    hit.arm(soon())
    until(proven(hit), "it is proven")
    assert figures(hit).stress_bytes == 24 * MIB
    hit.lift()


@needs_version_1
def test_over_the_limit_the_kernel_ends_a_process_of_the_container_and_all_is_let_go(
    limited: Container, changes: Changes, note: Note
) -> None:
    limited.start("growing")
    hit = memory_hit(limited, changes, overLimit=True)
    hit.arm(soon())
    assert state_of(hit) is TargetState.ARMED, hit.record
    until(proven(hit), "a process of the container is killed")
    seen = figures(hit)
    note("killed", f"{seen.oom_kills} of the container's, {seen.stress_oom_kills} of ours")
    assert (seen.oom_kills or 0) >= 1
    assert (seen.stress_bytes or 0) > 0.3 * LIMIT
    until(lambda: int(file(limited, "memory.usage_in_bytes").read_text()) < 0.9 * LIMIT, "nothing is held any more")
    hit.look()
    assert state_of(hit) is TargetState.ARMED, "it has done what it was to do"
    hit.lift()
    assert state_of(hit) is TargetState.LIFTED
    assert hit.record.proven


@needs_version_1
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"size": "96Mi"}, "more is over its limit: write less, or overLimit: true"),
        ({"percent": "1%"}, "write a higher percent"),
    ],
)
def test_what_does_not_fit_below_the_limit_is_refused(
    limited: Container, changes: Changes, fault: dict[str, object], words: str
) -> None:
    hit = memory_hit(limited, changes, **fault)
    hit.arm(soon())
    assert state_of(hit) is TargetState.REFUSED
    assert words in (hit.record.message or "")


@needs_version_1
def test_a_share_of_no_limit_is_refused(changes: Changes) -> None:
    with container(1) as unlimited:
        hit = memory_hit(unlimited, changes, percent="80%")
        hit.arm(soon())
        assert state_of(hit) is TargetState.REFUSED
        assert "has no memory limit: write size instead" in (hit.record.message or "")


@needs_version_1
def test_more_than_the_node_has_is_refused(
    limited: Container, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_stress, "available", lambda: (120 * MIB, 1000 * MIB))
    hit = memory_hit(limited, changes, size="50Mi")
    hit.arm(soon())
    assert state_of(hit) is TargetState.REFUSED
    assert "has 20 MiB to give" in (hit.record.message or "")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
def test_without_its_agent_it_ends_with_the_lease_at_the_latest(
    victim: Container, tmp_path: Path, blow: signal.Signals, note: Note
) -> None:
    with watchdog(tmp_path), held(tmp_path, victim, '{"cpuStress": {"workers": 1}}') as agent:
        ends = renewed(agent)
        assert len(guests(victim) - {-1}) == 1
        ends += struck(agent, blow)
        until(lambda: not guests(victim) - {-1}, "no worker is left")
        note("ended", f"{(time.monotonic() - ends[-1]) * 1000:+.1f} ms after the lease")
        until(lambda: not guests(victim), "the watchdog has removed its cgroup")
    assert Changes(tmp_path).sweep() == []


def test_both_gone_the_next_life_of_the_agent_removes_what_is_left(victim: Container, tmp_path: Path) -> None:
    with watchdog(tmp_path) as dog, held(tmp_path, victim, '{"cpuStress": {}}') as agent:
        nobody_left(dog, agent)
        until(lambda: guests(victim) == {-1}, "the workers end without anybody")
    (swept,) = set(Changes(tmp_path).sweep())
    assert PREFIX in swept
    assert not guests(victim)
    assert Changes(tmp_path).sweep() == []
