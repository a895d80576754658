"""The loop, with a clock that moves as the test says: sending, sleeping and being held up all take time."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.audio.flood.budget import Budget
from showstopper.audio.flood.flooding import flood
from showstopper.audio.flood.pace import Pace
from showstopper.audio.flood.tally import Tally
from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import REST_SECONDS, AbsoluteEnd, EndReason, Stop

BEGAN, WALL = 1000.0, 1_790_000_000.0


@dataclass
class World:
    """A clock, and a sender whose batches take `cost` seconds each, or as many as `costs` says, in turn."""

    most: int = 64
    cost: float = 30e-6
    costs: list[float] = field(default_factory=list)
    takes: int | None = None
    refuses: int | None = None
    now: float = BEGAN
    wall_runs: float = 1.0
    batches: list[tuple[float, int]] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    lines: list[Mapping[str, Any]] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    stop_at: float | None = None

    def send(self, count: int) -> int:
        taken = count if self.takes is None else min(count, self.takes)
        self.batches.append((self.now, taken))
        self.pass_(self.costs.pop() if self.costs else self.cost)
        if self.refuses is not None:
            raise OSError(self.refuses, "refused")
        return taken

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.pass_(seconds + 60e-6)

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        if self.stop_at is not None and self.now >= self.stop_at:
            self.stop.asked = True

    def wall(self) -> float:
        return WALL + (self.now - BEGAN) * self.wall_runs

    def flood(self, *, rate: float | None, packets: int, seconds: float, end: float = 3600) -> tuple[EndReason, Tally]:
        tally, over = Tally(172, BEGAN), AbsoluteEnd.at(WALL + end, monotonic=BEGAN, wall=WALL)
        ending = flood(
            self,
            budget=Budget.begin(packets=packets, seconds=seconds, end=over, monotonic=BEGAN),
            pace=Pace(rate, BEGAN),
            tally=tally,
            stop=self.stop,
            tell=self.lines.append,
            clocks=Clocks(lambda: self.now, self.wall, self.sleep),
        )
        return ending, tally


COSTS = st.lists(st.floats(1e-6, 0.3), max_size=30)


@given(
    rate=st.none() | st.floats(1, 1e6),
    packets=st.integers(1, 20_000),
    seconds=st.floats(0.1, 2),
    end=st.floats(-1, 3),
    costs=COSTS,
    takes=st.none() | st.integers(1, 64),
)
def test_no_bound_is_passed_by_more_than_the_batch_that_was_under_way(
    rate: float | None, packets: int, seconds: float, end: float, costs: list[float], takes: int | None
) -> None:
    world = World(costs=costs, takes=takes, cost=3e-4)
    _, tally = world.flood(rate=rate, packets=packets, seconds=seconds, end=end)
    assert tally.sent <= packets
    assert tally.sent == sum(count for _, count in world.batches)
    assert all(at < BEGAN + min(seconds, end) for at, _ in world.batches)


@settings(max_examples=30)
@given(rate=st.floats(100, 20_000), costs=st.lists(st.floats(1e-6, 0.09), max_size=10))
def test_the_rate_holds_whatever_held_it_up(rate: float, costs: list[float]) -> None:
    """As long as it was held up for less than a second in all, which is what a schedule is caught up with."""
    _, tally = World(costs=costs).flood(rate=rate, packets=10**9, seconds=2)
    assert rate * (2 - 0.003) - 1 <= tally.sent <= rate * 2 + 1


def test_the_rate_holds_within_a_thousandth_when_nothing_holds_it_up() -> None:
    for rate in (50, 1_000, 100_000):
        _, tally = World().flood(rate=rate, packets=10**9, seconds=10)
        assert tally.sent == pytest.approx(rate * 10, rel=0.001, abs=1)


@pytest.mark.parametrize(
    ("packets", "seconds", "end", "ending"),
    [(100, 9, 9, EndReason.PACKETS), (10**9, 0.5, 9, EndReason.SECONDS), (10**9, 9, 0.5, EndReason.END)],
)
def test_it_says_what_ended_it(packets: int, seconds: float, end: float, ending: EndReason) -> None:
    assert World().flood(rate=None, packets=packets, seconds=seconds, end=end)[0] is ending


def test_a_wall_clock_that_runs_away_ends_it_no_later() -> None:
    world = World(wall_runs=2.0)
    assert world.flood(rate=1000, packets=10**9, seconds=9, end=2)[0] is EndReason.END
    assert world.now == pytest.approx(BEGAN + 1, abs=REST_SECONDS)
    behind = World(wall_runs=0.0)
    assert behind.flood(rate=1000, packets=10**9, seconds=9, end=2)[0] is EndReason.END
    assert behind.now == pytest.approx(BEGAN + 2, abs=REST_SECONDS)


@pytest.mark.parametrize("rate", [None, 0.2, 1000])
def test_a_stop_ends_it_after_one_short_rest_at_most(rate: float | None) -> None:
    world = World(stop_at=BEGAN + 0.5)
    ending, _ = world.flood(rate=rate, packets=10**9, seconds=60)
    assert ending is EndReason.TERMINATED
    assert world.now <= BEGAN + 0.5 + REST_SECONDS + 0.001


def test_what_the_kernel_refuses_is_counted_by_its_reason_and_not_asked_for_in_a_rush() -> None:
    world = World(refuses=errno.ENETUNREACH)
    ending, tally = world.flood(rate=None, packets=1000, seconds=1)
    assert ending is EndReason.SECONDS
    assert tally.sent == 0
    assert tally.failed.keys() == {errno.ENETUNREACH}
    assert len(world.batches) < 1100


def test_a_full_socket_loses_nothing_of_a_paced_flood() -> None:
    _, tally = World(takes=3).flood(rate=10_000, packets=10**9, seconds=2)
    assert tally.sent == pytest.approx(20_000, rel=0.01)
    assert not tally.failed


def test_progress_is_told_each_second() -> None:
    world = World()
    world.flood(rate=1000, packets=10**9, seconds=3.5)
    assert [line["seconds"] for line in world.lines] == pytest.approx([1, 2, 3], abs=0.1)
    assert all(line["event"] == "flooding" for line in world.lines)
    assert [line["packets_per_second"] for line in world.lines] == pytest.approx([1000] * 3, rel=0.02)
