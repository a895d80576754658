from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.hearing.ear import HeardSpan
from showstopper.audio.listener.story import LAST_SECONDS, Story
from showstopper.audio.media import PACKET_SECONDS, Media, Poll
from showstopper.availability.spans import Kind, Span, State

L, H, S, Q, C, U = State.LIVE, State.HOLD, State.STALE, State.SILENT, State.UNCLEAR, State.UNKNOWN
N, X, J, G = State.NO_MEDIA, State.OFFLINE, State.JOINING, State.GARBLED


def flowing(media: Media, *stretches: tuple[float, float], until: float) -> None:
    """Polls four times a second of packets that came in these stretches."""
    times = [
        start + index * PACKET_SECONDS
        for start, end in stretches
        for index in range(round((end - start) / PACKET_SECONDS) + 1)
    ]
    for quarter in range(1, round(until * 4) + 1):
        at = quarter / 4
        known = [time for time in times if time <= at]
        total = round(at * 48000)
        media.polled(at, [Poll("a", at, len(known), last_packet_at=known[-1], total=total)] if known else [])


def connected(*stretches: tuple[float, float], until: float = 20.0) -> Story:
    """A listener that called at 0 and was in at 1, with media in these stretches."""
    story = Story("p-0/0", Kind.RESIDENT, 0.0, Media())
    story.connection(1.0, None)
    flowing(story.media, *stretches, until=until)
    return story


def told(story: Story, until: float) -> list[tuple[State, float, float]]:
    spans = [*story.tell(until), *([story.open] if story.open else [])]
    return [(span.state, round(span.start, 3), round(span.end, 3)) for span in spans]


def test_a_relay_s_death_from_live_to_live() -> None:
    story = connected((1.2, 5.0), (9.0, 20.0))
    story.sound([HeardSpan(L, 1.3, 5.15), HeardSpan(Q, 5.15, 6.0)])
    story.connection(6.0, J)
    story.connection(8.8, None)
    story.sound([HeardSpan(L, 9.04, 15.0, 0.06)])
    assert told(story, 15.0) == [
        (J, 0, 1),
        (N, 1, 1.3),
        (L, 1.3, 5.15),
        (N, 5.15, 6),
        (J, 6, 8.8),
        (N, 8.8, 9.04),
        (L, 9.04, 15),
    ]


def test_packets_that_the_player_makes_no_sound_of_are_unknown_and_never_silence() -> None:
    story = connected((1.0, 3.0), until=3.0)
    total = story.media.totals().total
    for quarter in range(13, 25):  # the player stands still from 3 to 6
        at = quarter / 4
        story.media.polled(at, [Poll("a", at, round((at - 1) * 50), last_packet_at=at, total=total)])
    story.sound([HeardSpan(L, 1.2, 3.0)])
    assert told(story, 5.9)[-2:] == [(L, 1.2, 3), (U, 3, 5.9)]


def test_what_is_missing_is_the_time_without_packets_with_what_the_player_made_up_before_silence() -> None:
    story = connected((1.2, 5.0), (9.0, 20.0))
    story.sound([HeardSpan(L, 1.3, 5.15), HeardSpan(Q, 5.15, 9.04), HeardSpan(L, 9.04, 15.0)])
    spans = [*story.tell(15.0), story.open]
    dead = [span for span in spans if span and span.state not in (L, J) and span.start > 2]
    assert sum(span.missing for span in dead) == pytest.approx(4.0 - PACKET_SECONDS, abs=0.001)
    assert [span.missing for span in spans if span and span.state is L] == [0, 0]


def test_a_host_that_says_nothing_is_silent_and_misses_nothing() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.3, 5.0), HeardSpan(Q, 5.0, 9.0), HeardSpan(L, 9.0, 15.0)])
    assert told(story, 15.0)[2:] == [(L, 1.3, 5), (Q, 5, 9), (L, 9, 15)]
    assert story.open is not None
    assert story.open.missing == 0


def test_live_sound_counts_while_only_the_signalling_is_mended() -> None:
    story = connected((1.2, 20.0))
    story.connection(4.0, J)
    story.connection(6.0, None)
    story.sound([HeardSpan(L, 1.2, 15.0)])
    assert told(story, 15.0)[-1] == (L, 1.2, 15)


