import itertools
import math
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.availability.indicators.indicator import Recovery
from showstopper.availability.indicators.listening import audible_ratio
from showstopper.availability.indicators.recovery import recovery_time
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import State
from showstopper.availability.tracks import View, resident_track
from tests.availability.build import EPOCH, L, N, O, Q, Story, U, hide, known_stories, spans, view, window

KILL = Recovery(EPOCH)


def figures(measured: Measurement) -> tuple[float | None, float, float]:
    return (
        None if measured.value is None else round(measured.value, 5), round(measured.lower, 5), round(measured.upper, 5)
    )  # fmt: skip


def recover(*stories: Story, recovery: Recovery = KILL, end: float | None = None) -> Measurement:
    return recovery_time(view(*stories, end=end), recovery)


def baseline(*stories: Story) -> Recovery:
    return Recovery(EPOCH, audible_ratio(view(*stories)))


def test_a_room_that_never_dropped_recovered_at_once() -> None:
    assert figures(recover([(L, 60)], [(L, 60)])) == (0, 0, 0)


def test_recovery_lasts_from_the_kill_to_when_the_last_resident_hears_again() -> None:
    slow, quick = [(L, 2.3), (Q, 1), (O, 8.7), (L, 48)], [(L, 2.5), (Q, 5), (L, 52.5)]
    assert figures(recover(slow, quick)) == (12, 12, 12)


def test_recovery_counts_from_the_fault_not_from_the_window() -> None:
    assert figures(recover([(L, 20), (Q, 5), (L, 35)], recovery=Recovery(EPOCH + 15)))[0] == 10


def test_a_fault_that_ended_before_counts_from_the_window_on() -> None:
    room = view([(L, 20), (Q, 5), (L, 35)], start=15)
    assert figures(recovery_time(room, Recovery(EPOCH)))[0] == 10


def test_a_drop_that_was_over_before_the_faults_end_is_none() -> None:
    assert figures(recover([(L, 5), (Q, 5), (L, 50)], recovery=Recovery(EPOCH + 15)))[0] == 0


def test_hearing_must_hold_for_ten_seconds() -> None:
    assert figures(recover([(L, 2), (Q, 5), (L, 9.9), (Q, 1), (L, 42)]))[0] == pytest.approx(17.9)


@pytest.mark.parametrize("heard", [9.9, 10.0, 20.0])
def test_a_room_that_relapses_for_good_has_not_recovered(heard: float) -> None:
    measured = recover(*[[(L, 2), (N, 5), (L, heard), (N, 53 - heard)]] * 6)
    assert figures(measured) == (None, 60, math.inf)
    assert "had not recovered" in measured.reason


def test_a_relapse_that_ends_delays_the_recovery() -> None:
    assert figures(recover([(L, 2), (Q, 5), (L, 20), (Q, 3), (L, 30)])) == (30, 30, 30)


def test_a_late_drop_after_a_quiet_start_is_the_drop() -> None:
    assert figures(recover([(L, 30), (Q, 9.8), (L, 40)]))[0] == pytest.approx(39.8)


def test_a_single_class_window_is_no_relapse_but_more_is() -> None:
    assert figures(recover([(L, 30), (Q, 0.1), (L, 29.9)]))[0] == 0
    assert figures(recover([(Q, 0.1), (L, 59.9)])) == (0, 0, 0), "also where it is under way when the fault ends"
    assert figures(recover([(L, 30), (Q, 0.3), (L, 29.7)]))[0] == pytest.approx(30.3)
    flapping: Story = [(L, 2), *[(state, 0.4) for _ in range(5) for state in (Q, L)], (L, 40)]
    assert figures(recover(flapping))[0] == pytest.approx(5.6)


