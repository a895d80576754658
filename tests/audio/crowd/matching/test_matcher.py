"""From sealed packets, as a sweep reads them, to what each listener heard."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pylibsrtp
import pytest

from showstopper.audio.crowd.dtls import KEY_BYTES, SALT_BYTES
from showstopper.audio.crowd.matching.matcher import Matcher
from showstopper.audio.crowd.packets import sound
from showstopper.audio.crowd.sweep import Batch
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.audio.media import PACKET_SECONDS
from showstopper.availability.spans import State
from tests.audio.crowd import rtp
from tests.support.shows import MONOTONIC, Part, show, wall

ROOM = show([Part(State.LIVE, 1.5), Part(State.HOLD, 1.2), Part(State.LIVE, 1.3)])
SWEEP_SECONDS = 0.05
SLOTS = 4


@dataclass(frozen=True)
class Datagram:
    slot: int
    at: float
    data: bytes


def key(slot: int) -> bytes:
    return bytes([slot]) * (KEY_BYTES + SALT_BYTES)


def stream(slot: int, packets: Sequence[bytes], late: float = 0.0) -> list[Datagram]:
    """What a relay sends to a listener."""
    policy = pylibsrtp.Policy(key=key(slot), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    relay = pylibsrtp.Session(policy)
    return [
        Datagram(
            slot,
            MONOTONIC + (number + 1) * PACKET_SECONDS + late,
            relay.protect(struct.pack(">BBHII", 0x80, 111, (65_500 + number) & 0xFFFF, number * 960, slot) + payload),
        )
        for number, payload in enumerate(packets)
    ]


def heard(matcher: Matcher, datagrams: Sequence[Datagram], since: float = MONOTONIC) -> dict[int, list[HeardSpan]]:
    """What is told of each slot, after sweeps like a crowd's from that time on."""
    told: dict[int, list[HeardSpan]] = {slot: [] for slot in range(SLOTS)}
    for sweep in range(round(8 / SWEEP_SECONDS)):
        start, now = (since + (sweep + end) * SWEEP_SECONDS for end in (0, 1))
        came = sorted((each for each in datagrams if start <= each.at < now), key=lambda each: (each.slot, each.at))
        if came:
            data, length = rtp.rows([each.data for each in came])
            slot, at = np.array([each.slot for each in came]), np.array([each.at for each in came])
            matcher.take(Batch(sound(data, length, slot, at), [], slot, data, length))
        matcher.advance(now)
        for told_slot, stretch in matcher.heard(now):
            assert stretch.start > now - matcher.lag
            told[told_slot].append(stretch)
    return told


def seconds(stretches: Sequence[HeardSpan]) -> dict[State, float]:
    return {
        state: round(sum(each.end - each.start for each in stretches if each.state is state), 1)
        for state in {each.state for each in stretches}
    }


def crowd(references: Sequence[int] = (0,), whole: Sequence[int] = ()) -> Matcher:
    matcher = Matcher(SLOTS, Rules(), wall, references, whole=whole)
    for slot in range(SLOTS):
        matcher.joined(slot, key(slot))
    return matcher


def test_what_the_reference_hears_all_hear_who_are_sent_it_and_when_they_are() -> None:
    matcher = crowd()
    streams = [stream(0, ROOM.packets), stream(1, ROOM.packets, 0.03), stream(2, ROOM.packets[:120], 0.05)]
    told = heard(matcher, sum(streams, stream(3, [bytes(80)] * 200)))
    live, hold = (seconds(told[0])[state] for state in (State.LIVE, State.HOLD))
    assert live > 2.2
    assert hold > 0.8
    assert seconds(told[1]) == seconds(told[0])
    assert max(each.end for each in told[2]) < streams[2][-1].at + PACKET_SECONDS + 1e-6
    assert {each.state for each in told[2]} == {State.LIVE, State.HOLD}
    assert told[3] == []
    assert matcher.unopened == 0


