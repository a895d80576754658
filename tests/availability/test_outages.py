import dataclasses
import itertools
import math

import pytest
from hypothesis import given

from showstopper.availability import outages
from showstopper.availability.outages import OutageEnd
from showstopper.availability.spans import DEAD, State
from tests.availability.build import H, J, L, N, O, Q, S, Story, U, stories, track, view


@pytest.mark.parametrize("state", sorted(DEAD))
def test_every_state_that_is_not_live_is_dead_air(state: State) -> None:
    track_outages = outages.of_track(track((L, 5), (state, 3), (L, 5)))
    assert [(outage.dead_air, outage.at_least, outage.at_most, outage.recovered) for outage in track_outages] == [
        (3, 3, 3, True)
    ]


def test_a_chain_of_dead_states_is_one_outage() -> None:
    track_outages = outages.of_track(track((L, 5), (Q, 1), (N, 2), (O, 3), (J, 4), (H, 5), (S, 6), (L, 5)))
    assert [(outage.dead_air, outage.silence) for outage in track_outages] == [(21, 14)]


def test_silence_is_the_part_of_an_outage_while_connected() -> None:
    assert outages.of_track(track((L, 5), (N, 2), (O, 3), (J, 1), (L, 5)))[0].silence == 2


def test_nothing_but_live_sound_has_no_outage_and_nor_has_nothing_known() -> None:
    assert outages.of_track(track((L, 30))) == []
    assert outages.of_track(track((U, 30))) == []


def test_unknown_beside_an_outage_never_counts_as_dead_air_but_may_have_been() -> None:
    (outage,) = outages.of_track(track((L, 5), (Q, 3), (U, 4), (L, 5)))
    assert (outage.dead_air, outage.at_least, outage.at_most) == (3, 3, 7)


def test_unknown_never_ends_an_outage_as_recovered() -> None:
    (outage,) = outages.of_track(track((L, 5), (Q, 3), (U, 4), (L, 5)))
    assert not outage.recovered
    (ended_by_hearing,) = outages.of_track(track((L, 5), (U, 4), (Q, 3), (L, 5)))
    assert ended_by_hearing.recovered


def test_two_pieces_with_unknown_between_them_are_one_outage_that_lasted_at_least_as_long_as_its_longer_piece() -> None:
    (outage,) = outages.of_track(track((L, 5), (Q, 3), (U, 4), (N, 2), (L, 5)))
    assert (outage.dead_air, outage.at_least, outage.at_most) == (5, 3, 9)


def test_dead_air_after_the_window_behind_unknown_is_no_outage_of_the_window() -> None:
    before = track((L, 5), (Q, 3), (U, 1))
    after = dataclasses.replace(before, following=track((L, 9), (U, 1), (N, 20), (L, 5)).spans[1:])
    (outage,) = outages.of_track(after)
    assert (outage.dead_air, outage.at_least, outage.at_most, outage.recovered) == (3, 3, 25, False)
    heard = dataclasses.replace(track((L, 8), (U, 1)), following=after.following)
    assert outages.of_track(heard) == []


def test_an_outage_that_reaches_the_end_of_the_window_may_never_end() -> None:
    (outage,) = outages.of_track(track((L, 5), (Q, 3)))
    assert (outage.dead_air, outage.at_most, outage.recovered) == (3, math.inf, False)


def test_an_outage_of_one_who_left_in_it_lasted_until_then() -> None:
    (outage,) = outages.of_track(track((L, 5), (Q, 3), left=True))
    assert (outage.dead_air, outage.at_most, outage.recovered) == (3, 3, False)


@pytest.mark.parametrize(
    ("story", "left", "ended"),
    [
        (((L, 5), (Q, 3), (L, 5)), False, OutageEnd.RECOVERED),
        (((L, 5), (Q, 3)), False, OutageEnd.NOT_RECOVERED),
        (((L, 5), (Q, 3)), True, OutageEnd.LEFT),
        (((L, 5), (Q, 3), (U, 4)), False, OutageEnd.UNKNOWN),
        (((L, 5), (Q, 3), (U, 4)), True, OutageEnd.UNKNOWN),
        (((L, 5), (Q, 3), (U, 4), (L, 5)), False, OutageEnd.UNKNOWN),
    ],
)
def test_how_an_outage_ended_is_told_as_far_as_it_is_known(
    story: tuple[tuple[State, float], ...], left: bool, ended: OutageEnd
) -> None:
    (outage,) = outages.of_track(track(*story, left=left))
    assert outage.ended is ended
    assert outage.recovered is (ended is OutageEnd.RECOVERED)


def test_missing_media_stands_beside_dead_air() -> None:
    broken = track((L, 5), (Q, 3), (N, 2), (L, 5))
    spans = tuple(dataclasses.replace(span, missing=0.5) for span in broken.spans)
    assert outages.of_track(dataclasses.replace(broken, spans=spans))[0].missing == 1.0


def test_the_outages_of_a_room_are_those_of_all_listeners() -> None:
    room_outages = outages.of_view(view([(L, 5), (Q, 3), (L, 5)], [(Q, 3), (L, 10)], [(L, 13)]))
    assert [outage.listener for outage in room_outages] == ["r0", "r1"]


@given(stories())
def test_outages_are_disjoint_inside_the_window_and_no_longer_than_what_they_span(story: Story) -> None:
    room = view(story, start=2, end=28)
    room_outages = outages.of_view(room)
    for outage, following in itertools.pairwise(room_outages):
        assert outage.end < following.start
    for outage in room_outages:
        assert room.window.start <= outage.start < outage.end <= room.window.end
        assert 0 < outage.at_least <= outage.dead_air + 1e-6
        assert outage.dead_air <= outage.end - outage.start + 1e-6
        assert outage.end - outage.start <= outage.at_most + 1e-6
        assert 0 <= outage.silence <= outage.dead_air


@given(stories())
def test_all_certain_dead_air_is_in_an_outage_and_nothing_else(story: Story) -> None:
    whole = view(story).residents[0]
    dead = sum(span.seconds for span in whole.spans if span.state in DEAD)
    assert sum(outage.dead_air for outage in outages.of_track(whole)) == pytest.approx(dead, abs=1e-5)
