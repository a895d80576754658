from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.pings import PING_SECONDS, PINGS_APART_SECONDS, ping_phase


def longest_pause(pings: list[float]) -> float:
    """The longest time in which nobody pings, of pings that each come once in an interval."""
    return max(later - before for before, later in pairwise([*sorted(pings), min(pings) + PING_SECONDS]))


@given(st.integers(1, 10))
def test_a_small_fleet_is_in_as_soon_as_its_pings_differ(size: int) -> None:
    joins = [ping_phase(index) for index in range(size)]
    assert joins == sorted(joins)
    assert joins[-1] == PINGS_APART_SECONDS * (size - 1)


def test_nobody_waits_for_longer_than_until_the_next_ping_and_no_two_join_together() -> None:
    joins = [ping_phase(index) for index in range(5000)]
    assert min(joins) == 0
    assert max(joins) < PING_SECONDS
    assert len(set(joins)) == len(joins)


@given(st.integers(10, 3000))
def test_a_fleet_of_any_size_pings_all_the_time(size: int) -> None:
    pings = [ping_phase(index) for index in range(size)]
    assert longest_pause(pings) <= PINGS_APART_SECONDS + 1e-9
    assert longest_pause(pings) < 4 * PING_SECONDS / size + 1e-9