def test_without_a_reference_that_hears_nobody_is_known_to_hear() -> None:
    told = heard(crowd(), stream(1, ROOM.packets) + stream(2, ROOM.packets))
    assert not any(told.values())


def test_what_samples_would_not_notice_is_doubtful_for_all_where_one_is_opened_whole() -> None:
    """A relay that sends others something else for 0.4 s, packet for packet and byte for byte."""
    packets = [bytes(len(each)) if 52 <= number < 72 else each for number, each in enumerate(ROOM.packets)]
    streams = [*stream(0, ROOM.packets), *stream(1, packets), *stream(2, packets)]
    matcher = crowd()
    told = heard(matcher, streams)
    assert any(each.start < at_packet(62) < each.end for each in told[1]), "samples do not notice it"
    assert matcher.doubts() == []
    matcher = crowd(whole=[2])
    told = heard(matcher, streams)
    ((start, end),) = matcher.doubts()
    assert start < at_packet(52) < at_packet(72) < end
    assert end - start < 1.1
    assert not any(each.start < at_packet(62) < each.end for each in told[2])
    assert matcher.doubts() == []


def at_packet(number: int) -> float:
    """When that packet of a stream came."""
    return MONOTONIC + (number + 1) * PACKET_SECONDS


def test_who_is_opened_whole_is_told_the_same_as_the_others() -> None:
    streams = [*stream(0, ROOM.packets), *stream(1, ROOM.packets[:170]), *stream(2, ROOM.packets[:170])]
    matcher = crowd(whole=[2])
    told = heard(matcher, streams)
    assert [replace(each, delay=None) for each in told[2]] == [replace(each, delay=None) for each in told[1]] != []
    assert matcher.doubts() == []


def test_a_key_that_does_not_fit_opens_nothing_and_is_counted() -> None:
    matcher = crowd()
    matcher.joined(1, key(9))
    told = heard(matcher, stream(0, ROOM.packets) + stream(1, ROOM.packets))
    assert told[1] == []
    assert matcher.unopened >= 4


def test_a_listener_that_joins_afresh_is_opened_with_its_new_key() -> None:
    matcher = crowd()
    old = stream(1, ROOM.packets)
    first = heard(matcher, [*stream(0, ROOM.packets), *old[:60]])
    assert seconds(first[1]).keys() == {State.LIVE}
    matcher.joined(0, key(0))
    matcher.joined(1, key(2))
    again = [*stream(0, ROOM.packets), *(replace(each, slot=1) for each in stream(2, ROOM.packets))]
    second = heard(matcher, [replace(each, at=each.at + 10) for each in again], MONOTONIC + 10)
    assert State.HOLD in seconds(second[1])
    assert matcher.unopened == 0


def test_who_has_no_session_is_not_known_to_hear() -> None:
    matcher = Matcher(SLOTS, Rules(), wall)
    told = heard(matcher, stream(1, ROOM.packets))
    assert not any(told.values())
    assert matcher.unopened >= 4


@pytest.mark.parametrize("seed", range(3))
def test_nonsense_from_a_relay_is_never_live(seed: int) -> None:
    """Sealed nonsense, and sound whose datagrams are cut, changed, doubled and mixed up on their way."""
    draw = random.Random(seed)
    nonsense = [draw.randbytes(draw.choice([0, 1, 3, 40, 80, 300])) for _ in range(150)]
    spoilt = []
    for each in stream(1, ROOM.packets):
        data = bytearray(each.data)
        data[draw.randrange(len(data))] ^= draw.choice([0, 1, 255])
        spoilt.append(replace(each, data=bytes(data[: draw.choice([len(data), 22, 12])])))
    draw.shuffle(spoilt)
    matcher = crowd((0, 1))
    told = heard(matcher, [*stream(0, nonsense), *spoilt, *spoilt[::3], *stream(2, nonsense), *stream(3, ROOM.packets)])
    assert not any(each.state is State.LIVE for slot in (0, 2) for each in told[slot])
