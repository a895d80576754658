import dataclasses
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.indicators.listening import audible_ratio, longest_dead_air, outage_count, reconnects
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import Kind
from showstopper.availability.tracks import View, resident_track
from tests.availability.build import H, J, L, N, O, Q, Story, U, hide, known_stories, stories, track, view, window


def figures(measured: Measurement) -> tuple[float | None, float, float]:
    return (
        None if measured.value is None else round(measured.value, 5), round(measured.lower, 5), round(measured.upper, 5)
    )  # fmt: skip


def test_audible_ratio_is_live_time_over_intended_time() -> None:
    measured = audible_ratio(view([(L, 20)], [(L, 10), (Q, 10)]))
    assert figures(measured) == (0.75, 0.75, 0.75)
    assert (measured.samples, measured.worst_listener) == (2, "r1")
    assert measured.worst_value == pytest.approx(0.5)


def test_unknown_time_does_not_count_as_intended_but_widens_the_bounds() -> None:
    assert figures(audible_ratio(view([(L, 12), (Q, 4), (U, 4)]))) == (0.75, 0.6, 0.8)


def test_hold_music_is_not_audible() -> None:
    assert figures(audible_ratio(view([(H, 20)])))[0] == 0


def test_a_resident_never_seen_lowers_what_is_certain_and_nothing_else() -> None:
    measured = audible_ratio(view([(L, 20)], [(U, 20)]))
    assert figures(measured) == (1.0, 0.5, 1.0)
    assert measured.samples == 1


def test_arrivals_do_not_count_in_the_audible_ratio() -> None:
    room = view([(L, 20)])
    room = dataclasses.replace(room, arrivals=(track((Q, 20), kind=Kind.ARRIVAL),))
    assert figures(audible_ratio(room))[0] == 1.0


@pytest.mark.parametrize("indicator", [audible_ratio, longest_dead_air, outage_count, reconnects])
def test_where_nothing_is_known_nothing_is_measured(indicator: Callable[[View], Measurement]) -> None:
    measured = indicator(view([(U, 20)], [(U, 20)]))
    assert (measured.value, measured.samples, measured.lower) == (None, 0, 0.0)
    assert measured.upper >= 1.0
    assert "listener" in measured.reason


def test_longest_dead_air_is_the_longest_of_any_listener() -> None:
    measured = longest_dead_air(view([(L, 5), (Q, 3), (L, 12)], [(L, 5), (O, 4), (J, 2), (L, 9)]))
    assert figures(measured) == (6, 6, 6)
    assert (measured.worst_listener, measured.samples) == ("r1", 2)


def test_without_dead_air_the_longest_is_none() -> None:
    assert figures(longest_dead_air(view([(L, 20)]))) == (0, 0, 0)


def test_dead_air_at_the_end_of_the_window_has_no_upper_bound() -> None:
    assert figures(longest_dead_air(view([(L, 17), (Q, 3)]))) == (3, 3, math.inf)


def test_an_unknown_end_of_the_window_has_no_upper_bound_either() -> None:
    assert figures(longest_dead_air(view([(L, 17), (U, 3)]))) == (0, 0, math.inf)


def test_an_unknown_stretch_alone_may_have_been_dead_air() -> None:
    assert figures(longest_dead_air(view([(L, 5), (U, 3), (L, 12)]))) == (0, 0, 3)


def test_the_dead_air_of_a_newcomer_who_was_in_counts_and_ends_when_it_leaves() -> None:
    room = view([(L, 20)])
    room = dataclasses.replace(room, arrivals=(track((L, 5), (Q, 4), left=True, kind=Kind.ARRIVAL),))
    assert figures(longest_dead_air(room)) == (4, 4, 4)


def test_outages_are_counted_over_all_listeners() -> None:
    measured = outage_count(view([(L, 5), (Q, 3), (L, 3), (N, 1), (L, 8)], [(L, 5), (O, 4), (J, 2), (L, 9)]))
    assert figures(measured) == (3, 3, 3)
    assert (measured.worst_listener, measured.worst_value) == ("r0", 2)


