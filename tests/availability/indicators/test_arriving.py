import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.feed import Arrival
from showstopper.availability.indicators.arriving import (
    CallOutcome,
    arrival_audible,
    fate,
    join_success,
    time_to_first_audio,
)
from showstopper.availability.measurements import Measurement
from showstopper.availability.tracks import View
from tests.availability.build import EPOCH, window

WHOLE = window(0, 60)


def at(seconds: float | None) -> float | None:
    return None if seconds is None else EPOCH + seconds


def call(
    called: float,
    heard: float | None,
    left: float | None,
    *,
    joined: float | None = None,
    error: str = "",
    seen: float = 60.0,
    sure: float | None = None,
) -> Arrival:
    """A visit whose first sound is the live host."""
    seen = seen if left is None else left
    sure = seen if sure is None else sure
    return Arrival(
        "a0", EPOCH + called, at(joined if joined is not None else heard), at(heard), at(heard), at(left), error,
        EPOCH + seen, EPOCH + sure,
    )  # fmt: skip


def room(*calls: Arrival, unmade: int = 0) -> View:
    return View(WHOLE, (), (), calls, unmade=unmade)


def figures(measured: Measurement) -> tuple[float | None, float, float, int]:
    value = None if measured.value is None else round(measured.value, 5)
    return value, round(measured.lower, 5), round(measured.upper, 5), measured.samples


@pytest.mark.parametrize(
    ("visit", "expected"),
    [
        pytest.param(call(10, 11, 25), CallOutcome.HAPPENED, id="heard and left"),
        pytest.param(call(10, 24, 25), CallOutcome.HAPPENED, id="heard late"),
        pytest.param(call(58, 59, None), CallOutcome.HAPPENED, id="heard and still there"),
        pytest.param(call(-3, 1, 15), CallOutcome.HAPPENED, id="called before the window, heard in it"),
        pytest.param(call(-3, -1, 15), None, id="heard before the window"),
        pytest.param(call(10, None, 25), CallOutcome.FAILED, id="left without having heard"),
        pytest.param(call(-20, None, -5), None, id="left before the window"),
        pytest.param(call(50, None, None), CallOutcome.FAILED, id="due and waiting"),
        pytest.param(call(50, 62, 70), CallOutcome.FAILED, id="due, heard only behind the window"),
        pytest.param(call(50, None, 65), CallOutcome.FAILED, id="due, left only behind the window"),
        pytest.param(call(57, None, None), None, id="waiting but not due yet"),
        pytest.param(call(57, 61, 72), None, id="not due, heard only behind the window"),
        pytest.param(call(40, None, None, seen=50), CallOutcome.LOST, id="lost from sight"),
        pytest.param(call(-40, None, None, seen=-5), None, id="lost from sight before the window"),
        pytest.param(call(10, None, None, sure=20), CallOutcome.LOST, id="partly unknown"),
    ],
)
def test_a_call_counts_where_its_fate_is_sealed(visit: Arrival, expected: CallOutcome | None) -> None:
    assert fate(visit, visit.first_live, WHOLE) is expected


@given(st.floats(-30, 90), st.none() | st.floats(0, 30), st.floats(0, 30), st.floats(1, 59))
def test_what_happened_counts_in_exactly_one_of_two_neighbouring_windows(
    called: float, heard: float | None, stay: float, cut: float
) -> None:
    visit = call(called, None if heard is None else called + heard, called + max(stay, heard or 0.0))
    halves = [fate(visit, visit.first_live, window(0, cut)), fate(visit, visit.first_live, window(cut, 60))]
    happened = visit.first_live is not None and WHOLE.start <= visit.first_live < WHOLE.end
    assert halves.count(CallOutcome.HAPPENED) == happened


def test_join_success_is_the_share_of_those_who_got_in() -> None:
    measured = join_success(room(call(1, 2, 16), call(6, None, 8, error="timeout"), call(11, None, 26, joined=12)))
    assert measured.value == pytest.approx(2 / 3)
    assert measured.samples == 3


def test_who_joined_but_heard_nothing_is_no_audible_arrival() -> None:
    measured = arrival_audible(room(call(1, 2, 16), call(11, None, 26, joined=12)))
    assert figures(measured) == (0.5, 0.5, 0.5, 2)
    assert measured.worst_listener == "a0"


def test_calls_lost_from_sight_are_neither_good_nor_bad() -> None:
    assert figures(arrival_audible(room(call(1, 2, 16), call(11, None, None, seen=14)))) == (1.0, 0.5, 1.0, 1)


@pytest.mark.parametrize("indicator", [join_success, arrival_audible])
def test_who_comes_in_late_has_failed_when_it_was_due(indicator: Callable[[View], Measurement]) -> None:
    assert figures(indicator(room(call(1, 6, 61)))) == (1.0, 1.0, 1.0, 1)
    assert figures(indicator(room(call(1, 59, 61)))) == (0.0, 0.0, 0.0, 1)
    assert figures(indicator(room(call(11, None, None, seen=20)))) == (0.0, 0.0, 0.0, 1)
    assert figures(indicator(room(call(58, 64, 70))))[3] == 0
    assert figures(indicator(room(call(-10, 2, 20))))[3] == 0