def test_of_several_tracks_the_best_counts() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(H, 1.2, 10.0)])
    story.sound([HeardSpan(S, 2.0, 9.0)])
    story.sound([HeardSpan(L, 4.0, 6.0)])
    story.sound([HeardSpan(Q, 1.2, 10.0)])
    assert told(story, 10.0)[2:] == [(H, 1.2, 2), (S, 2, 4), (L, 4, 6), (S, 6, 9), (H, 9, 10)]


def test_where_the_probe_stood_still_it_says_unknown() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.2, 15.0)])
    story.blind(3.0, 4.5)
    assert told(story, 10.0)[2:] == [(L, 1.2, 3), (U, 3, 4.5), (L, 4.5, 10)]


def test_quiet_right_after_the_first_packet_is_the_player_s_buffer_not_a_silent_host() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(Q, 1.1, 1.3), HeardSpan(L, 1.3, 15.0)])
    assert told(story, 10.0) == [(J, 0, 1), (N, 1, 1.3), (L, 1.3, 10)]


def test_a_pause_of_speech_is_live_only_while_media_flows() -> None:
    story = connected((1.2, 5.0), (8.0, 20.0))
    story.sound(
        [
            HeardSpan(L, 1.2, 3.0),
            HeardSpan(L, 3.0, 3.5, quiet=True),
            HeardSpan(L, 3.5, 5.1),
            HeardSpan(L, 5.1, 8.1, quiet=True),
        ]
    )
    story.sound([HeardSpan(L, 8.1, 12.0)])
    assert told(story, 12.0)[2:] == [(L, 1.2, 5.1), (N, 5.1, 8.1), (L, 8.1, 12)]


def test_sound_that_is_not_the_host_s_is_garbled_while_packets_come_and_the_player_makes_nothing_up() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.2, 4.0), HeardSpan(G, 4.0, 9.0), HeardSpan(L, 9.0, 15.0)])
    assert told(story, 15.0)[2:] == [(L, 1.2, 4), (G, 4, 9), (L, 9, 15)]


def test_what_the_player_made_up_nearby_may_have_been_the_host() -> None:
    story = connected((1.2, 6.0), until=6.0)
    for quarter in range(25, 81):  # it makes something up between 7 and 7.25
        at = quarter / 4
        made_up = 2400 if at >= 7.25 else 0
        total = round(at * 48000)
        story.media.polled(at, [Poll("a", at, round(at * 50), last_packet_at=at, concealed=made_up, total=total)])
    story.sound([HeardSpan(L, 1.2, 4.0), HeardSpan(G, 4.0, 15.0)])
    assert told(story, 15.0)[3:] == [(G, 4, 6.7), (C, 6.7, 7.55), (G, 7.55, 15)]


def test_sound_without_packets_or_beyond_the_last_statistics_is_not_known_to_be_anybody_s() -> None:
    story = connected((1.2, 5.0), (8.0, 9.0), until=10.0)
    story.sound([HeardSpan(L, 1.2, 5.0), HeardSpan(G, 5.5, 7.0)])
    assert (C, 5.5, 7) in told(story, 8.0)
    story = connected((1.2, 10.0), until=10.0)
    story.sound([HeardSpan(L, 1.2, 5.0), HeardSpan(G, 5.0, 15.0)])
    assert told(story, 15.0)[-3:] == [(G, 5, 9.7), (C, 9.7, 10.02), (U, 10.02, 15)]


def test_one_of_several_tracks_that_says_nothing_clear_may_be_the_host() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(G, 1.2, 10.0)])
    story.sound([HeardSpan(C, 2.0, 3.0), HeardSpan(L, 3.0, 5.0), HeardSpan(Q, 5.0, 10.0)])
    assert told(story, 10.0)[2:] == [(C, 1.2, 1.35), (G, 1.35, 2), (C, 2, 3), (L, 3, 5), (G, 5, 10)]


