"""Faults of processes on real processes in real cgroups of both versions: what they do, and how they end."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from showstopper.agent.changes import Changes
from showstopper.agent.hits.container_kill import KillHit
from showstopper.agent.hits.freeze import FreezeHit
from showstopper.agent.kernel.cgroups import CPU_TIME, Place, cpu_microseconds
from showstopper.api.faults.process import ContainerKill, Freeze, Signal
from showstopper.api.injection import TargetState
from tests.agent.conftest import Note
from tests.agent.container import UID, Container, container, trees
from tests.agent.hits.acting import (
    LEASE,
    PATIENCE,
    access,
    held,
    nobody_left,
    renewed,
    soon,
    struck,
    target,
    until,
    watchdog,
)

pytestmark = pytest.mark.netns

OTHER = "ab" * 32
VERSIONS = [version for version in (1, 2) if trees(version)]
assert VERSIONS, "this machine has cgroups of neither version"


@pytest.fixture(params=VERSIONS, ids="v{}".format)
def victim(request: pytest.FixtureRequest) -> Iterator[Container]:
    """A container with two processes."""
    with container(request.param) as made:
        yield made


@pytest.fixture
def changes(tmp_path: Path) -> Changes:
    """Where is written down what is changed; a watchdog was there a moment ago."""
    made = Changes(tmp_path)
    made.beat()
    return made


def freeze_hit(of: Container, changes: Changes, **other: str) -> FreezeHit:
    return FreezeHit(Freeze(), target(of, **other), "freeze.u.0", access(changes))


def kill(of: Container, changes: Changes, *, number: Signal = Signal.SIGKILL, **other: str) -> KillHit:
    return KillHit(ContainerKill(signal=number), target(of, **other), "kill.u.0", access(changes))


def state(hit: FreezeHit | KillHit) -> TargetState:
    return hit.record.state


def test_a_frozen_container_stands_still_is_proven_and_goes_on(victim: Container, changes: Changes) -> None:
    hit = freeze_hit(victim, changes)
    hit.arm(soon())
    assert state(hit) is TargetState.ARMED, hit.record
    assert victim.frozen
    assert hit.method == {1: "freezer v1", 2: "cgroup.freeze"}[victim.version]
    before = victim.cpu
    until(hit.look, "it is proven")
    assert hit.record.proven
    assert victim.cpu == before
    hit.refresh(soon())
    assert not hit.look(), "proven once"
    hit.lift()
    assert state(hit) is TargetState.LIFTED
    assert hit.record.processes is not None
    assert hit.record.processes.processes == 2
    assert hit.record.processes.cpu_microseconds == 0
    assert (hit.record.processes.frozen_milliseconds or 0) > 0
    assert not victim.frozen
    assert victim.runs()
    assert not list(changes.all())


def test_what_is_below_its_cgroup_is_frozen_too(victim: Container, changes: Changes) -> None:
    below = victim.folders[0] / "below"
    below.mkdir()
    pid = max(victim.pids)
    (below / "cgroup.procs").write_text(str(pid))
    try:
        hit = freeze_hit(victim, changes)
        hit.arm(soon())
        until(hit.look, "it is proven")
        hit.lift()
        assert hit.record.processes is not None
        assert hit.record.processes.processes == 2
    finally:
        (victim.folders[0] / "cgroup.procs").write_text(str(pid))
        below.rmdir()


def test_a_freeze_under_which_cpu_time_passes_is_not_proven(
    victim: Container, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the freezer did nothing: the CPU time is that of a container which is not frozen."""
    with container(victim.version, identity=OTHER) as other:
        hit = freeze_hit(victim, changes)
        real = Place.folder

        def folder(self: Place, controller: str) -> Path:
            return other.folders[-1] if controller == CPU_TIME else real(self, controller)

        monkeypatch.setattr(Place, "folder", folder)
        hit.arm(soon())
        before = cpu_microseconds(other.folders[-1])
        until(lambda: hit.look() or cpu_microseconds(other.folders[-1]) - before > 100_000, "CPU time passes")
        hit.lift()
        assert not hit.record.proven
        assert hit.record.processes is not None
        assert (hit.record.processes.cpu_microseconds or 0) > 0


def test_who_thaws_it_ends_it_and_is_told_of(victim: Container, changes: Changes) -> None:
    hit = freeze_hit(victim, changes)
    hit.arm(soon())
    name, text = ("freezer.state", "THAWED") if victim.version == 1 else ("cgroup.freeze", "0")
    (victim.folders[0] / name).write_text(text)
    until(lambda: not victim.frozen, "it is thawed")
    assert not hit.look()
    assert state(hit) is TargetState.GONE
    assert "thawed by somebody else" in (hit.record.message or "")
    assert not list(changes.all())


def test_a_container_that_is_frozen_already_is_refused_and_stays_so(victim: Container, changes: Changes) -> None:
    first, second = freeze_hit(victim, changes), freeze_hit(victim, changes)
    first.arm(soon())
    second.arm(soon())
    assert state(second) is TargetState.REFUSED
    assert "frozen already" in (second.record.message or "")
    second.lift()
    assert victim.frozen
    first.lift()


