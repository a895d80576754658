from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.media import PACKET_SECONDS, REACH_SECONDS, STATISTICS_RATE, Media, Poll

P = PACKET_SECONDS


def packets(*stretches: tuple[float, float]) -> list[float]:
    """The times of packets that come every 20 ms in each stretch."""
    return [start + index * P for start, end in stretches for index in range(int((end - start) / P + 1e-9) + 1)]


def poll(times: list[float], at: float, source: str = "a", concealed: int = 0) -> Poll:
    """What the statistics say at `at` of packets that came at these times."""
    known = [time for time in times if time <= at]
    return Poll(source, at, len(known), last_packet_at=known[-1] if known else None, concealed=concealed)


def polled(times: list[float], until: float, every: float = 0.25) -> Media:
    media = Media()
    at = every
    while at <= until:
        media.polled(at, [poll(times, at)])
        at += every
    return media


def test_media_that_flows_has_no_absence_between_packets() -> None:
    assert polled(packets((0.1, 5.0)), 5.0).absences(0.2, 4.9) == []


def test_before_the_first_poll_everything_is_absent() -> None:
    assert Media().absences(0.0, 2.0) == [(0.0, 2.0)]


def test_an_absence_that_goes_on_is_known_from_the_last_packet_on() -> None:
    media = polled(packets((0.1, 2.013)), 5.0)
    ((start, end),) = media.absences(1.0, 4.5)
    assert start == pytest.approx(2.0 + P, abs=0.011)
    assert end == 4.5


@given(st.floats(1.0, 2.0), st.floats(0.18, 3.0), st.sampled_from([0.25, 0.3, 0.5]))
def test_an_absence_is_as_long_as_it_was(start: float, length: float, every: float) -> None:
    times = packets((0.1, start), (start + length, 6.0))
    absences = polled(times, 6.0, every).absences(0.5, 5.5)
    true = max(later - before for before, later in pairwise(times)) - P
    assert sum(end - begin for begin, end in absences) == pytest.approx(true, abs=0.001)
    assert all(begin > start - every - P and end < start + length + 0.001 for begin, end in absences)


def test_single_lost_packets_are_no_absence() -> None:
    times = [time for index, time in enumerate(packets((0.1, 5.0))) if index % 7]
    assert polled(times, 5.0).absences(0.5, 4.5) == []


def test_a_burst_of_packets_that_were_held_up_does_not_fill_the_hole_before_it() -> None:
    times = packets((0.1, 2.0)) + [2.62] * 30 + packets((2.64, 5.0))
    ((start, end),) = polled(times, 5.0).absences(0.5, 4.5)
    assert start == pytest.approx(2.0 + P)
    assert end == pytest.approx(2.62, abs=0.13)


def played(times: list[float], until: float, dry: tuple[float, float]) -> Media:
    """Polls, four times a second, of packets at these times; the player makes up what it plays while it has none."""
    media = Media()
    for quarter in range(1, round(until * 4) + 1):
        at = quarter / 4
        made_up = round(max(0.0, min(at, dry[1]) - dry[0]) * STATISTICS_RATE)
        media.polled(at, [replace(poll(times, at), made_up=made_up)])
    return media


@given(st.floats(2.0, 3.0), st.floats(0.5, 3.0), st.integers(14, 70))
def test_the_player_says_when_a_burst_came(start: float, length: float, held_up: int) -> None:
    came = start + length
    times = packets((0.1, start)) + [came] * held_up + packets((came + P, 9.0))
    last = max(time for time in times if time < came)
    media = played(times, 9.0, dry=(last + 0.06, came))
    ((begin, end),) = media.absences(0.5, 8.5)
    assert begin == pytest.approx(last + P)
    assert end == pytest.approx(came, abs=0.001)


@given(st.floats(2.0, 3.0), st.floats(0.5, 3.0))
def test_when_a_burst_came_is_known_to_half_a_poll_while_the_player_still_has_sound(
    start: float, length: float
) -> None:
    came = start + length
    times = packets((0.1, start)) + [came] * 70 + packets((came + P, 9.0))
    ((_, end),) = played(times, 9.0, dry=(8.9, 8.9)).absences(0.5, 8.5)
    assert end == pytest.approx(came, abs=0.126)