def test_a_lost_session_is_offline_until_the_next_call() -> None:
    story = connected((1.2, 4.0))
    story.sound([HeardSpan(L, 1.2, 4.1)])
    for at, state in [(4.1, J), (9.0, X), (9.5, J)]:
        story.connection(at, state)
    assert told(story, 12.0)[2:] == [(L, 1.2, 4.1), (J, 4.1, 9), (X, 9, 9.5), (J, 9.5, 12)]


def test_a_live_span_says_its_mean_delay() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.2, 2.2, 0.1), HeardSpan(L, 2.2, 5.2, 0.2)])
    story.tell(5.2)
    assert story.open is not None
    assert story.open.delay == pytest.approx(0.175)


def test_the_delay_of_live_sound_is_known_for_any_part_of_the_last_minute() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.2, 2.2, 0.1), HeardSpan(L, 2.2, 5.2, 0.2), HeardSpan(S, 5.2, 7.0, 9.0)])
    story.tell(7.0)
    assert story.live_delay(1.2, 5.2) == pytest.approx(0.175)
    assert story.live_delay(3.0, 4.0) == pytest.approx(0.2)
    assert story.live_delay(5.2, 7.0) is None
    story.tell(66.0)
    assert story.live_delay(0.0, 7.0) is None


def test_a_listener_that_leaves_ends_with_what_it_heard_last() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.2, 9.9)])
    spans = story.leave(9.9 + LAST_SECONDS / 2)
    assert spans[-1].state is L
    assert spans[-1].end == 9.9 + LAST_SECONDS / 2
    assert story.open is None


def test_first_sound_and_first_live_are_remembered() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(Q, 1.1, 1.3), HeardSpan(H, 1.3, 4.0), HeardSpan(L, 4.0, 6.0)])
    assert (story.first_sound, story.first_live) == (1.3, 4.0)


moments = st.floats(0, 30)
stretches = st.tuples(moments, st.floats(0.01, 8)).map(lambda pair: (pair[0], pair[0] + pair[1]))
sounds = st.tuples(st.sampled_from([L, H, S, Q, C, G]), stretches).map(lambda pair: HeardSpan(pair[0], *pair[1]))


@given(
    st.lists(sounds, max_size=12),
    st.lists(st.tuples(moments, st.sampled_from([None, J, X])), max_size=8),
    st.lists(stretches, max_size=3),
    st.lists(stretches, min_size=1, max_size=4),
    st.lists(st.floats(0, 30), min_size=1, max_size=12),
)
def test_spans_have_no_hole_no_overlap_and_no_live_that_was_not_heard(
    heard: list[HeardSpan],
    connections: list[tuple[float, State | None]],
    blind: list[tuple[float, float]],
    packets: list[tuple[float, float]],
    asked: list[float],
) -> None:
    story = Story("p-0/0", Kind.RESIDENT, 0.0, Media())
    flowing(story.media, *sorted(packets), until=40)
    story.sound(heard)
    for at, state in sorted(connections, key=lambda pair: pair[0]):
        story.connection(at, state)
    for start, end in blind:
        story.blind(start, end)
    spans: list[Span] = []
    for until in sorted(asked):
        spans += story.tell(until)
        assert story.told_until >= until
    spans += story.leave(31.0)
    assert spans[0].start == 0
    assert spans[-1].end == 31.0
    assert all(earlier.end == later.start and earlier.state is not later.state for earlier, later in pairwise(spans))
    assert all(span.end > span.start and span.missing >= -1e-9 for span in spans)
    for span in spans:
        if span.state is L:
            middle = (span.start + span.end) / 2
            assert (
                any(stretch.state is L and stretch.start <= middle <= stretch.end for stretch in heard)
                or span.end == 31.0
            )


def test_packets_of_which_no_ear_heard_anything_are_no_silence() -> None:
    """The SDK may not tell of a track: the probe is deaf then, and the room need not be."""
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.3, 5.0)])
    assert told(story, 9.0)[-2:] == [(L, 1.3, 5.0), (U, 5.0, 9.0)]


def test_silence_that_an_ear_heard_is() -> None:
    story = connected((1.2, 20.0))
    story.sound([HeardSpan(L, 1.3, 5.0), HeardSpan(Q, 5.0, 9.0)])
    assert told(story, 9.0)[-2:] == [(L, 1.3, 5.0), (Q, 5.0, 9.0)]
