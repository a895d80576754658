import pytest

from showstopper.availability.expectations import Expectation, Outcome, judge
from showstopper.availability.indicators.concealed_ratio import CONCEALED_RATIO
from showstopper.availability.statistics import Statistics
from tests.availability.build import counted, row


def concealed(seconds: float, of: float) -> Statistics:
    """A row of `of` seconds, so many of which the player made up."""
    return row(0, of, concealed=48_000 * seconds, samples=48_000 * of)


def test_it_is_what_players_made_up_of_all_that_they_gave_out() -> None:
    measured = CONCEALED_RATIO.measure(counted([concealed(0.5, 10)], [concealed(0.1, 10)], end=10), None)
    assert measured.value == pytest.approx(0.03)
    assert measured.exact
    assert measured.worst_listener == "r0"
    assert measured.worst_value == pytest.approx(0.05)


def test_players_that_make_nothing_up_have_a_ratio_of_zero() -> None:
    assert CONCEALED_RATIO.measure(counted([row(0, 10)], end=10), None).value == 0


def test_a_second_without_statistics_may_have_been_made_up_as_a_whole() -> None:
    measured = CONCEALED_RATIO.measure(counted([concealed(0.1, 9)], end=10), None)
    assert (measured.lower, measured.upper) == pytest.approx((0.01, 0.11))


def test_without_sound_from_any_player_it_is_not_measured_and_no_expectation_is_met() -> None:
    measured = CONCEALED_RATIO.measure(counted([row(0, 10, samples=0)], [], end=10), None)
    judged = judge(Expectation(CONCEALED_RATIO, maximum=0.07), measured)
    assert judged.outcome is Outcome.UNMEASURED
    assert "gave out a sample" in judged.sentence


def test_it_is_never_shown_better_than_it_is() -> None:
    measured = CONCEALED_RATIO.measure(counted([concealed(0.07001, 1)], end=1), None)
    judged = judge(Expectation(CONCEALED_RATIO, maximum=0.08), measured)
    assert judged.sentence == "ConcealedRatio 7.01 % ≤ 8 %, margin 0.99 points"
