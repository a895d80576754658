"""Cells: a coarse picture hides no outage."""

from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.spans import DEAD, State
from showstopper.report.cells import cells, coarse
from tests.availability.build import EPOCH, H, L, N, Story, U, stories, track, window

SECONDS = 30


def test_dead_air_is_shown_before_what_is_not_known_and_that_before_sound() -> None:
    assert cells(track((L, 7.0), (U, 2.0), (N, 1.0)), window(0, 10), 1) == [N]
    assert cells(track((L, 8.0), (U, 2.0)), window(0, 10), 1) == [U]
    assert cells(track((L, 6.0), (H, 1.0), (N, 3.0)), window(0, 10), 2) == [L, N]


def test_where_the_listener_was_not_meant_to_be_in_there_is_nothing() -> None:
    assert cells(track((L, 5.0)), window(0, 10), 4) == [L, L, None, None]


def test_an_empty_window_has_empty_cells() -> None:
    assert cells(track((L, 5.0)), window(3, 3), 2) == [None, None]


@given(stories(SECONDS), st.integers(1, 90))
def test_every_outage_leaves_a_mark(story: Story, count: int) -> None:
    states = cells(track(*story), window(0, SECONDS), count)
    assert len(states) == count
    assert any(state in DEAD for state in states) == any(state in DEAD for state, _ in story)
    assert None not in states


@given(stories(SECONDS), st.integers(1, 20))
def test_a_coarse_track_covers_the_same_time_with_no_more_spans(story: Story, most: int) -> None:
    whole = track(*story)
    spans = coarse(whole, window(0, SECONDS), most)
    assert len(spans) <= max(most, 1)
    assert abs(sum(span.seconds for span in spans) - SECONDS) < 1e-6
    assert spans[0].start == EPOCH


@given(stories(SECONDS))
def test_what_has_room_is_left_as_it_is(story: Story) -> None:
    whole = track(*story)
    assert coarse(whole, window(0, SECONDS), 100) == whole.spans


def test_a_flapping_listener_is_never_shown_as_well() -> None:
    flapping = track(*[(L, 0.3), (N, 0.15)] * 300)
    shown = coarse(flapping, window(0, 135), 50)
    assert {span.state for span in shown} == {State.NO_MEDIA}
