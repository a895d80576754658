from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.flood.budget import Budget
from showstopper.audio.task.ending import AbsoluteEnd, EndReason

MONOTONIC, WALL = 1000.0, 1_790_000_000.0


def budget(*, packets: int = 100, seconds: float = 5, end: float = 30, waited: float = 0) -> Budget:
    over = AbsoluteEnd.at(WALL + end, monotonic=MONOTONIC, wall=WALL)
    return Budget.begin(packets=packets, seconds=seconds, end=over, monotonic=MONOTONIC + waited)


def test_nothing_ends_a_flood_that_has_something_left() -> None:
    assert budget().ending(99, MONOTONIC + 4.9, WALL + 4.9) is None


def test_each_bound_ends_it_and_says_which_it_was() -> None:
    assert budget().ending(100, MONOTONIC, WALL) is EndReason.PACKETS
    assert budget().ending(0, MONOTONIC + 5, WALL + 5) is EndReason.SECONDS
    assert budget(seconds=60).ending(0, MONOTONIC + 30, WALL + 30) is EndReason.END


def test_a_wall_clock_that_is_set_back_prolongs_nothing() -> None:
    assert budget(seconds=60).ending(0, MONOTONIC + 30, WALL - 3600) is EndReason.END
    assert budget().ending(0, MONOTONIC + 5, WALL - 3600) is EndReason.SECONDS


def test_a_machine_that_slept_wakes_to_a_flood_that_is_over() -> None:
    """The monotonic clock does not count the sleep; the wall clock does."""
    assert budget(seconds=60).ending(0, MONOTONIC + 1, WALL + 31) is EndReason.END


def test_waiting_for_a_gate_takes_seconds_from_nobody_but_moves_no_absolute_end() -> None:
    waited = budget(waited=20)
    assert waited.ending(0, MONOTONIC + 24, WALL + 24) is None
    assert waited.ending(0, MONOTONIC + 25, WALL + 25) is EndReason.SECONDS
    assert budget(waited=28).ending(0, MONOTONIC + 30, WALL - 3600) is EndReason.END


def test_an_end_that_has_passed_ends_it_before_the_first_packet() -> None:
    assert budget(end=-0.1).ending(0, MONOTONIC, WALL) is EndReason.END
    assert budget(end=-0.1).seconds_left(MONOTONIC) == 0


@given(packets=st.integers(1, 10**9), sent=st.integers(0, 2 * 10**9))
def test_what_is_left_is_never_more_than_what_was_given(packets: int, sent: int) -> None:
    left = budget(packets=packets).left(sent)
    assert 0 <= left <= packets
    assert sent + left == max(sent, packets)
    assert (left == 0) is (budget(packets=packets).ending(sent, MONOTONIC, WALL) is EndReason.PACKETS)
