import pytest

from showstopper.availability.feed import Arrival
from showstopper.availability.spans import Kind
from showstopper.availability.tracks import arrival_track, unfinished_call
from tests.availability.build import EPOCH, H, J, L, N, Q, Story, U, spans, window

WHOLE = window(0, 30)


def call(called: float, live: float | None, left: float | None, seen: float = 30.0) -> Arrival:
    return Arrival(
        "a0", EPOCH + called, None, None, None if live is None else EPOCH + live,
        None if left is None else EPOCH + left, "", EPOCH + (left or seen), EPOCH + (left or seen),
    )  # fmt: skip


def heard(visit: Arrival, story: Story, start: float = 0.0, end: float = 30.0) -> list[tuple[str, float]] | None:
    track = arrival_track(visit, spans("a0", story, visit.called - EPOCH, Kind.ARRIVAL), window(start, end))
    return None if track is None else [(str(span.state), round(span.end - span.start, 6)) for span in track.spans]


def test_a_newcomer_is_in_from_when_it_first_heard_the_live_host() -> None:
    assert heard(call(5, 6.5, 20), [(J, 1), (N, 0.5), (L, 3), (Q, 2), (L, 8.5)]) == [
        ("Live", 3), ("Silent", 2), ("Live", 8.5),
    ]  # fmt: skip


def test_a_newcomer_that_never_heard_the_live_host_was_never_in() -> None:
    assert heard(call(5, None, 20), [(J, 1), (H, 14)]) is None
    assert heard(call(5, None, None, seen=20), [(J, 1), (H, 14)]) is None


def test_a_record_that_says_never_is_believed_whatever_was_not_seen() -> None:
    assert heard(call(5, None, 20), [(J, 1), (U, 2), (Q, 12)]) is None


def test_hearing_before_the_window_makes_it_in_throughout_the_window() -> None:
    assert heard(call(0, 1, 20), [(J, 1), (L, 4), (Q, 15)], start=8) == [("Silent", 12)]


def test_a_finished_visit_counts_from_the_live_sound_that_is_on_record() -> None:
    assert heard(call(5, 7, 20), [(J, 1), (U, 4), (Q, 2), (L, 8)]) == [("Unknown", 3), ("Silent", 2), ("Live", 8)]


def test_what_is_unknown_before_the_recorded_live_sound_does_not_count() -> None:
    assert heard(call(5, 9, 20), [(U, 3), (J, 1), (L, 11)]) == [("Live", 11)]


def test_a_record_whose_spans_are_all_lost_leaves_an_unknown_visit() -> None:
    assert heard(call(5, 9, 20), []) == [("Unknown", 11)]


def test_without_a_record_nothing_behind_an_unknown_stretch_counts_until_it_is_live() -> None:
    assert heard(call(5, None, None, 20), [(J, 1), (U, 1), (Q, 3), (L, 10)]) == [("Unknown", 4), ("Live", 10)]


@pytest.mark.parametrize(("left", "expected"), [(20, True), (None, False)])
def test_only_who_is_known_to_have_left_has_left(left: float | None, expected: bool) -> None:
    visit = call(5, 6, left, 20)
    track = arrival_track(visit, spans("a0", [(J, 1), (L, 14)], 5, Kind.ARRIVAL), WHOLE)
    assert track is not None
    assert track.left is expected


def test_who_leaves_behind_the_window_has_not_left_in_it() -> None:
    track = arrival_track(call(5, 6, 20), spans("a0", [(J, 1), (L, 14)], 5, Kind.ARRIVAL), window(0, 15))
    assert track is not None
    assert not track.left


def test_an_unfinished_call_says_what_its_spans_say() -> None:
    visit = unfinished_call("a0", spans("a0", [(J, 1), (N, 1), (H, 1), (L, 2)], 5, Kind.ARRIVAL))
    assert visit == Arrival("a0", EPOCH + 5, EPOCH + 6, EPOCH + 7, EPOCH + 8, None, "", EPOCH + 10, EPOCH + 10)


def test_an_unfinished_call_does_not_tell_what_may_have_happened_behind_an_unknown_stretch() -> None:
    visit = unfinished_call("a0", spans("a0", [(J, 1), (N, 1), (U, 1), (L, 2)], 5, Kind.ARRIVAL))
    assert (visit.joined, visit.first_audio, visit.first_live) == (EPOCH + 6, None, None)
    assert (visit.sure_until, visit.seen_until) == (EPOCH + 7, EPOCH + 10)
