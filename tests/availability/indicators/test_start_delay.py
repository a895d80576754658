"""StartDelay: by example, and as a property: whatever Unknown held, the truth lies between the bounds."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.indicators.start_delay import start_delay
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import State
from showstopper.availability.tracks import View, resident_track
from tests.availability.build import EPOCH, C, H, J, L, Story, U, hide, known_stories, spans, view


def announced(room: View, at: float | None) -> View:
    return dataclasses.replace(room, starts_at=None if at is None else EPOCH + at)


def started(*stories: Story, at: float | None = None, start: float = 0.0, end: float | None = None) -> Measurement:
    return start_delay(announced(view(*stories, start=start, end=end), at))


def figures(measured: Measurement) -> tuple[float | None, float, float]:
    value = None if measured.value is None else round(measured.value, 5)
    return value, round(measured.lower, 5), round(measured.upper, 5)


def test_it_counts_from_the_announced_start_to_when_half_of_the_residents_hear() -> None:
    early, late = [(H, 40), (L, 20)], [(H, 50), (L, 10)]
    assert figures(started(early, early, late, late, at=10)) == (30, 30, 30)
    assert figures(started(early, late, late, at=10)) == (40, 40, 40), "one of three is no half"


def test_without_one_it_counts_from_the_window() -> None:
    assert figures(started([(H, 12), (L, 48)])) == (12, 12, 12)
    assert figures(started([(L, 60)])) == (0, 0, 0)


def test_what_was_heard_before_the_announced_start_is_no_start() -> None:
    assert figures(started([(L, 20), (H, 25), (L, 15)], at=21)) == (24, 24, 24)
    assert figures(started([(L, 20), (H, 25), (L, 15)], at=19)) == (0, 0, 0)


def test_half_must_hear_at_once() -> None:
    first, second = [(L, 5), (H, 55)], [(H, 5), (L, 5), (H, 50)]
    third = [(H, 8), (L, 52)]
    assert figures(started(first, second, third, [(H, 60)])) == (8, 8, 8)


def test_a_show_that_did_not_start_is_late_by_all_that_was_seen() -> None:
    measured = started([(H, 60)], [(H, 60)], at=10)
    assert figures(measured) == (None, 50, math.inf)
    assert "had not heard the host at once when the window ended" in measured.reason


def test_what_follows_the_window_is_looked_at_too() -> None:
    story = [(H, 62), (L, 3)]
    whole = view(story, end=60)
    room = dataclasses.replace(
        whole,
        residents=(resident_track("r0", spans("r0", story), whole.window, until=EPOCH + 65),),
        following=5.0,
    )
    assert figures(start_delay(room)) == (62, 62, 62)


def test_a_start_that_is_still_to_come_is_not_measured() -> None:
    measured = started([(H, 60)], at=60)
    assert measured.value is None
    assert not measured.samples
    assert "after this window" in measured.reason


def test_a_start_before_the_window_may_have_been_met_before_it() -> None:
    assert figures(started([(H, 40), (L, 20)], at=-10, start=20)) == (50, 0, 50)
    measured = started([(L, 60)], at=-10, start=20)
    assert figures(measured) == (None, 0, 30)
    assert "when this window began" in measured.reason


@pytest.mark.parametrize("state", [U, C])
def test_who_is_not_seen_may_have_heard_and_is_not_counted_as_hearing(state: State) -> None:
    assert figures(started([(J, 5), (state, 5), (L, 50)])) == (10, 5, 10)


def test_a_window_in_which_nothing_is_known_tells_nothing() -> None:
    assert not started([(U, 60)]).samples


HIDDEN = st.lists(st.tuples(st.integers(0, 58), st.integers(1, 12)), max_size=3)


@given(st.lists(known_stories(30), min_size=1, max_size=4), st.integers(0, 50), st.data())
def test_the_truth_lies_within_the_bounds_whatever_is_hidden(room: list[Story], at: int, data: st.DataObject) -> None:
    told = []
    for story in room:
        hidden = story
        for start, size in data.draw(HIDDEN):
            hidden = hide(hidden, start / 2, (start + size) / 2)
        told.append(hidden)
    truth, measured = started(*room, at=at / 2), started(*told, at=at / 2)
    true = math.inf if truth.value is None else truth.value
    assert measured.lower <= true + 1e-6
    assert true <= measured.upper + 1e-6
