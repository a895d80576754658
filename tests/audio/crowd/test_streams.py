"""Losses by numpy, in batches, against RFC 3550's rule, packet by packet."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd import streams
from showstopper.audio.crowd.streams import Streams
from tests.audio.crowd.rtp import Packet, arrays

SLOTS = 3


class Reference:
    """RFC 3550, A.1 and A.3: packets that were expected, less those that came."""

    def __init__(self) -> None:
        self.first = self.last = self.highest = self.received = 0

    def take(self, sequence: int) -> None:
        if not self.received:
            self.first = self.last = self.highest = sequence
        step = ((sequence - self.last + 0x8000) & 0xFFFF) - 0x8000
        self.last += step
        self.first, self.highest = min(self.first, self.last), max(self.highest, self.last)
        self.received += 1

    @property
    def lost(self) -> int:
        return self.highest - self.first + 1 - self.received if self.received else 0


def split(packets: list[Packet], draw: random.Random) -> list[list[Packet]]:
    """The same packets in some batches."""
    batches: list[list[Packet]] = [[]]
    for packet in packets:
        if draw.random() < 0.2:
            batches.append([])
        batches[-1].append(packet)
    return [batch for batch in batches if batch]


def journey(draw: random.Random, count: int) -> list[Packet]:
    """Streams of some listeners over a network that loses, doubles and swaps, with sequence numbers that wrap."""
    following = {(slot, ssrc): draw.choice([0, 65530, 40000]) for slot in range(SLOTS) for ssrc in (7, 8)}
    packets: list[Packet] = []
    for number in range(count):
        slot, ssrc = draw.choice(list(following))
        following[slot, ssrc] += draw.choice([1, 1, 1, 1, 2, 50])
        packets.append(Packet(slot, following[slot, ssrc] & 0xFFFF, ssrc, 80, number * 0.02))
        if draw.random() < 0.1:
            packets.append(packets[-1])
        if draw.random() < 0.1 and len(packets) > 1:
            packets[-2:] = packets[:-3:-1]
    return packets


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_losses_are_those_of_the_rfc_whatever_the_batches(seed: int, count: int) -> None:
    draw = random.Random(seed)
    packets = journey(draw, count)
    counted = Streams(SLOTS)
    references: dict[tuple[int, int], Reference] = {}
    for batch in split(packets, draw):
        counted.take(arrays(batch))
    for packet in packets:
        references.setdefault((packet.slot, packet.ssrc), Reference()).take(packet.sequence)
    expected = [
        sum(reference.lost for (slot, _), reference in references.items() if slot == number) for number in range(SLOTS)
    ]
    assert counted.lost.tolist() == expected


def test_a_late_packet_is_not_lost_and_a_doubled_one_makes_up_for_one() -> None:
    counted = Streams(1)
    for sequence in (1, 2, 5, 4):
        counted.take(arrays([Packet(0, sequence, 9, 80, 0.0)]))
    assert counted.lost.tolist() == [1]
    counted.take(arrays([Packet(0, 3, 9, 80, 0.0)]))
    assert counted.lost.tolist() == [0]
    counted.take(arrays([Packet(0, 7, 9, 80, 0.0), Packet(0, 7, 9, 80, 0.0)]))
    assert counted.lost.tolist() == [0]


def test_what_a_stream_lost_stays_when_it_is_closed_and_its_successor_begins_anew() -> None:
    counted = Streams(2)
    counted.take(arrays([Packet(1, sequence, 9, 80, 0.0) for sequence in (1, 4)]))
    counted.close(1)
    counted.take(arrays([Packet(1, sequence, 9, 80, 0.0) for sequence in (500, 501)]))
    assert counted.lost.tolist() == [0, 2]


def test_streams_without_end_cost_no_memory_and_no_crash() -> None:
    counted, draw = Streams(1), random.Random(1)
    for _ in range(50):
        counted.take(arrays([Packet(0, draw.getrandbits(16), draw.getrandbits(32), 80, 0.0) for _ in range(30)]))
    assert np.all(counted.lost == 0)
    assert counted._ssrc.size == streams.STREAMS + 1
    counted.take(arrays([Packet(0, sequence, 9, 80, 0.0) for sequence in (1, 3)]))
    assert counted.lost.tolist() == [1]
