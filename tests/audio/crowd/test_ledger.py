import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.ledger import Ledger, Stretch
from tests.audio.crowd.rtp import Packet, arrays
from tests.audio.crowd.test_streams import SLOTS, journey, split


def steady(slot: int, start: float, seconds: float, *, payload: int = 80, first: int = 0) -> list[Packet]:
    """Fifty packets a second from `start` on."""
    return [
        Packet(slot, (first + number) & 0xFFFF, 9, payload, start + number * 0.02)
        for number in range(round(seconds * 50))
    ]


def test_steady_sound_has_neither_pause_nor_silence() -> None:
    ledger = Ledger(2)
    ledger.take(arrays(steady(0, 10.0, 2) + steady(1, 10.5, 1)))
    assert ledger.received.tolist() == [100, 50]
    assert ledger.first_at.tolist() == [10.0, 10.5]
    assert ledger.last_at == pytest.approx([11.98, 11.48])
    assert not ledger.pauses
    assert not ledger.silences
    assert ledger.lost.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("missing", "gap", "is_pause"), [(1, 0.119, False), (1, 0.121, True), (0, 0.199, False), (0, 0.201, True)]
)
def test_a_pause_is_what_lasts_longer_than_a_listener_s_patience_and_what_was_only_held_up_is_none(
    missing: int, gap: float, is_pause: bool
) -> None:
    ledger = Ledger(1)
    ledger.take(arrays([Packet(0, 1, 9, 80, 5.0)]))
    ledger.take(arrays([Packet(0, 2 + missing, 9, 80, 5.0 + gap)]))
    assert list(ledger.pauses) == ([Stretch(0, 5.02, 5.0 + gap)] if is_pause else [])


def test_a_pause_that_goes_on_is_told_with_its_beginning() -> None:
    ledger = Ledger(3)
    ledger.take(arrays(steady(0, 10.0, 1) + steady(1, 10.0, 2)))
    assert ledger.paused_since(12.0) == pytest.approx({0: 11.0})
    assert ledger.paused_since(11.1) == {}


def test_a_pause_reaches_over_a_rejoin() -> None:
    ledger = Ledger(1)
    ledger.take(arrays([Packet(0, 1, 9, 80, 5.0)]))
    ledger.joined_afresh(0)
    ledger.take(arrays([Packet(0, 30000, 11, 80, 9.0)]))
    assert list(ledger.pauses) == [Stretch(0, 5.02, 9.0)]
    assert ledger.lost.tolist() == [0]


def test_digital_silence_is_told_by_size_from_packet_to_packet() -> None:
    ledger = Ledger(1)
    ledger.take(arrays(steady(0, 0.0, 1) + steady(0, 1.0, 1, payload=3)))
    assert ledger.silent_since.tolist() == [1.0]
    ledger.take(arrays(steady(0, 2.0, 1, payload=4)))
    assert np.isnan(ledger.silent_since[0])
    assert list(ledger.silences) == [Stretch(0, 1.0, 2.0)]


@given(st.integers(0, 2**32), st.integers(1, 100))
def test_how_packets_are_batched_does_not_matter(seed: int, count: int) -> None:
    """A sweep that comes late reads more at once, and says the same."""
    draw = random.Random(seed)
    packets, at = [], 0.0
    for packet in journey(draw, count):
        at += draw.choice([0.0, 0.02, 0.02, 0.3])
        packets.append(Packet(packet.slot, packet.sequence, packet.ssrc, draw.choice([3, 80]), at))
    whole, parts = Ledger(SLOTS), Ledger(SLOTS)
    whole.take(arrays(packets))
    for batch in split(packets, draw):
        parts.take(arrays(batch))
    for at_once, in_parts in (
        (whole.received, parts.received),
        (whole.lost, parts.lost),
        (whole.first_at, parts.first_at),
        (whole.last_at, parts.last_at),
        (whole.silent_since, parts.silent_since),
    ):
        np.testing.assert_array_equal(at_once, in_parts)

    def order(stretches: Iterable[Stretch]) -> list[tuple[int, float, float]]:
        return sorted((stretch.slot, stretch.start, stretch.end) for stretch in stretches)

    assert order(whole.pauses) == order(parts.pauses)
    assert order(whole.silences) == order(parts.silences)


def test_who_comes_into_a_slot_has_no_past_and_what_was_counted_stays() -> None:
    ledger = Ledger(1)
    ledger.take(arrays(steady(0, 0.0, 3, payload=3)))
    received = ledger.received.tolist()
    ledger.vacate(0)
    assert np.isnan([ledger.first_at[0], ledger.last_at[0], ledger.silent_since[0]]).all()
    assert ledger.paused_since(100.0) == {}
    ledger.take(arrays([Packet(0, 9000, 12, 80, 50.0)]))
    assert ledger.first_at.tolist() == [50.0]
    assert (list(ledger.pauses), list(ledger.silences)) == ([], [])
    assert ledger.received.tolist() == [received[0] + 1]
    assert ledger.lost.tolist() == [0]