@pytest.mark.parametrize(("residents", "flaws"), [(6, 7), (60, 72), (500, 60), (1000, 60)])
def test_ordinary_noise_in_a_room_of_any_size_is_no_relapse(residents: int, flaws: int) -> None:
    """Single class windows of single residents: 0.2 % of the time in small rooms, 0.02 % in large ones."""
    random = Random(7)
    stories: list[Story] = [[(L, 60.0)]] * residents
    for flaw in range(flaws):
        at = 1 + 57 * random.random() if residents > 6 else 4.0 + 8 * flaw
        stories[random.randrange(residents)] = [(L, at), (Q, 0.1), (L, 59.9 - at)]
    assert figures(recover(*stories, recovery=baseline(*stories))) == (0, 0, 0)


def test_one_in_twenty_may_still_be_deaf_but_not_one_more() -> None:
    hit: list[Story] = [[(L, 1), (N, 9), (L, 50)]] * 38
    assert figures(recover(*hit, *[[(N, 60.0)]] * 2))[0] == 10
    assert figures(recover(*hit, *[[(N, 60.0)]] * 3))[0] is None


def test_not_recovered_inside_the_window_has_the_time_watched_as_its_lower_bound() -> None:
    measured = recover([(L, 2), (Q, 28)])
    assert figures(measured) == (None, 30, math.inf)
    assert "had not recovered" in measured.reason


def test_recovered_less_than_ten_seconds_before_the_end_is_not_sure_to_last() -> None:
    measured = recover([(L, 2), (Q, 10), (L, 9)])
    assert figures(measured) == (None, 12, math.inf)
    assert "allow more time" in measured.reason


def test_a_drop_that_has_just_begun_at_the_end_has_no_bound() -> None:
    assert figures(recover([(L, 29.8), (Q, 0.2)])) == (None, 30, math.inf)


def test_a_relapse_that_begins_after_the_window_is_none_and_one_that_goes_on_then_is() -> None:
    def measured(*story: tuple[State, float]) -> Measurement:
        spans_of = spans("r0", story)
        return recovery_time(
            View(window(0, 60), (resident_track("r0", spans_of, window(0, 60), until=EPOCH + 65),), following=5), KILL
        )

    assert figures(measured((L, 2), (Q, 5), (L, 53.5), (Q, 4.5))) == (7, 7, 7)
    assert figures(measured((L, 2), (Q, 5), (L, 52.5), (Q, 5.5)))[0] is None
    assert figures(measured((L, 2), (Q, 50), (L, 9), (Q, 4))) == (52, 52, math.inf), "ten seconds were not heard"


def test_only_the_share_of_the_baseline_must_hear_again() -> None:
    deaf: Story = [(Q, 60)]
    hit: Story = [(L, 2), (Q, 10), (L, 48)]
    stories = [*[[(L, 60.0)]] * 16, hit, hit, deaf, deaf]
    assert figures(recover(*stories))[0] is None
    assert figures(recover(*stories, recovery=baseline(*[[(L, 20.0)]] * 18, *[[(Q, 20.0)]] * 2)))[0] == 12


def test_a_hiccup_in_the_baseline_excuses_no_resident_of_a_small_room() -> None:
    hiccup = baseline(*[[(L, 20.0)]] * 5, [(L, 19.5), (Q, 0.5)])
    assert figures(recover(*[[(L, 60.0)]] * 5, [(L, 2), (Q, 58)], recovery=hiccup))[0] is None


def test_what_was_not_seen_of_the_baseline_excuses_nobody_and_blames_nobody() -> None:
    half_seen = baseline([(L, 20)], [(U, 20)])
    assert figures(recover([(L, 60)], [(L, 2), (Q, 58)], recovery=half_seen)) == (None, 0, math.inf)


def test_an_unknown_resident_neither_drops_nor_heals_the_room_for_certain() -> None:
    assert figures(recover([(L, 2), (Q, 5), (U, 3), (L, 50)])) == (7, 7, 10)
    assert figures(recover([(L, 4), (U, 0.65), (L, 10.35)], [(L, 15.0)], [(L, 15.0)])) == (0, 0, 4.65)


def test_an_unknown_stretch_before_a_relapse_that_was_seen_does_not_matter() -> None:
    assert figures(recover([(L, 1), (U, 2), (L, 20), (Q, 10), (L, 27)])) == (33, 33, 33)


