"""When the joins of a storm are due, and how many fit into a fault's time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.faults.storm import JoinStorm
from showstopper.api.schema.quantities import parse_duration
from showstopper.audio.crowd.storm.shape import MOST_SECONDS
from showstopper.audio.settings import MOST_OF_A_CROWD
from showstopper.faults.storm import schedule

RATES = st.integers(1, 1000)
RAMPS = st.sampled_from([0.0]) | st.floats(1, 300)


@given(st.floats(5, 600), RATES, RAMPS)
def test_as_many_joins_as_a_rate_makes_of_a_time_fit_into_it(duration: float, rate: int, ramp: float) -> None:
    joins = schedule.tries_of(duration, rate, ramp)
    assert joins >= 1
    assert schedule.needed(joins, rate, ramp) <= duration + 1e-6
    if joins > 1:
        assert schedule.due(joins + 1, rate, ramp) > duration - schedule.LAST_SECONDS - schedule.LEAVE_SECONDS - 1e-6


def test_without_a_ramp_it_is_the_rate_times_the_seconds() -> None:
    assert schedule.tries_of(14, 10) == 100
    assert schedule.tries_of(14, 10, 4) == 80, "half of those that would have come while the rate grows are missing"
    assert schedule.needed(50, 25) == pytest.approx(49 / 25 + 4)
    assert schedule.needed(3000, None) == 4


def test_the_bounds_are_those_of_the_process_and_of_the_api() -> None:
    joins = JoinStorm.model_json_schema()["properties"]["joins"]["anyOf"][0]
    assert joins["maximum"] == schedule.MOST_JOINS == MOST_OF_A_CROWD
    assert parse_duration(JoinStorm.longest).total_seconds() == MOST_SECONDS
    assert math.isclose(schedule.due(0, 5, 10), 0)
