"""cpuThrottle on busy processes in a real cgroup, and on files that look like version 2's where there is none."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.agent.hits.cpu_throttle import CpuThrottleHit
from showstopper.agent.hits.process import NodeAccess
from showstopper.agent.kernel.cgroups import UNIFIED, Place
from showstopper.api.faults.process import CpuThrottle
from showstopper.api.injection import TargetState
from showstopper.clock import Clock
from tests.agent.conftest import Note
from tests.agent.container import CONTAINER, UID, Container, container, trees
from tests.agent.hits.acting import access, held, renewed, soon, struck, target, until, watchdog

FAULT = '{"cpuThrottle": {"limit": "50m"}}'
TREE = Path("kubepods") / f"pod{UID}" / CONTAINER
UNLIMITED = "max 100000"
needs_version_1 = pytest.mark.skipif(not trees(1), reason="no cgroups of version 1")


@pytest.fixture
def changes(tmp_path: Path) -> Changes:
    """Where is written down what is changed; a watchdog was there a moment ago."""
    made = Changes(tmp_path)
    made.beat()
    return made


@pytest.fixture
def victim() -> Iterator[Container]:
    """A container of version 1 with two busy processes."""
    with container(1) as made:
        yield made


def quota(of: Container) -> Path:
    return next(file for folder in of.folders if (file := folder / "cpu.cfs_quota_us").exists())


def throttle(of: Container, changes: Changes, limit: str = "50m", name: str = "throttle.u.0") -> CpuThrottleHit:
    return CpuThrottleHit(CpuThrottle(limit=limit), target(of), name, access(changes))


def state(hit: CpuThrottleHit) -> TargetState:
    return hit.record.state


@needs_version_1
@pytest.mark.netns
def test_a_busy_container_gets_about_its_quota_and_then_what_it_had(
    victim: Container, changes: Changes, note: Note
) -> None:
    quota(victim).write_text("150000")
    hit = throttle(victim, changes)
    hit.arm(soon())
    assert state(hit) is TargetState.ARMED, hit.record
    assert hit.method == "cpu.cfs_quota_us"
    assert quota(victim).read_text() == "5000\n"
    until(hit.look, "it is proven")
    began, before = time.monotonic(), int(victim.cpu)
    time.sleep(2)  # the stretch that is measured
    cores = (int(victim.cpu) - before) / 1e9 / (time.monotonic() - began)
    note("with 50m it got", f"{cores * 1000:.0f}m")
    assert cores <= 0.075
    assert not hit.look(), "proven once"
    hit.lift()
    assert state(hit) is TargetState.LIFTED
    assert hit.record.message is None
    assert quota(victim).read_text() == "150000\n"
    figures = hit.record.processes
    assert figures is not None
    assert figures.processes == 2
    assert 0 < (figures.throttled_periods or 0) <= (figures.periods or 0)
    assert (figures.throttled_milliseconds or 0) > 0
    assert not list(changes.all())


@needs_version_1
@pytest.mark.netns
def test_two_of_one_container_would_not_know_what_to_put_back(victim: Container, changes: Changes) -> None:
    first, second = throttle(victim, changes, "100m"), throttle(victim, changes, "50m", "throttle.u.1")
    first.arm(soon())
    second.arm(soon())
    assert state(second) is TargetState.REFUSED
    assert "changed already, by throttle.u.0" in (second.record.message or "")
    assert quota(victim).read_text() == "10000\n"
    first.lift()
    assert quota(victim).read_text() == "-1\n"


@needs_version_1
@pytest.mark.netns
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
def test_the_watchdog_puts_the_quota_back_at_the_end_of_the_lease(
    victim: Container, tmp_path: Path, blow: signal.Signals, note: Note
) -> None:
    with watchdog(tmp_path), held(tmp_path, victim, FAULT) as agent:
        ends = renewed(agent)
        assert quota(victim).read_text() == "5000\n"
        ends += struck(agent, blow)
        until(lambda: quota(victim).read_text() == "-1\n", "it is put back")
        late = time.monotonic() - ends[-1]
        assert late >= ends[-2] - ends[-1], "not before the lease was over"
        note("put back", f"{late * 1000:+.1f} ms after the lease")
    assert Changes(tmp_path).sweep() == []


@needs_version_1
@pytest.mark.netns
def test_both_gone_the_next_life_of_the_agent_puts_it_back(victim: Container, changes: Changes, tmp_path: Path) -> None:
    throttle(victim, changes).arm(soon())
    assert Changes(tmp_path).sweep() == [str(quota(victim))]
    assert quota(victim).read_text() == "-1\n"
    assert Changes(tmp_path).sweep() == []


class Fake:
    """Files of a cgroup of version 2, where its controller cpu may be missing; a means to throttle in them."""

    def __init__(self, root: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = root / TREE
        self.folder.mkdir(parents=True)
        (root / "cgroup.controllers").write_text("cpu\n")
        (self.folder / "cgroup.procs").write_text("7\n")
        self.max, self.changes = self.folder / "cpu.max", changes
        self.max.write_text(f"{UNLIMITED}\n")
        self.count(10, 0, 0)
        place = Place(root, {UNIFIED: PurePosixPath(f"/{TREE}")}, 7)
        monkeypatch.setattr(Containers, "place", lambda *_: (place, 3))

    def count(self, periods: int, throttled: int, microseconds: int) -> None:
        """Have the kernel's counters read so."""
        words = f"usage_usec 5\nnr_periods {periods}\nnr_throttled {throttled}\nthrottled_usec {microseconds}\n"
        (self.folder / "cpu.stat").write_text(words)

    def hit(self, limit: str) -> CpuThrottleHit:
        """One that is armed."""
        victim = Container(2, UID, CONTAINER, [], [])
        made = CpuThrottleHit(
            CpuThrottle(limit=limit), target(victim), "throttle.u.0", NodeAccess(Containers(), self.changes, Clock())
        )
        made.arm(soon())
        return made