def held_up(start: float, seconds: float, until: float) -> list[float]:
    """Packets that all came, but for a while all at once, for whatever stood still."""
    return [start + seconds if start < time < start + seconds else time for time in packets((0.1, until))]


@given(st.floats(1.0, 2.0), st.floats(0.02, 0.19))
def test_media_that_a_busy_machine_held_up_for_a_moment_is_late_and_not_missing(start: float, seconds: float) -> None:
    assert polled(held_up(start, seconds, 5.0), 5.0).absences(0.5, 4.5) == []


def test_a_hole_that_the_codec_cannot_bridge_is_an_absence_and_one_that_it_can_is_none() -> None:
    assert polled(packets((0.1, 2.0), (2.1, 5.0)), 5.0).absences(0.5, 4.5) == []
    assert polled(packets((0.1, 2.0), (2.16, 5.0)), 5.0).absences(0.5, 4.5) == [pytest.approx((2.0 + P, 2.16))]


def test_a_second_track_fills_the_first_one_s_absence() -> None:
    media = Media()
    first, second = packets((0.1, 2.0)), packets((2.0, 5.0))
    for quarter in range(1, 20):
        at = quarter * 0.25
        media.polled(at, [poll(first, at, "a"), poll(second, at, "b")])
    assert media.absences(0.5, 4.5) == []


def test_a_new_track_after_a_full_reconnect_counts_on() -> None:
    media = Media()
    first, second = packets((0.1, 2.0)), packets((4.0, 6.0))
    for quarter in range(1, 24):
        at = quarter * 0.25
        media.polled(at, [poll(first, at, "a")] if at <= 3 else [poll(second, at, "b")] if at >= 4 else [])
    total = media.totals()
    assert total.received == len(first) + len([time for time in second if time <= 5.75])
    assert media.absences(1.0, 5.0)[0] == pytest.approx((2.0 + P, 4.0))
    assert len(media.absences(1.0, 5.0)) == 1


def test_what_the_player_made_up_counts_where_media_flowed() -> None:
    media = Media()
    times = packets((0.1, 4.0))
    for quarter in range(1, 15):
        media.polled(quarter * 0.25, [poll(times, quarter * 0.25, concealed=2400 if quarter >= 6 else 0)])
    assert media.concealed_seconds(1.0, 2.0) == pytest.approx(0.05)
    assert media.concealed_seconds(2.0, 3.0) == 0


def test_what_it_made_up_at_the_edge_of_an_absence_belongs_to_the_absence() -> None:
    media = Media()
    times = packets((0.1, 1.4))
    for quarter in range(1, 15):
        media.polled(quarter * 0.25, [poll(times, quarter * 0.25, concealed=5000 if quarter >= 6 else 0)])
    assert media.concealed_seconds(1.0, 2.0) == 0


@pytest.mark.parametrize("trouble", [{"concealed": 480}, {"lost": 3}])
def test_sound_near_a_loss_or_what_made_up_for_it_is_doubtful(trouble: dict[str, int]) -> None:
    media = Media()
    for quarter in range(1, 17):
        at = quarter / 4
        media.polled(at, [Poll("a", at, quarter * 12, last_packet_at=at, **(trouble if at >= 2 else {}))])
    assert media.doubtful(0.5, 3.5) == [pytest.approx((1.75 - REACH_SECONDS, 2.0 + REACH_SECONDS))]
    assert media.doubtful(3.0, 9.0) == [pytest.approx((4.0 - REACH_SECONDS, 9.0))], "what comes next is not known yet"


def test_it_forgets_what_is_two_minutes_old() -> None:
    media = Media()
    for second in range(1, 600):
        on = second % 4 < 2
        media.polled(float(second), [Poll("a", float(second), second, last_packet_at=second if on else None)])
        media.polled(second + 0.5, [Poll(f"b{second}", second + 0.5, 1, last_packet_at=second + 0.5)])
    assert len(media._flows) < 130
    assert all(len(flow.stretches) < 70 for flow in media._flows.values())
