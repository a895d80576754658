import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.flood.pace import MOST_BEHIND_SECONDS, TICK_SECONDS, Pace

MOST = 64
BEGAN = 1000.0


def test_the_first_packet_is_due_at_once_and_the_next_one_interval_later() -> None:
    pace = Pace(50, BEGAN)
    assert pace.due(BEGAN, 0, MOST) == 1
    assert pace.due(BEGAN + 0.019, 1, MOST) == 0
    assert pace.due(BEGAN + 0.0201, 1, MOST) == 1


def test_batches_are_no_larger_than_asked_for() -> None:
    assert Pace(100_000, BEGAN).due(BEGAN + 0.5, 0, MOST) == MOST


def test_without_a_rate_everything_is_due_at_once() -> None:
    pace = Pace(None, BEGAN)
    assert pace.due(BEGAN, 10**9, MOST) == MOST
    assert pace.rest(BEGAN, 10**9) == 0
    assert pace.caught_up(BEGAN + 3600, 0) is pace


def test_a_rest_ends_when_the_next_packet_is_due_but_lasts_a_tick() -> None:
    assert Pace(10, BEGAN).rest(BEGAN, 1) == pytest.approx(0.1)
    assert Pace(1_000_000, BEGAN).rest(BEGAN, 1) == TICK_SECONDS


def test_what_was_missed_in_a_long_stop_is_dropped_but_for_a_second_of_it() -> None:
    pace = Pace(1000, BEGAN)
    assert pace.caught_up(BEGAN + 0.9, 0) is pace
    moved = pace.caught_up(BEGAN + 600, 0)
    due = moved.due(BEGAN + 600, 0, 10**9)
    assert due == pytest.approx(1000 * MOST_BEHIND_SECONDS, abs=2)
    assert moved.caught_up(BEGAN + 600, 0).began == pytest.approx(moved.began)


@given(
    rate=st.floats(1, 5e6),
    waits=st.lists(st.floats(0, 0.4), min_size=1, max_size=50),
)
def test_after_any_waits_as_many_have_left_as_the_schedule_has(rate: float, waits: list[float]) -> None:
    """Lateness does not add up: however late each batch was, the count is the schedule's."""
    pace, now, tried = Pace(rate, BEGAN), BEGAN, 0
    for wait in waits:
        now += wait
        assert pace.caught_up(now, tried) is pace
        tried += max(0, pace.due(now, tried, 10**9))
        assert tried == pytest.approx((now - BEGAN) * rate + 0.5, abs=0.6)
