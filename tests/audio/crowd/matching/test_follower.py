"""What is told of a listener whose packets are those of a reference, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain

import pytest

from showstopper.audio.crowd.matching.follower import Follower, Sample
from showstopper.audio.crowd.matching.reference import Recordings, Reference
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.audio.media import PACKET_SECONDS
from showstopper.availability.spans import State
from tests.audio.crowd.matching.test_reference import LIVE, played, whole
from tests.support.shows import MONOTONIC, Part, Show, show, wall

ROOM = show([Part(State.LIVE, 1.5), Part(State.HOLD, 1.5), Part(State.LIVE, 1.0), Part(State.SILENT, 0.5)])
LATE = 0.05
FAR = MONOTONIC + 1000


def samples(sound: Show, numbers: Iterable[int], late: float = LATE) -> list[Sample]:
    """These packets of a listener who gets all of them, and whose relay counts them otherwise."""
    octets, before = [], 0
    for packet in sound.packets:
        before += len(packet)
        octets.append(before)
    return [
        Sample(
            at=MONOTONIC + (number + 1) * PACKET_SECONDS + late,
            ssrc=44,
            sequence=(65_480 + number) & 0xFFFF,
            payload=sound.packets[number],
            packets=number + 1,
            octets=octets[number],
        )
        for number in numbers
    ]


def told(recordings: Recordings, given: Iterable[Sample], now: float = FAR) -> list[HeardSpan]:
    follower = Follower(recordings, Rules())
    for sample in given:
        follower.take(sample)
    return follower.tell(now)


def states(heard: Iterable[HeardSpan]) -> list[tuple[State, float, float]]:
    """In packets' numbers, neighbours joined."""
    joined: list[tuple[State, float, float]] = []
    for each in heard:
        start, end = ((at - MONOTONIC - LATE) / PACKET_SECONDS - 1 for at in (each.start, each.end))
        if joined and joined[-1][0] is each.state and abs(joined[-1][2] - start) < 0.01:
            joined[-1] = (each.state, joined[-1][1], round(end, 2))
        else:
            joined.append((each.state, round(start, 2), round(end, 2)))
    return joined


def test_one_packet_a_second_tells_the_whole_time_also_where_sound_changes_between_two() -> None:
    sampled = states(told(whole(ROOM), samples(ROOM, [10, 60, 110, 160, 210])))
    everything = states(told(whole(ROOM), samples(ROOM, range(10, 211))))
    assert sampled == everything
    assert [state for state, _, _ in sampled] == [State.LIVE, State.HOLD, State.LIVE, State.SILENT]
    (live, hold, again, silent) = sampled
    assert live[1:] == pytest.approx((10, 70), abs=5)
    assert hold[1:] == pytest.approx((80, 145), abs=6)
    assert again[1:] == pytest.approx((155, 195), abs=6)
    assert silent[2] == 211


def test_without_a_reference_nothing_is_told_but_silence() -> None:
    given = samples(ROOM, [10, 60, 110, 160, 210, 220])
    assert {heard.state for heard in told(Recordings(), given)} == {State.SILENT}


def test_what_is_not_in_the_reference_is_not_told() -> None:
    other = show([Part(State.LIVE, 4.0, age=0.2)])
    assert told(whole(ROOM), samples(other, range(10, 180, 50))) == []


def test_an_older_part_of_the_reference_is_stale_by_the_difference_of_times() -> None:
    recordings = whole(LIVE)
    assert {heard.state for heard in told(recordings, samples(LIVE, [20, 70, 120], late=4.8))} == {State.LIVE}
    assert {heard.state for heard in told(recordings, samples(LIVE, [20, 70, 120], late=5.0))} == {State.STALE}
    assert {heard.state for heard in told(recordings, samples(LIVE, [20, 70, 120], late=55.0))} == {State.STALE}


def test_nothing_is_told_before_its_time_and_nothing_twice() -> None:
    follower = Follower(whole(LIVE), Rules())
    given = samples(LIVE, [20, 70, 120])
    for sample in given:
        follower.take(sample)
    assert follower.tell(given[0].at + 2.0) == []
    parts = [heard for tenth in range(120) for heard in follower.tell(given[0].at + 2.0 + tenth / 10)]
    assert [heard.start for heard in parts] == pytest.approx([given[0].at, given[1].at, given[2].at])
    assert follower.tell(FAR) == []
    assert follower.end() == []


def _fewer(sample: Sample) -> Sample:
    return replace(sample, packets=sample.packets - 1)


def _bigger(sample: Sample) -> Sample:
    return replace(sample, octets=sample.octets + 1)


def _later(sample: Sample) -> Sample:
    return replace(sample, at=sample.at + 0.2)


def _moved(sample: Sample) -> Sample:
    return replace(sample, sequence=sample.sequence + 1)


def _another(sample: Sample) -> Sample:
    return replace(sample, ssrc=45)


def _closed(sample: Sample) -> Sample:
    return replace(sample, payload=None)


@pytest.mark.parametrize("change", [_fewer, _bigger, _later, _moved, _another, _closed])
def test_between_two_samples_that_do_not_fit_nothing_is_told(change: Callable[[Sample], Sample]) -> None:
    first, second, third = samples(LIVE, [20, 70, 120])
    following = [change(second), change(third) if change is not _closed else third]
    starts = [(heard.start, heard.end - heard.start) for heard in told(whole(LIVE), [first, *following])]
    assert starts[0] == pytest.approx((first.at, PACKET_SECONDS))
    assert all(start >= following[0].at - 1e-6 for start, _ in starts[1:])