def test_an_unknown_stretch_behind_a_certain_recovery_does_not_matter_while_others_hear() -> None:
    hit: Story = [(L, 2), (Q, 5), (L, 53)]
    assert figures(recover([(L, 2), (Q, 5), (L, 33), (U, 5), (L, 15)], hit)) == (7, 7, 7)


def test_a_relapse_that_most_of_the_room_could_not_see_is_not_ruled_out() -> None:
    blind: Story = [(L, 2), (Q, 5), (L, 33), (U, 5), (L, 15)]
    assert figures(recover(blind)) == (7, 7, 45)
    assert figures(recover(blind, blind, [(L, 2), (Q, 5), (L, 53)])) == (7, 7, 45)
    assert figures(recover([(L, 2), (Q, 5), (L, 45), (U, 5), (L, 3)])) == (7, 7, math.inf)


def test_a_probe_that_was_late_for_a_moment_hides_no_relapse() -> None:
    assert figures(recover([(L, 2), (Q, 5), (L, 33), (U, 0.5), (L, 19.5)])) == (7, 7, 7)


def test_of_a_room_that_nobody_saw_no_recovery_is_measured() -> None:
    measured = recover([(U, 60)])
    assert (measured.value, measured.samples, measured.upper) == (None, 0, math.inf)


def hide_any(data: st.DataObject, stories: list[Story], end: float = 30) -> list[Story]:
    """The same stories with one stretch of each hidden, up to `end`."""
    cuts = st.tuples(st.integers(0, 58), st.integers(1, 60))
    hidden = []
    for story in stories:
        start, length = data.draw(cuts)
        hidden.append(hide(story, start / 2, min(end, (start + length) / 2)))
    return hidden


@settings(max_examples=300)
@given(st.lists(known_stories(), min_size=1, max_size=3), st.data())
def test_the_bounds_hold_whatever_was_hidden_in_the_window_and_in_the_baseline(
    room: list[Story], data: st.DataObject
) -> None:
    """But for a relapse that nobody could see: where a room was heard for ten seconds, it has recovered.

    Nobody is at most half of the room: the other half looks.
    """
    before = data.draw(st.lists(known_stories(), min_size=len(room), max_size=len(room)))
    seen_room = hide_any(data, room)
    seen = recover(*seen_room, recovery=baseline(*hide_any(data, before)))
    truth = recover(*room, recovery=baseline(*before))
    if seen.samples:
        assert seen.lower <= truth.lower + 1e-6
        if seen.upper < math.inf:
            healed = [heal(story, shown, seen.upper) for story, shown in zip(room, seen_room, strict=True)]
            truth = recover(*healed, recovery=baseline(*before))
        assert seen.upper >= truth.upper - 1e-6


def heal(story: Story, shown: Story, after: float) -> Story:
    """The story with what was hidden after that instant heard."""
    unknown = [(start, start + seconds) for start, state, seconds in _from_start(shown) if state is U]
    for start, end in unknown:
        story = [
            (L if start - 1e-6 <= at and at + seconds <= end + 1e-6 and at >= after - 1e-6 else state, seconds)
            for at, state, seconds in _from_start(_cut(story, max(start, min(after, end)), end))
        ]
    return story


def _from_start(story: Story) -> Iterator[tuple[float, State, float]]:
    at = 0.0
    for state, seconds in story:
        yield at, state, seconds
        at += seconds


def _cut(story: Story, *cuts: float) -> Story:
    pieces: list[tuple[State, float]] = []
    for at, state, seconds in _from_start(story):
        inner = [cut for cut in sorted(cuts) if at < cut < at + seconds]
        points = [at, *inner, at + seconds]
        pieces += [(state, last - first) for first, last in itertools.pairwise(points)]
    return pieces


@given(st.lists(known_stories(), min_size=1, max_size=3))
def test_with_nothing_hidden_recovery_is_exact_or_unfinished(room: list[Story]) -> None:
    measured = recover(*room)
    assert measured.exact or measured.upper == math.inf