@pytest.mark.parametrize("indicator", [join_success, arrival_audible, time_to_first_audio])
def test_without_a_call_nothing_is_measured(indicator: Callable[[View], Measurement]) -> None:
    measured = indicator(room())
    assert (measured.value, measured.samples) == (None, 0)
    assert "newcomer" in measured.reason


def test_calls_that_were_all_lost_from_sight_measure_no_share() -> None:
    measured = arrival_audible(room(call(11, None, None, seen=14)))
    assert figures(measured) == (None, 0.0, 1.0, 0)


@pytest.mark.parametrize("indicator", [join_success, arrival_audible])
def test_calls_that_were_due_and_not_made_may_have_gone_either_way(indicator: Callable[[View], Measurement]) -> None:
    measured = indicator(room(call(1, 2, 16), unmade=3))
    assert figures(measured) == (1.0, 0.25, 1.0, 1)
    assert "3 of the calls" in measured.reason
    assert figures(indicator(room(call(1, None, 16), unmade=3))) == (0.0, 0.0, 0.75, 1)


@pytest.mark.parametrize("indicator", [join_success, arrival_audible, time_to_first_audio])
def test_where_none_was_made_it_says_how_many_were_due(indicator: Callable[[View], Measurement]) -> None:
    measured = indicator(room(unmade=3))
    assert (measured.value, measured.samples) == (None, 0)
    assert "3 of the calls" in measured.reason


def test_calls_that_were_not_made_bound_no_time_to_first_audio() -> None:
    measured = time_to_first_audio(room(call(1, 2, 16), call(5, 8, 20), unmade=1))
    assert figures(measured) == (3, 3, math.inf, 2)
    assert "1 of the calls" in measured.reason
    calls = [call(index, index + 1, index + 15) for index in range(30)]
    assert figures(time_to_first_audio(room(*calls, unmade=1))) == (1, 1, 1, 30)


def test_time_to_first_audio_is_the_slowest_but_one_in_twenty() -> None:
    calls = [call(index, index + (9 if index == 3 else 1 + index / 100), index + 15) for index in range(20)]
    measured = time_to_first_audio(room(*calls))
    assert figures(measured) == (1.19, 1.19, 1.19, 20)
    assert measured.worst_value == pytest.approx(9)


def test_with_fewer_than_twenty_time_to_first_audio_is_the_slowest() -> None:
    assert time_to_first_audio(room(call(1, 2, 16), call(5, 8, 20))).value == pytest.approx(3)


def test_who_heard_nothing_leaves_a_lower_bound_only() -> None:
    measured = time_to_first_audio(room(call(1, 2, 16), call(5, None, 20, joined=6)))
    assert figures(measured) == (None, 15, math.inf, 2)
    assert "1 of 2" in measured.reason


def test_who_was_refused_waits_for_ever() -> None:
    measured = time_to_first_audio(room(call(1, 2, 16), call(5, None, 5.2, error="room is full")))
    assert figures(measured) == (None, math.inf, math.inf, 2)
    assert measured.worst_value is None


def test_who_is_still_waiting_has_waited_until_the_window_ended() -> None:
    assert time_to_first_audio(room(call(40, None, None))).lower == pytest.approx(20)


def test_one_silent_newcomer_in_twenty_does_not_spoil_the_quantile() -> None:
    calls = [call(index, index + 1, index + 15) for index in range(19)]
    assert time_to_first_audio(room(*calls, call(30, None, 45))).value == pytest.approx(1)


def test_whose_fate_may_belong_to_an_earlier_window_proves_no_slowness() -> None:
    visit = call(-40, None, None, sure=-20, seen=10)
    assert figures(time_to_first_audio(room(call(1, 2, 16), visit)))[1:3] == (1, math.inf)


def test_of_whose_visit_a_part_is_not_known_it_is_not_known_either_what_became_of_it() -> None:
    """Our own process stood still while it waited: it left, and what it would have heard meanwhile nobody knows."""
    hidden = call(10, None, 25, joined=11, sure=12)
    assert fate(hidden, hidden.first_live, WHOLE) is CallOutcome.LOST
    assert figures(arrival_audible(room(call(1, 2, 16), hidden))) == (1.0, 0.5, 1.0, 1)
    refused = call(10, None, 12, error="no answer to the join", sure=11)
    assert figures(join_success(room(call(1, 2, 16), refused))) == (1.0, 0.5, 1.0, 1)
    assert figures(time_to_first_audio(room(call(1, 2, 16), refused)))[1:3] == (1, math.inf)


def test_who_heard_in_time_did_so_whatever_is_not_known_before_it() -> None:
    assert figures(arrival_audible(room(call(10, 13, 25, sure=11)))) == (1.0, 1.0, 1.0, 1)
    assert figures(arrival_audible(room(call(10, 16, 25, sure=11)))) == (None, 0.0, 1.0, 0)