@pytest.fixture
def fake(tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path / "cgroup", changes, monkeypatch)


def test_version_2_has_one_file_for_quota_and_period(fake: Fake) -> None:
    hit = fake.hit("0.2")
    assert (hit.record.state, hit.method) == (TargetState.ARMED, "cpu.max")
    assert fake.max.read_text() == "20000 100000"
    assert not hit.look()
    fake.count(14, 3, 4_500_000)
    assert hit.look()
    hit.refresh(soon())
    hit.lift()
    assert fake.max.read_text() == UNLIMITED
    figures = hit.record.processes
    assert figures is not None
    assert (figures.processes, figures.periods, figures.throttled_periods) == (3, 4, 3)
    assert figures.throttled_milliseconds == 4500


def test_without_a_throttled_period_it_is_not_proven(fake: Fake) -> None:
    hit = fake.hit("2")
    fake.count(40, 0, 0)
    assert not hit.look()
    hit.lift()
    assert state(hit) is TargetState.LIFTED
    assert not hit.record.proven


@pytest.mark.parametrize("present", ["10000 50000", "5000 100000"])
def test_a_limit_that_is_not_below_the_present_one_is_refused(fake: Fake, present: str) -> None:
    fake.max.write_text(f"{present}\n")
    hit = fake.hit("200m")
    assert state(hit) is TargetState.REFUSED
    assert "would throttle nothing: write a smaller one" in (hit.record.message or "")
    assert fake.max.read_text() == f"{present}\n"
    assert not list(fake.changes.all())


def test_a_present_limit_is_put_back_as_it_was(fake: Fake) -> None:
    fake.max.write_text("25000 50000\n")
    fake.hit("499m").lift()
    assert fake.max.read_text() == "25000 50000"


def test_a_node_without_the_controller_is_refused(fake: Fake) -> None:
    fake.max.unlink()
    hit = fake.hit("200m")
    assert state(hit) is TargetState.REFUSED
    assert "enable the controller cpu" in (hit.record.message or "")
    assert not fake.max.exists()


def test_a_quota_that_somebody_else_sets_ends_it_and_is_left_alone(fake: Fake) -> None:
    hit = fake.hit("200m")
    fake.max.write_text("150000 100000\n")
    assert not hit.look()
    assert state(hit) is TargetState.GONE
    assert "changed by somebody else" in (hit.record.message or "")
    assert fake.max.read_text() == "150000 100000\n"
    assert not list(fake.changes.all())


def test_a_quota_that_was_changed_before_the_last_look_is_told_of(fake: Fake) -> None:
    hit = fake.hit("200m")
    fake.max.write_text("150000 100000\n")
    hit.lift()
    assert state(hit) is TargetState.LIFTED
    assert "somebody else changed" in (hit.record.message or "")
    assert fake.max.read_text() == "150000 100000\n"


def test_a_container_that_goes_takes_its_quota_with_it(fake: Fake) -> None:
    hit = fake.hit("200m")
    for file in fake.folder.iterdir():
        file.unlink()
    assert not hit.look()
    assert state(hit) is TargetState.GONE
    assert "is gone" in (hit.record.message or "")
    assert not list(fake.changes.all())


def test_the_watchdog_leaves_a_live_lease_alone(fake: Fake, tmp_path: Path) -> None:
    fake.hit("200m")
    with watchdog(tmp_path) as dog:
        time.sleep(0.3)  # some ten looks
        assert fake.max.read_text() == "20000 100000"
        dog.terminate()
        until(lambda: fake.max.read_text() == UNLIMITED, "its pod ends, and it puts everything back")