def test_a_few_lost_packets_between_two_that_fit_are_what_a_player_makes_up() -> None:
    def around(gap: int) -> list[tuple[State, float, float]]:
        before, after = samples(LIVE, [60, 60 + gap + 1])
        after = replace(after, packets=before.packets + 1, octets=before.octets + len(after.payload or b""))
        return states(told(whole(LIVE), [before, after]))

    assert around(4) == [(State.LIVE, 60, 66)]
    assert around(5) == [(State.LIVE, 60, 61), (State.LIVE, 66, 67)]


@pytest.mark.parametrize(("held", "is_known"), [(0.19, True), (0.21, False)])
def test_what_was_held_up_and_came_in_a_burst_was_heard_all_the_time(held: float, is_known: bool) -> None:
    """Packets that were due within a time came at its end, as from a host that was given no processor meanwhile."""
    over = samples(LIVE, [79])[0].at + held
    given = [replace(sample, at=max(sample.at, over) if number >= 80 else sample.at) for number, sample in _numbered()]
    heard = states(told(whole(LIVE), [given[place] for place in (20, 70, 79, 80, 85, 90, 95, 120)]))
    known = [(20, 121)] if is_known else [(20, 80), (79 + held / PACKET_SECONDS, 121)]
    assert {state for state, _, _ in heard} == {State.LIVE}
    assert [edge for _, start, end in heard for edge in (start, end)] == pytest.approx([*chain(*known)])


def _numbered() -> list[tuple[int, Sample]]:
    return list(enumerate(samples(LIVE, range(125))))


def test_a_late_packet_says_nothing_of_what_came_after_it() -> None:
    first, second, third = samples(LIVE, [60, 61, 62])
    early = replace(third, packets=second.packets, octets=third.octets - len(second.payload or b""))
    assert states(told(whole(LIVE), [first, early, second])) == [(State.LIVE, 60, 63)]


def test_beside_another_stream_only_live_is_told() -> None:
    given = [replace(sample, alone=False) for sample in samples(ROOM, range(10, 220))]
    assert {heard.state for heard in told(whole(ROOM), given)} == {State.LIVE}


def test_hold_music_that_repeats_itself_is_hold_music() -> None:
    looped = show([Part(State.HOLD, 2.0)])
    packets = [*LIVE.packets[:60], *looped.packets, *looped.packets]
    recordings = played(enumerate(packets))
    room = Show(packets, [])
    assert len(recordings.places(packets[100])) == 2
    assert {state for state, *_ in states(told(recordings, samples(room, [100, 150])))} == {State.HOLD}


def test_what_one_reference_missed_another_one_may_know() -> None:
    recordings = whole(LIVE)
    second = Reference(recordings, Rules(), wall)
    for number, payload in enumerate(LIVE.packets):
        if number not in range(90, 100):
            second.take(3, number, payload, MONOTONIC + (number + 1) * PACKET_SECONDS + 0.3)
    second.look(MONOTONIC + 5)
    assert states(told(recordings, samples(LIVE, [60, 110]))) == [(State.LIVE, 60, 111)]


def replaced(payload: bytes | None) -> bytes | None:
    """As many bytes of something else."""
    return payload and bytes(len(payload))


@pytest.mark.parametrize(("count", "change"), [(1, replaced), (20, replaced), (5, lambda _: None)])
def test_what_replaces_packets_one_for_one_is_noticed_where_all_are_opened(
    count: int, change: Callable[[bytes | None], bytes | None]
) -> None:
    """The limit of sampling, and what the whole twentieth is for."""
    recordings = whole(LIVE)
    first, second, third = samples(LIVE, [20, 70, 120])
    assert states(told(recordings, [first, second, third])) == [(State.LIVE, 20, 121)]
    between = [change(payload) if index < count else payload for index, payload in enumerate(LIVE.packets[21:70])]
    follower = Follower(recordings, Rules())
    for sample in (first, replace(second, between=between), replace(third, between=LIVE.packets[71:120])):
        follower.take(sample)
    assert states(follower.tell(FAR)) == [(State.LIVE, 20, 21), (State.LIVE, 70, 121)]
    assert follower.doubts == [(first.at, second.at)]


def test_what_could_not_be_opened_is_lost_and_a_player_makes_up_for_some() -> None:
    first, second = samples(LIVE, [20, 70])
    between: list[bytes | None] = list(LIVE.packets[21:70])
    between[5:9], between[30:34] = [None] * 4, [None] * 4
    follower = Follower(whole(LIVE), Rules())
    for sample in (first, replace(second, between=between)):
        follower.take(sample)
    assert states(follower.tell(FAR)) == [(State.LIVE, 20, 71)]
    assert follower.doubts == []


def test_where_packets_do_not_fit_anyway_there_is_nothing_to_doubt() -> None:
    first, second = samples(LIVE, [20, 70])
    for change in (_fewer, _bigger, _later, _moved, _another):
        follower = Follower(whole(LIVE), Rules())
        for sample in (first, replace(change(second), between=[b"else"] * 49)):
            follower.take(sample)
        follower.tell(FAR)
        assert follower.doubts == []
