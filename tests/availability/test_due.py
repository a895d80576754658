"""Calls that were due: what is missing is counted, and no healthy fleet is ever said to miss one."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.due import Timetable, unmade, watched
from showstopper.availability.spans import Window
from showstopper.availability.tracks import View
from tests.availability.build import EPOCH, arrival_json, feed, timeline, window

TWO = Timetable(frozenset({"p-0", "p-1"}), 10.0)


def test_calls_that_were_made_in_time_are_all_that_were_due() -> None:
    assert unmade(["p-0/a1", "p-1/a1"] * 6, TWO, window(0, 60)) == 0


def test_a_pod_that_makes_no_call_misses_its_own_share() -> None:
    assert unmade(["p-0/a1"] * 6, TWO, window(0, 60)) == 5
    assert unmade([], TWO, window(0, 60)) == 10


def test_another_pod_s_calls_make_up_for_nothing() -> None:
    assert unmade([*["p-0/a1"] * 12, "p-7/a1"], TWO, window(0, 60)) == 5


def test_a_window_that_is_shorter_than_a_turn_has_nothing_due() -> None:
    assert unmade([], TWO, window(0, 11)) == 0
    assert unmade([], TWO, window(5, 5)) == 0


def test_only_calls_that_were_made_in_the_window_count() -> None:
    told = [arrival_json(f"p-0/a{index}", at, at + 15.0) for index, at in enumerate((-5.0, 5.0, 15.0, 58.0, 61.0))]
    view = timeline(feed(clock=80, arrivals=told)).view(window(0, 60), 0)
    assert watched(view, Timetable(frozenset({"p-0"}), 10.0)).unmade == 2
    assert watched(view, None) == view


@given(st.floats(0.2, 60), st.floats(0, 1), st.floats(0, 120), st.lists(st.floats(0, 1.5), min_size=1, max_size=30))
def test_a_fleet_that_is_late_now_and_then_misses_nothing(
    every: float, phase: float, length: float, late: list[float]
) -> None:
    """As `newcomers.work` sends them: one that is late moves those after it."""
    pod, within = Timetable(frozenset({"p-0"}), every), Window(EPOCH, EPOCH + length)
    due, callers, last = EPOCH + phase * every, list[str](), 1.5
    for delay in late:
        at = due + min(delay, last)  # they are never later together than what is forgiven
        last -= min(delay, last)
        if within.start <= at < within.end:
            callers.append("p-0/a1")
        due = max(due + every, at)
    while due < within.end:
        callers.append("p-0/a1")
        due += every
    assert unmade(callers, pod, within) == 0


def test_a_view_says_nothing_of_calls_before_it_is_asked() -> None:
    assert dataclasses.replace(View(window(0, 60), ())).unmade == 0
