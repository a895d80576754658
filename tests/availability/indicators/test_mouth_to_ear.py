import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.clocks import HostClock
from showstopper.availability.expectations import Expectation, Outcome, judge
from showstopper.availability.indicators.mouth_to_ear import MOUTH_TO_EAR
from showstopper.availability.statistics import Statistics
from showstopper.availability.tracks import View
from tests.availability.build import EPOCH, counted, row


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


def with_host(view: View, *clocks: HostClock) -> View:
    return dataclasses.replace(view, host_clocks=clocks)


@pytest.mark.parametrize(("listener", "host"), [(0.05, 0.0), (-0.05, 0.0), (0.0, 0.3), (1.2, 1.2), (-0.4, 0.9)])
def test_clocks_that_are_both_known_are_taken_off(listener: float, host: float) -> None:
    as_read = 0.06 + listener - host
    view = with_host(room(as_read, ahead=listener), HostClock(EPOCH - 100, host, 0.002))
    measured = MOUTH_TO_EAR.measure(view, None)
    assert measured.value == pytest.approx(0.06)
    assert (measured.lower, measured.upper) == pytest.approx((0.058, 0.062))


def test_each_process_of_the_host_has_its_own_clock() -> None:
    view = with_host(room(0.06, 0.56), HostClock(EPOCH - 100, 0.0, 0.0), HostClock(EPOCH + 1, -0.5, 0.0))
    measured = MOUTH_TO_EAR.measure(view, None)
    assert (measured.value, measured.upper) == pytest.approx((0.06, 0.06))
    assert measured.lower == pytest.approx(0.06)


def test_of_what_was_spoken_before_any_known_process_the_bounds_hold_both_ways() -> None:
    view = with_host(room(0.11, ahead=0.05), HostClock(EPOCH + 1, 0.0, 0.0))
    assert (MOUTH_TO_EAR.measure(view, None).lower, MOUTH_TO_EAR.measure(view, None).upper) == pytest.approx(
        (0.06, 0.11)
    )


def test_clocks_beyond_the_limit_allow_any_delay() -> None:
    view = with_host(room(0.06 + 2.5, ahead=2.5), HostClock(EPOCH - 100, 0.0, 0.001))
    measured = MOUTH_TO_EAR.measure(view, None)
    assert measured.value == pytest.approx(0.06)
    assert (measured.lower, measured.upper) == (0.0, math.inf)
    assert judge(Expectation(MOUTH_TO_EAR, maximum=9.0), measured).outcome is Outcome.UNMEASURED


@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=20),
    st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05),
)  # fmt: skip
def test_the_truth_lies_between_the_bounds_however_wrong_the_clocks_and_their_readings(
    true: list[float], listener: float, host: float, misread: float, misread_host: float
) -> None:
    rows = [
        row(2 * index, 2 * index + 2, delay=value + listener - host, ahead=listener + misread, unsure=abs(misread))
        for index, value in enumerate(true)
    ]
    clock = HostClock(EPOCH - 1, host + misread_host, abs(misread_host))
    measured = MOUTH_TO_EAR.measure(with_host(counted(rows, end=2.0 * len(true)), clock), None)
    exact = MOUTH_TO_EAR.measure(counted(delays(*true), end=2.0 * len(true)), None)
    assert exact.value is not None
    assert measured.lower - 1e-9 <= exact.value <= measured.upper + 1e-9


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
