import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.storm.shape import MOST_SECONDS, StormShape
from showstopper.errors import SettingsError

RATES = st.floats(5, 5000)
RAMPS = st.floats(0, 60)


def shape(visitors: int, rate: float | None, ramp: float) -> StormShape:
    try:
        return StormShape(visitors, rate=rate, ramp_seconds=ramp)
    except SettingsError:
        assume(False)
        raise


@given(st.integers(1, 3000))
def test_without_a_rate_all_come_at_once(visitors: int) -> None:
    assert {StormShape(visitors).due(number) for number in range(visitors)} == {0.0}


@given(st.integers(1, 3000), RATES, RAMPS)
def test_they_come_one_after_the_other_and_never_faster_than_the_rate(visitors: int, rate: float, ramp: float) -> None:
    storm = shape(visitors, rate, ramp)
    due = [storm.due(number) for number in range(visitors)]
    assert due[0] == 0.0
    assert all(later - sooner >= 1 / rate * (1 - 1e-6) for sooner, later in itertools.pairwise(due))
    assert due[-1] == storm.comes <= MOST_SECONDS


@given(st.integers(1, 3000), RATES, RAMPS, st.floats(0, 600))
def test_as_many_have_come_as_the_rate_says_which_grows_evenly(
    visitors: int, rate: float, ramp: float, at: float
) -> None:
    storm = shape(visitors, rate, ramp)
    come = sum(storm.due(number) <= at for number in range(visitors))
    in_ramp = rate * at * at / (2 * ramp) if at < ramp else rate * (at - ramp / 2)
    assert come == pytest.approx(min(visitors, math.floor(in_ramp) + 1), abs=1)


@given(st.integers(1, 3000), RATES, RAMPS)
def test_it_has_an_end(visitors: int, rate: float, ramp: float) -> None:
    storm = shape(visitors, rate, ramp)
    assert storm.comes < storm.longest(Limits()) <= MOST_SECONDS + 5 + 5 + 15 + 60


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"visitors": 0}, "1 to 3000"),
        ({"visitors": 3001}, "1 to 3000"),
        ({"rate": 0.0}, "above 0"),
        ({"rate": math.nan}, "above 0"),
        ({"rate": math.inf}, "above 0"),
        ({"ramp_seconds": 5.0}, "a rate beside it"),
        ({"rate": 10.0, "ramp_seconds": -1.0}, "0 to 600"),
        ({"rate": 10.0, "ramp_seconds": math.nan}, "0 to 600"),
        ({"visitors": 1000, "rate": 1.0}, "raise the rate"),
        ({"listen_seconds": 61.0}, "0 to 60"),
        ({"listen_seconds": math.nan}, "0 to 60"),
    ],
    ids=str,
)
def test_what_could_not_be_kept_or_would_not_end_is_refused(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        StormShape(**({"visitors": 10} | wrong))  # type: ignore[arg-type]
