"""Whether fleet and crowd tell the same of an outage that both saw."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from showstopper.availability import agreement
from showstopper.availability.spans import State
from showstopper.availability.tracks import Track, View
from tests.availability.build import EPOCH, J, L, N, Q, Story, U, view


def stopped(*, at: float, seconds: float = 3.0) -> Story:
    """Media stops for a listener who heard the host, who joins again and hears it."""
    return [(L, at), (N, seconds - 0.5), (J, 0.5), (L, 30 - at - seconds)]


def fleet(*stopped_at: float, buffered: float = 0.35) -> View:
    """Residents whose players have that much sound left when media stops."""
    whole = view(*[stopped(at=at + buffered) for at in stopped_at])
    return replace(whole, residents=tuple(_missing(track, buffered) for track in whole.residents))


def _missing(track: Track, buffered: float) -> Track:
    spans = [replace(span, missing=span.seconds + buffered) if span.state is N else span for span in track.spans]
    return replace(track, spans=tuple(spans))


def crowd(*stories: Story) -> View:
    """What a crowd tells: what was heard just before a pause it does not know."""
    return view(*[list(_unsure(story)) for story in stories])


def _unsure(story: Story) -> Iterator[tuple[State, float]]:
    for (state, seconds), (following, _) in pairwise([*story, (L, 0.0)]):
        if state is L and following is N:
            yield from ((L, seconds - 0.17), (U, 0.17))
        else:
            yield state, seconds


WELL: Story = [(L, 30)]
FLEET = fleet(10.004, 10.006, 10.012)
CROWD = [stopped(at=10.0 + number / 10_000) for number in range(20)]


def test_the_start_of_an_outage_of_all_is_the_median_of_either_kind() -> None:
    (start,) = agreement.starts(FLEET, crowd(*CROWD))
    assert start.fleet - EPOCH == pytest.approx(10.006, abs=1e-5)
    assert start.crowd - EPOCH == pytest.approx(10.00095, abs=1e-5)
    assert start.agrees


@pytest.mark.parametrize("buffered", [0.0, 0.02, 0.35, 2.0])
def test_how_much_sound_players_have_left_does_not_matter(buffered: float) -> None:
    (start,) = agreement.starts(fleet(10.0, 10.0, buffered=buffered), crowd(*CROWD))
    assert start.agrees


@pytest.mark.parametrize(("by", "agrees"), [(0.019, True), (-0.019, True), (0.021, False), (-0.021, False)])
def test_they_agree_within_20_ms_on_either_side(by: float, agrees: bool) -> None:
    (start,) = agreement.starts(fleet(*[10 + by] * 3), crowd(*[stopped(at=10.0)] * 20))
    assert start.apart == pytest.approx(by, abs=1e-5)
    assert start.agrees is agrees


def test_two_outages_are_two_starts() -> None:
    twice: Story = [(L, 5), (N, 1), (J, 1), (L, 8), (N, 3), (J, 1), (L, 11)]
    heard = view(twice, twice)
    heard = replace(heard, residents=tuple(_missing(track, 0.0) for track in heard.residents))
    starts = agreement.starts(heard, crowd(*[twice] * 5))
    assert [start.crowd - EPOCH for start in starts] == pytest.approx([5, 15])


@pytest.mark.parametrize(
    ("heard", "stories"),
    [
        (view(*[WELL] * 3), CROWD),
        (FLEET, [WELL] * 20),
        (replace(FLEET, residents=(FLEET.residents[0], *view(WELL, WELL).residents)), CROWD),
        (FLEET, [*CROWD[:5], *[WELL] * 15]),
        (FLEET, [stopped(at=10 + number / 10) for number in range(20)]),
        (FLEET, [[(L, 10), (Q, 3), (L, 17)]] * 20),
        (FLEET, [[(U, 10), (N, 3), (L, 17)]] * 20),
        (FLEET, [stopped(at=10.0, seconds=0.499)] * 20),
        (fleet(13.0, 13.0, 13.0), CROWD),
        (view(*[[(L, 10), (N, 3), (L, 17)]] * 3), CROWD),
    ],
    ids=[
        "only the crowd",
        "only the fleet",
        "a part of the fleet",
        "a part of the crowd",
        "each at a time of its own",
        "silence is no loss of media",
        "nobody saw it begin",
        "too short",
        "another time",
        "a fleet that kept its sessions",
    ],
)
def test_what_not_both_kinds_saw_together_has_no_start(heard: View, stories: list[Story]) -> None:
    assert agreement.starts(heard, crowd(*stories)) == ()


def test_whose_media_came_before_its_session_stood_again_tells_no_start() -> None:
    """One of three: the others do."""
    first, *others = fleet(10.0, 10.0, 10.0).residents
    early = [replace(span, missing=span.missing - 0.4) if span.state is N else span for span in first.spans]
    (start,) = agreement.starts(replace(FLEET, residents=(replace(first, spans=tuple(early)), *others)), crowd(*CROWD))
    assert start.fleet - EPOCH == pytest.approx(10.0, abs=1e-5)


def test_the_last_packets_of_a_relay_reach_some_only() -> None:
    spread = [stopped(at=10.0 + (number % 3) * 0.02) for number in range(20)]
    (start,) = agreement.starts(fleet(10.02, 10.02, 10.02), crowd(*spread))
    assert start.agrees


def test_a_few_of_a_crowd_who_lost_media_before_the_others_do_not_hide_its_start() -> None:
    (start,) = agreement.starts(FLEET, crowd(stopped(at=9.5), *[stopped(at=10.0)] * 39))
    assert start.crowd - EPOCH == pytest.approx(10.0)
