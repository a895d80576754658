"""Samples: a share of the sampled time, and bounds that hold whatever happened while nobody looked."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability import samples
from showstopper.availability.indicators.listening import AUDIBLE_RATIO
from showstopper.availability.samples import MOST_STRETCHES, Samples
from showstopper.availability.spans import Window

WINDOW = Window(100.0, 110.0)
"""Whatever has a unit of shares can be sampled; an indicator is at hand."""


def sampled(*answers: tuple[float, bool]) -> Samples:
    known = Samples()
    for at, holds in answers:
        known = known.add(at, holds=holds)
    return known


def every_second(start: int, end: int, holds: bool = True) -> list[tuple[float, bool]]:
    return [(float(at), holds) for at in range(start, end)]


def figures(known: Samples, window: Window = WINDOW) -> tuple[float | None, float, float]:
    measurement = samples.measure(AUDIBLE_RATIO, known.stretches, window)
    rounded = None if measurement.value is None else round(measurement.value, 6)
    return rounded, round(measurement.lower, 6), round(measurement.upper, 6)


def test_what_held_at_every_sample_held_all_the_time() -> None:
    assert figures(sampled(*every_second(99, 112))) == (1.0, 1.0, 1.0)


def test_a_sample_speaks_until_the_next_one() -> None:
    answers = [*every_second(99, 103), *every_second(103, 105, holds=False), *every_second(105, 112)]
    assert figures(sampled(*answers)) == (0.8, 0.8, 0.8)


def test_without_a_sample_nothing_is_measured() -> None:
    measurement = samples.measure(AUDIBLE_RATIO, (), WINDOW, why="the API server does not answer")
    assert (measurement.value, measurement.lower, measurement.upper) == (None, 0.0, 1.0)
    assert measurement.reason == "nothing could be sampled in this window: the API server does not answer"


def test_one_sample_alone_speaks_for_nothing() -> None:
    assert figures(sampled((105.0, True))) == (None, 0.0, 1.0)


def test_a_gap_may_hide_either() -> None:
    known = sampled(*every_second(99, 103), *every_second(107, 112))
    assert figures(known) == (1.0, 0.5, 1.0)
    assert samples.measure(AUDIBLE_RATIO, known.stretches, WINDOW).reason == "5.0 s of 10.0 s were not sampled"


def test_a_sample_that_comes_late_says_nothing_of_the_time_before() -> None:
    assert sampled((100.0, True), (100.5, False), (99.0, True)).newest == (100.5, False)


def test_of_what_changes_all_the_time_the_sums_are_kept() -> None:
    flapping = sampled(*((float(at), at % 2 == 0) for at in range(100, 201)))
    assert len(flapping.stretches) == MOST_STRETCHES
    assert figures(flapping, Window(100.0, 200.0)) == (0.5, 0.5, 0.5)


answers = st.lists(st.tuples(st.floats(0.05, 5.0), st.booleans()), min_size=2, max_size=60)


@given(answers, st.floats(0.0, 60.0), st.floats(1.0, 60.0))
def test_the_bounds_hold_what_the_samples_say_of_any_window(
    steps: list[tuple[float, bool]], start: float, length: float
) -> None:
    """However many stretches were joined, and wherever the window cuts them."""
    at, known, held, seen = 0.0, Samples(), 0.0, 0.0
    window = Window(start, start + length)
    before: tuple[float, bool] | None = None
    for seconds, holds in steps:
        at += seconds
        known = known.add(at, holds=holds)
        if before is not None and at - before[0] <= samples.STALE_SECONDS:
            inside = max(0.0, min(at, window.end) - max(before[0], window.start))
            seen, held = seen + inside, held + inside * before[1]
        before = at, holds
    assert len(known.stretches) <= MOST_STRETCHES
    measurement = samples.measure(AUDIBLE_RATIO, known.stretches, window)
    unknown = window.seconds - seen
    assert measurement.lower <= held / window.seconds + 1e-9
    assert measurement.upper >= (held + unknown) / window.seconds - 1e-9
    if measurement.value is not None:
        assert measurement.lower - 1e-9 <= measurement.value <= measurement.upper + 1e-9
        assert math.isfinite(measurement.value)


@pytest.mark.parametrize("holds", [True, False])
def test_a_stretch_that_says_one_thing_is_cut_exactly(holds: bool) -> None:
    share = 1.0 if holds else 0.0
    assert figures(sampled(*every_second(50, 200, holds))) == (share, share, share)
