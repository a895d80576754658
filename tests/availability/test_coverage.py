import pytest

from showstopper.availability import coverage
from showstopper.availability.tracks import View, resident_track
from tests.availability.build import H, L, Q, U, view, window


def test_a_window_that_was_seen_has_no_unknown_share() -> None:
    seen = coverage.of(view([(L, 20)], [(L, 10), (Q, 10)]))
    assert (seen.unknown_share, seen.intended, seen.too_unknown) == (0.0, 2, False)
    assert (seen.gone, seen.unheard, seen.unseen) == ((), (), ())
    assert seen.audible.value == pytest.approx(0.75)


def test_who_is_unknown_at_the_end_is_gone_and_who_never_heard_is_unheard() -> None:
    seen = coverage.of(view([(L, 20)], [(L, 18), (U, 2)], [(H, 20)], [(U, 20)]))
    assert seen.gone == ("r1", "r3")
    assert seen.unheard == ("r2",)
    assert seen.unseen == ("r3",)
    assert seen.listeners_gone


@pytest.mark.parametrize(("seconds", "too_much"), [(1.0, False), (1.02, True)])
def test_more_than_a_twentieth_is_too_much_unknown(seconds: float, too_much: bool) -> None:
    assert coverage.of(view([(L, 10), (U, seconds), (L, 10 - seconds)])).too_unknown is too_much


def test_one_of_twenty_may_be_gone_at_the_end() -> None:
    rest = [[(L, 20.0)]] * 18
    assert not coverage.of(view(*rest, [(L, 20)], [(L, 19.5), (U, 0.5)])).listeners_gone
    assert coverage.of(view(*rest, [(L, 19.5), (U, 0.5)], [(L, 19.5), (U, 0.5)])).listeners_gone


def test_who_is_known_again_some_seconds_later_was_not_gone() -> None:
    whole = view([(L, 19.9), (U, 0.4), (L, 2)], [(L, 19), (U, 3.3)])
    tracks = [
        resident_track(track.listener, track.spans, window(0, 20), until=whole.window.end) for track in whole.residents
    ]
    assert coverage.of(View(window(0, 20), tuple(tracks))).gone == ("r1",)


@pytest.mark.parametrize("room", [View(window(0, 20), ()), view([(L, 20)], start=5, end=5)])
def test_without_residents_or_time_all_is_unknown(room: View) -> None:
    seen = coverage.of(room)
    assert seen.unknown_share == 1.0
    assert seen.too_unknown
    assert seen.audible.value is None
