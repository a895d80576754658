import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.timestamps import Reading, monotonic_seconds, stepped

SECOND = 1_000_000_000
WALL = 1_800_000_000 * SECOND
"""Wall minus monotonic before the step."""


@given(st.integers(0, 10 * SECOND), st.integers(1, 3 * SECOND), st.integers(-100, 100), st.data())
def test_a_stamp_is_right_whatever_the_wall_clock_did_meanwhile(
    began: int, lasted: int, step_seconds: int, data: st.DataObject
) -> None:
    """Steps that are longer than the time between two sweeps: of both readings only one can be right."""
    step = step_seconds * SECOND if abs(step_seconds * SECOND) > 2 * lasted else 0
    before = Reading(began, began + WALL)
    now = Reading(began + lasted, began + lasted + WALL + step)
    stepped_at = data.draw(st.integers(began, began + lasted))
    times = np.array(data.draw(st.lists(st.integers(began, began + lasted), min_size=1, max_size=20)), np.int64)
    stamps = times + WALL + np.where(times >= stepped_at, step, 0)
    assert stepped(before, now) is (step != 0)
    assert monotonic_seconds(stamps, before, now) == pytest.approx(times * 1e-9, abs=1e-6)


def test_slewing_is_no_step() -> None:
    assert not stepped(Reading(0, WALL), Reading(SECOND, SECOND + WALL + 500_000))


def test_a_reading_is_of_one_moment() -> None:
    before = time.monotonic_ns()
    reading = Reading.now()
    assert before <= reading.monotonic <= time.monotonic_ns()