@pytest.mark.parametrize(
    ("story", "outages", "lost"),
    [
        ([(L, 5), (U, 0.5), (L, 5)], (0, 0, 2), (0, 0, 1)),
        ([(L, 5), (U, 0.4), (L, 5)], (0, 0, 2), (0, 0, 0)),
        ([(L, 5), (U, 2.5), (L, 5)], (0, 0, 9), (0, 0, 3)),
        ([(L, 5), (J, 1), (U, 0.5), (J, 1), (L, 5)], (1, 1, 3), (1, 1, 2)),
        ([(L, 5), (J, 1), (U, 0.1), (J, 1), (L, 5)], (1, 1, 1), (1, 1, 1)),
        ([(L, 5), (J, 0.2), (U, 0.45), (J, 1), (L, 5)], (1, 1, 2), (1, 1, 1)),
        ([(L, 5), (J, 1), (U, 0.45), (J, 0.2), (L, 5)], (1, 1, 2), (1, 1, 1)),
        ([(L, 5), (J, 0.2), (U, 0.5), (J, 1), (L, 5)], (1, 1, 3), (1, 1, 2)),
        ([(J, 0.2), (U, 0.45), (J, 1), (L, 5)], (1, 1, 2), (1, 1, 2)),
        ([(L, 5), (U, 0.1)], (0, 0, 1), (0, 0, 1)),
        ([(U, 0.1), (L, 5)], (0, 0, 1), (0, 0, 1)),
    ],
)
def test_an_unknown_stretch_hides_no_more_outages_and_reconnects_than_there_can_be(
    story: Story, outages: tuple[float, float, float], lost: tuple[float, float, float]
) -> None:
    assert figures(outage_count(view(story))) == outages
    assert figures(reconnects(view(story))) == lost


def test_some_late_probes_do_not_hide_thirty_reconnects() -> None:
    assert figures(reconnects(view(*[[(L, 40.0), (U, 2.5), (L, 47.5)]] * 6))) == (0, 0, 18)


def followed(*stories: Story, end: float) -> View:
    """A window that ends there, with what came after it."""
    whole = view(*stories)
    within, until = window(0, end), whole.window.end
    tracks = [resident_track(track.listener, track.spans, within, until=until) for track in whole.residents]
    return View(within, tuple(tracks), following=until - within.end)


def test_the_seconds_after_the_window_decide_how_long_its_last_outage_was() -> None:
    assert figures(longest_dead_air(followed([(L, 19.9), (Q, 0.3), (L, 2)], end=20))) == (0.3, 0.3, 0.3)
    assert figures(longest_dead_air(followed([(L, 19.9), (U, 0.3), (L, 2)], end=20))) == (0, 0, 0.3)
    assert figures(longest_dead_air(followed([(L, 19.9), (Q, 3)], end=20))) == (3, 3, math.inf)


def test_what_begins_after_the_window_does_not_count() -> None:
    room = followed([(L, 21), (Q, 2), (U, 1)], end=20)
    assert figures(longest_dead_air(room)) == figures(outage_count(room)) == (0, 0, 0)


def test_reconnects_count_each_loss_of_the_connection_once() -> None:
    story: Story = [(L, 5), (N, 1), (O, 1), (J, 2), (N, 1), (L, 5), (Q, 2), (L, 3), (J, 1), (L, 1)]
    assert figures(reconnects(view(story))) == (2, 2, 2)


@given(st.lists(stories(), min_size=1, max_size=4))
def test_the_truth_lies_between_ordered_bounds_and_a_ratio_between_0_and_1(room: list[Story]) -> None:
    ratio = audible_ratio(view(*room))
    assert 0 <= ratio.lower <= ratio.upper <= 1
    for measured in (ratio, longest_dead_air(view(*room)), outage_count(view(*room)), reconnects(view(*room))):
        assert measured.lower <= measured.upper + 1e-6
        if measured.value is not None:
            assert measured.lower - 1e-6 <= measured.value <= measured.upper + 1e-6


@given(known_stories(), st.integers(0, 58), st.integers(1, 60))
def test_the_bounds_hold_whatever_was_hidden(story: Story, start: int, length: int) -> None:
    hidden = hide(story, start / 2, min(30, (start + length) / 2))
    for indicator in (audible_ratio, longest_dead_air, outage_count, reconnects):
        truth, seen = indicator(view(story)), indicator(view(hidden))
        assert seen.lower <= truth.lower + 1e-6
        assert seen.upper >= truth.upper - 1e-6
