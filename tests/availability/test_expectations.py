import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.errors import BoundError
from showstopper.availability.expectations import Expectation, Outcome, judge, judge_all
from showstopper.availability.indicators import INDICATORS, Indicator
from showstopper.availability.indicators.arriving import TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.units import COUNT, Unit

RATIO, DEAD_AIR, RECOVERY = AUDIBLE_RATIO, LONGEST_DEAD_AIR, RECOVERY_TIME


def exact(indicator: Indicator, value: float) -> Measurement:
    return Measurement(indicator, value, 6, value, value)


@pytest.mark.parametrize(
    ("value", "outcome", "sentence"),
    [
        (0.764, Outcome.MET, "AudibleRatio 76.4 % ≥ 70 %, margin 6.4 points"),
        (0.7, Outcome.MET, "AudibleRatio 70 % ≥ 70 %, margin 0 points"),
        (0.69996, Outcome.MISSED, "AudibleRatio 69.9 % < 70 %, missed by 0.004 points"),
        (0.5, Outcome.MISSED, "AudibleRatio 50 % < 70 %, missed by 20 points"),
    ],
)
def test_a_minimum(value: float, outcome: Outcome, sentence: str) -> None:
    judged = judge(Expectation(RATIO, minimum=0.7), exact(RATIO, value))
    assert (judged.outcome, judged.sentence) == (outcome, sentence)
    assert judged.margin == pytest.approx(value - 0.7)


@pytest.mark.parametrize(
    ("value", "outcome", "sentence"),
    [
        (9.484, Outcome.MET, "LongestDeadAir 9.48 s ≤ 20 s, margin 10.52 s"),
        (20.0, Outcome.MET, "LongestDeadAir 20 s ≤ 20 s, margin 0 s"),
        (20.001, Outcome.MISSED, "LongestDeadAir 20.001 s > 20 s, missed by 0.001 s"),
        (22.1, Outcome.MISSED, "LongestDeadAir 22.1 s > 20 s, missed by 2.1 s"),
    ],
)
def test_a_maximum(value: float, outcome: Outcome, sentence: str) -> None:
    judged = judge(Expectation(DEAD_AIR, maximum=20.0), exact(DEAD_AIR, value))
    assert (judged.outcome, judged.sentence) == (outcome, sentence)
    assert judged.margin == pytest.approx(20 - value)


def test_the_rounding_of_sums_of_doubles_is_no_miss() -> None:
    assert judge(Expectation(RATIO, minimum=1.0), exact(RATIO, 1.0 - 1e-7)).outcome is Outcome.MET
    assert judge(Expectation(DEAD_AIR, maximum=20.0), exact(DEAD_AIR, 20.0 + 1e-7)).outcome is Outcome.MET


def test_a_value_within_the_bound_is_not_enough_if_the_truth_may_be_beyond() -> None:
    judged = judge(Expectation(DEAD_AIR, maximum=20.0), Measurement(DEAD_AIR, 9.0, 6, 9.0, math.inf))
    assert (judged.outcome, judged.margin) == (Outcome.UNMEASURED, None)
    assert "at least 9 s" in judged.sentence
    assert "20 s" in judged.sentence


def test_a_value_beyond_the_bound_is_not_missed_if_the_truth_may_be_within() -> None:
    judged = judge(Expectation(RATIO, minimum=0.7), Measurement(RATIO, 0.69, 6, 0.66, 0.72))
    assert judged.outcome is Outcome.UNMEASURED
    assert "between 66 % and 72 %" in judged.sentence


@pytest.mark.parametrize(
    ("maximum", "outcome", "margin"),
    [(25.0, Outcome.MISSED, -15.0), (40.0, Outcome.UNMEASURED, None), (50.0, Outcome.UNMEASURED, None)],
)
def test_a_recovery_longer_than_was_watched_is_missed_only_if_that_is_beyond_the_bound(
    maximum: float, outcome: Outcome, margin: float | None
) -> None:
    watched = Measurement(RECOVERY, None, 6, 40.0, math.inf, "the room had not recovered when the window ended")
    judged = judge(Expectation(RECOVERY, maximum=maximum), watched)
    assert (judged.outcome, judged.margin) == (outcome, margin)
    assert "had not recovered" in judged.sentence