def test_without_a_watchdog_nothing_is_frozen(victim: Container, tmp_path: Path) -> None:
    hit = freeze_hit(victim, Changes(tmp_path))
    hit.arm(soon())
    assert state(hit) is TargetState.REFUSED
    assert "watchdog" in (hit.record.message or "")
    assert not victim.frozen


def test_a_lease_that_has_run_out_freezes_and_kills_nothing(victim: Container, changes: Changes) -> None:
    for hit in (freeze_hit(victim, changes), kill(victim, changes)):
        hit.arm(time.monotonic() - 0.001)
        assert state(hit) is TargetState.REFUSED
        assert "run out" in (hit.record.message or "")
    assert victim.runs()
    assert len(victim.pids) == 2


@pytest.mark.parametrize("other", [{"uid": UID.replace("0", "1")}, {"container_id": OTHER}])
def test_nobody_else_s_container_is_touched(victim: Container, changes: Changes, other: dict[str, str]) -> None:
    """Not that of another pod, nor another one of the same pod."""
    for hit in (freeze_hit(victim, changes, **other), kill(victim, changes, number=Signal.SIGKILL, **other)):
        hit.arm(soon())
        assert state(hit) is TargetState.GONE
    assert victim.runs()
    assert len(victim.pids) == 2


@pytest.mark.parametrize("number", Signal)
def test_every_process_of_a_container_gets_the_signal_and_is_gone(
    victim: Container, changes: Changes, number: Signal
) -> None:
    victim.start()
    with container(victim.version, identity=OTHER) as neighbour:
        hit = kill(victim, changes, number=number)
        hit.arm(soon())
        assert state(hit) is TargetState.ARMED, hit.record
        until(lambda: hit.record.proven or hit.look(), "all of them are gone")
        at_once = victim.version == 2 and number is Signal.SIGKILL
        assert hit.method == ("cgroup.kill" if at_once else "signals")
        hit.lift()
        assert state(hit) is TargetState.LIFTED
        assert hit.record.processes is not None
        assert (hit.record.processes.processes, hit.record.processes.ended) == (4, 4)
        assert len(neighbour.pids) == 2


def test_who_lives_on_proves_nothing(victim: Container, changes: Changes) -> None:
    victim.start("stubborn")
    hit = kill(victim, changes, number=Signal.SIGTERM)
    hit.arm(soon())

    def ended() -> int:
        hit.look()
        assert hit.record.processes is not None
        return hit.record.processes.ended or 0

    until(lambda: ended() == 2, "the meek are gone")
    hit.lift()
    assert not hit.record.proven
    assert hit.record.processes is not None
    assert hit.record.processes.ended == 2
    assert len(victim.pids) == 2


def thawed_at(of: Container) -> float:
    until(lambda: not of.frozen, "it is thawed")
    return time.monotonic()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
def test_the_watchdog_thaws_at_the_end_of_the_lease(
    victim: Container, tmp_path: Path, blow: signal.Signals, note: Note
) -> None:
    with watchdog(tmp_path), held(tmp_path, victim) as agent:
        ends = renewed(agent)
        assert victim.frozen
        ends += struck(agent, blow)
        thawed = thawed_at(victim)
        assert thawed >= ends[-2], "not before the lease was over"
        note("thawed", f"cgroup v{victim.version} {(thawed - ends[-1]) * 1000:+.1f} ms after the lease")
        assert victim.runs()
    assert Changes(tmp_path).sweep() == []
    assert not list(Changes(tmp_path).all())


def test_both_gone_the_next_life_of_the_agent_thaws(victim: Container, tmp_path: Path) -> None:
    with watchdog(tmp_path) as dog, held(tmp_path, victim) as agent:
        nobody_left(dog, agent)
        time.sleep(LEASE + 0.2)  # there is nobody who could
        assert victim.frozen
    changes = Changes(tmp_path)
    assert changes.sweep() == [str(victim.folders[0] / {1: "freezer.state", 2: "cgroup.freeze"}[victim.version])]
    assert not victim.frozen
    assert victim.runs()
    assert changes.sweep() == []


def test_a_watchdog_that_is_told_to_end_thaws_first(victim: Container, tmp_path: Path) -> None:
    with watchdog(tmp_path) as dog, held(tmp_path, victim) as agent:
        assert agent.stdout
        agent.stdout.readline()
        agent.kill()
        agent.wait()
        dog.send_signal(signal.SIGTERM)
        thawed_at(victim)
        Changes(tmp_path).sweep()
        assert dog.wait(PATIENCE) == 0


def test_a_second_watchdog_goes_on_where_the_first_was(victim: Container, tmp_path: Path) -> None:
    with watchdog(tmp_path) as dog, held(tmp_path, victim) as agent:
        assert agent.stdout
        agent.stdout.readline()
        dog.kill()
        agent.kill()
        agent.wait()
        with watchdog(tmp_path):
            thawed_at(victim)


def test_a_watchdog_is_small(tmp_path: Path) -> None:
    with watchdog(tmp_path) as dog:
        status = Path(f"/proc/{dog.pid}/status").read_text()
        (kilobytes,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        assert kilobytes < 16 * 1024
