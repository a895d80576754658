"""How much memory a stressor holds, beside what its container uses: real pages, and figures that a test makes up."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from showstopper.agent.kernel.guests import GuestCgroups
from showstopper.agent.stress import children, taking
from showstopper.agent.stress.order import StressEnded
from showstopper.agent.stress.taking import CHUNK, MOST_LOST, TakenMemory

MIB = 1 << 20


@dataclass
class FakeMemory:
    """A container's: its processes use so much, and what is taken counts as it should."""

    own: int = 0
    taken: Callable[[], int] = int
    kills: int = 0
    unified: bool = False
    limit: int = 100 * MIB

    @property
    def working_set(self) -> int:
        return self.own + self.taken()


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory(own=10 * MIB)


def begun(memory: FakeMemory, **what: int) -> TakenMemory:
    made = TakenMemory(GuestCgroups(()), memory, **what)  # type: ignore[arg-type]
    made.begin()
    memory.taken = lambda: made._taken
    return made


def settled(made: TakenMemory) -> int:
    """What it holds when it has had time enough."""
    for _ in range(20):
        made.tend()
    return made.figures["taken"]


@pytest.mark.parametrize("size", [MIB, 3 * MIB, CHUNK + MIB])
def test_a_size_is_taken_whatever_the_container_uses(memory: FakeMemory, size: int) -> None:
    assert settled(begun(memory, size=size)) == size


def test_a_goal_is_kept_when_the_container_uses_more_or_less(memory: FakeMemory) -> None:
    made = begun(memory, goal=30 * MIB)
    assert settled(made) == 20 * MIB
    memory.own = 25 * MIB
    assert settled(made) == 5 * MIB
    memory.own = 40 * MIB
    assert settled(made) == 0
    memory.own = 12 * MIB
    assert settled(made) == 18 * MIB
    assert made.figures["most"] == 20 * MIB


@pytest.mark.parametrize("aim", [{"size": 40 * MIB}, {"goal": 60 * MIB}])
def test_time_counts_when_as_much_is_taken_as_was_asked_for(
    memory: FakeMemory, monkeypatch: pytest.MonkeyPatch, aim: dict[str, int]
) -> None:
    now = 100.0
    monkeypatch.setattr(taking, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(taking, "CLIMB_SECONDS", 0.0)  # a child at a time
    made = begun(memory, **aim)
    for _ in range(3):
        made.tend()
        now += 1.0
        assert made.figures["held"] == 0, "it is on its way, or has just come there"
    for _ in range(2):
        made.tend()
        now += 1.0
    assert made.figures["held"] >= 1000


def test_time_in_which_the_container_has_left_some_does_not_count(
    memory: FakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(taking, "time", SimpleNamespace(monotonic=lambda: now))
    memory.own = 60 * MIB
    made = begun(memory, goal=62 * MIB)
    for _ in range(3):
        made.tend()
        now += 1.0
    assert made.figures["held"] == 2000
    memory.own = 0
    monkeypatch.setattr(taking, "employ", lambda *_: pytest.fail("nobody is to be sent"))
    made._rests_until = 1e9
    for _ in range(3):
        made.tend()
        now += 1.0
    assert made.figures["held"] == 2000


def test_several_children_are_sent_at_a_stretch(memory: FakeMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "CLIMB_SECONDS", 5.0)
    made = begun(memory, size=3 * CHUNK)
    made.tend()
    assert made.figures["taken"] == 3 * CHUNK


def test_over_the_limit_it_takes_on_until_a_process_of_the_container_is_killed(memory: FakeMemory) -> None:
    made = begun(memory)
    for number in range(1, 4):
        made.tend()
        assert made.figures["taken"] == number * CHUNK
        assert not made.is_over
    memory.kills = 1
    made.tend()
    assert made.is_over
    assert made.figures == {"taken": 0, "most": 3 * CHUNK, "kills": 1, "lost": 0, "held": 0}


def test_kills_before_it_began_are_not_its_own(memory: FakeMemory) -> None:
    memory.kills = 5
    made = begun(memory)
    made.tend()
    assert made.figures["kills"] == 0


def test_a_kill_ends_no_stress_with_an_aim(memory: FakeMemory) -> None:
    made = begun(memory, size=MIB)
    memory.kills = 1
    made.tend()
    assert not made.is_over
    assert made.figures["kills"] == 1


@pytest.mark.parametrize("unified", [False, True])
def test_our_own_processes_that_are_killed_are_told_apart_and_soon_not_sent_any_more(
    memory: FakeMemory, unified: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 2 counts them among the container's."""
    memory.unified = unified
    monkeypatch.setattr(taking, "REST_SECONDS", 0.0)

    def killed(*_: object) -> None:
        memory.kills += unified
        os.kill(os.getpid(), signal.SIGKILL)

    sent = []

    def employ(guests: GuestCgroups, work: Callable[[], None]) -> int:
        sent.append(work)
        memory.kills += unified
        return real(guests, killed)

    real = children.employ
    monkeypatch.setattr(taking, "employ", employ)
    made = begun(memory)
    settled(made)
    assert len(sent) == MOST_LOST
    assert made.figures == {"taken": 0, "most": 0, "kills": 0, "lost": MOST_LOST, "held": 0}
    assert not made.is_over


def test_what_the_node_needs_for_others_is_left(memory: FakeMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "available", lambda: (110 * MIB, 1000 * MIB))
    made = begun(memory, size=50 * MIB)
    with pytest.raises(StressEnded, match="has 110 MiB left, of which 100 stay for others: write less"):
        made.tend()


def test_a_cgroup_that_went_with_the_process_it_cost_is_no_trouble(
    memory: FakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = begun(memory)

    def gone(*_: object) -> int:
        memory.kills += 1
        raise FileNotFoundError

    monkeypatch.setattr(taking, "employ", gone)
    made.tend()
    assert made.is_over


def test_a_cgroup_that_is_gone_is_told_of(memory: FakeMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(taking, "employ", gone)
    with pytest.raises(FileNotFoundError):
        begun(memory).tend()