def test_a_recovery_that_is_meant_to_take_long_and_does_is_met_however_long_it_takes() -> None:
    watched = Measurement(RECOVERY, None, 6, 40.0, math.inf, "the room had not recovered when the window ended")
    judged = judge(Expectation(RECOVERY, minimum=30.0), watched)
    assert (judged.outcome, judged.margin) == (Outcome.MET, 10.0)
    assert "at least 40 s" in judged.sentence
    assert judge(Expectation(RECOVERY, minimum=45.0), watched).outcome is Outcome.UNMEASURED


def test_what_never_happens_is_beyond_every_bound() -> None:
    never = Measurement(TIME_TO_FIRST_AUDIO, None, 6, math.inf, math.inf, "6 of 6 newcomers heard nothing")
    judged = judge(Expectation(TIME_TO_FIRST_AUDIO, maximum=2.0), never)
    assert (judged.outcome, judged.margin) == (Outcome.MISSED, None)
    assert "6 of 6" in judged.sentence
    assert "inf" not in judged.sentence


@pytest.mark.parametrize("indicator", list(INDICATORS))
@pytest.mark.parametrize("bound", ["minimum", "maximum"])
def test_what_is_not_measured_is_neither_met_nor_missed_whatever_the_bound(indicator: Indicator, bound: str) -> None:
    for value in (0.0, 0.5, 1.0):
        judged = judge(Expectation(indicator, **{bound: value}), unmeasured(indicator, "nobody was there"))
        assert judged.outcome is Outcome.UNMEASURED
        assert "nobody was there" in judged.sentence


def test_an_expectation_whose_indicator_was_not_computed_is_unmeasured() -> None:
    asked = [Expectation(RATIO, minimum=0.7), Expectation(DEAD_AIR, maximum=20.0)]
    judged = judge_all(asked, {RATIO: exact(RATIO, 1.0)})
    assert [judgement.outcome for judgement in judged] == [Outcome.MET, Outcome.UNMEASURED]
    assert [judgement.expectation for judgement in judged] == asked


@dataclass(frozen=True)
class Query:
    """What a source beside the listeners measures."""

    name: str
    unit: Unit = COUNT


def test_what_any_source_measured_is_judged_alike_and_known_again_by_what_it_says() -> None:
    asked = [Expectation(Query("failed joins"), maximum=3.0)]
    (judged,) = judge_all(asked, {Query("failed joins"): Measurement(Query("failed joins"), 4.0, 30, 4.0, 4.0)})
    assert (judged.outcome, judged.sentence) == (Outcome.MISSED, "failed joins 4 > 3, missed by 1")
    (judged,) = judge_all(asked, {})
    assert judged.outcome is Outcome.UNMEASURED


@pytest.mark.parametrize("bounds", [{}, {"minimum": 0.1, "maximum": 0.2}, {"minimum": math.nan}, {"maximum": math.inf}])
def test_an_expectation_without_one_plain_bound_is_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(BoundError, match="AudibleRatio"):
        Expectation(RATIO, **bounds)


NUMBERS = st.floats(0, 100)


@given(st.lists(NUMBERS, min_size=3, max_size=3).map(sorted), NUMBERS, st.booleans(), NUMBERS, NUMBERS)
def test_wider_bounds_never_decide_what_narrower_ones_do_not(
    figures: list[float], bound: float, least: bool, below: float, above: float
) -> None:
    asked = Expectation(DEAD_AIR, minimum=bound) if least else Expectation(DEAD_AIR, maximum=bound)
    lower, value, upper = figures
    narrow = judge(asked, Measurement(DEAD_AIR, value, 1, lower, upper)).outcome
    wide = judge(asked, Measurement(DEAD_AIR, value, 1, lower - below, upper + above)).outcome
    assert wide in {narrow, Outcome.UNMEASURED}
