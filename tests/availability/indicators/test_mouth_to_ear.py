import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.expectations import Expectation, Outcome, judge
from showstopper.availability.indicators.mouth_to_ear import MOUTH_TO_EAR
from showstopper.availability.statistics import Statistics
from showstopper.availability.tracks import View
from tests.availability.build import counted, row


def delays(*values: float | None, ahead: float = 0.0) -> list[Statistics]:
    return [row(2 * index, 2 * index + 2, delay=value, ahead=ahead) for index, value in enumerate(values)]


def room(*values: float | None, ahead: float = 0.0) -> View:
    return counted(delays(*values, ahead=ahead), end=2.0 * len(values))


def test_it_is_what_was_not_exceeded_in_95_percent_of_the_live_time() -> None:
    measured = MOUTH_TO_EAR.measure(room(*[0.06] * 18, 0.2, 0.9), None)
    assert measured.value == 0.2
    assert measured.exact


def test_time_without_live_sound_has_no_delay_and_is_not_unknown() -> None:
    measured = MOUTH_TO_EAR.measure(room(0.06, None, None), None)
    assert (measured.value, measured.upper) == (0.06, 0.06)


@pytest.mark.parametrize(("ahead", "lower", "upper"), [(0.05, 0.06, 0.11), (-0.05, 0.11, 0.16)])
def test_a_wall_clock_that_is_ahead_of_ours_is_taken_off_and_widens_the_bounds(
    ahead: float, lower: float, upper: float
) -> None:
    measured = MOUTH_TO_EAR.measure(room(0.11, ahead=ahead), None)
    assert measured.value == pytest.approx(0.11 - ahead)
    assert (measured.lower, measured.upper) == pytest.approx((lower, upper))


def test_clocks_that_are_further_apart_than_the_margin_settle_no_expectation() -> None:
    asked = Expectation(MOUTH_TO_EAR, maximum=0.15)
    assert judge(asked, MOUTH_TO_EAR.measure(room(0.11, ahead=0.02), None)).outcome is Outcome.MET
    assert judge(asked, MOUTH_TO_EAR.measure(room(0.31, ahead=0.2), None)).outcome is Outcome.UNMEASURED
    assert judge(asked, MOUTH_TO_EAR.measure(room(0.31, ahead=0.02), None)).outcome is Outcome.MISSED


def test_a_delay_is_never_negative() -> None:
    measured = MOUTH_TO_EAR.measure(room(-0.01, ahead=0.03), None)
    assert (measured.lower, measured.value, measured.upper) == (0, 0, 0)


def test_unknown_time_may_hide_any_delay() -> None:
    measured = MOUTH_TO_EAR.measure(counted(delays(0.06), end=10), None)
    assert (measured.value, measured.upper) == (0.06, math.inf)


def test_without_a_time_code_it_is_not_measured_and_says_what_it_needs() -> None:
    measured = MOUTH_TO_EAR.measure(room(None, None), None)
    assert (measured.value, measured.samples) == (None, 0)
    assert "managed host" in measured.reason


@given(st.lists(st.floats(0, 5), min_size=1, max_size=30), st.floats(-1, 1))
def test_the_figure_lies_between_its_bounds_however_far_the_clocks_are_apart(values: list[float], ahead: float) -> None:
    measured = MOUTH_TO_EAR.measure(room(*values, ahead=ahead), None)
    assert measured.value is not None
    assert 0 <= measured.lower <= measured.value <= measured.upper
