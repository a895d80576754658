"""Which packets are chosen, by example and by property, and what is counted beside them."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.audio.crowd.matching.sampling import ChosenPackets, Sampler, random_twentieth
from tests.audio.crowd.rtp import Packet, arrays
from tests.audio.crowd.test_ledger import steady
from tests.audio.crowd.test_streams import SLOTS, journey, split


def sampler(slots: int = 1) -> Sampler:
    """One without whole listeners."""
    return Sampler(slots, [])


def times(*chosen: ChosenPackets) -> list[float]:
    return [round(float(at), 3) for each in chosen for at in each.at]


def test_one_packet_a_second_is_chosen_also_of_a_sweep_that_comes_late() -> None:
    packets = steady(0, 10.0, 3.5)
    expected = [10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 11.5, 12.5]
    assert times(*sampler().choose(arrays(packets))) == expected
    swept, made = list[float](), sampler()
    for start in range(0, len(packets), 3):
        swept += times(*made.choose(arrays(packets[start : start + 3])))
    assert swept == expected


def test_of_whole_listeners_all_packets_are_chosen_and_the_same_are_samples() -> None:
    packets = arrays(steady(0, 10.0, 2) + steady(1, 10.0, 2))
    _, chosen = Sampler(2, [1]).choose(packets)
    assert chosen.slot.tolist() == [0] * 7 + [1] * 100
    assert np.round(chosen.at[chosen.is_sample], 3).tolist() == [10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 11.5] * 2


def test_a_twentieth_is_drawn_at_random() -> None:
    drawn = random_twentieth(1000, np.random.default_rng(7))
    assert 30 < len(drawn) < 70
    assert drawn == random_twentieth(1000, np.random.default_rng(7))
    assert drawn != random_twentieth(1000, np.random.default_rng(8))


def test_the_last_packet_of_a_whole_listener_is_a_sample_too() -> None:
    made = Sampler(1, [0])
    made.choose(arrays(steady(0, 10.0, 0.5)))
    assert times(made.choose_last(10.7)) == [10.48]
    assert times(made.choose_last(10.9)) == []


@pytest.mark.parametrize("batches", [[30], [13, 17], [15, 15]], ids=["in a sweep", "before it", "at its beginning"])
def test_the_packets_around_a_loss_are_chosen(batches: list[int]) -> None:
    packets = [packet for packet in steady(0, 10.0, 0.62) if packet.sequence != 15]
    made, at = started(9.0), list[float]()
    for count in batches:
        at += times(*made.choose(arrays(packets[:count])))
        packets = packets[count:]
    assert at == [10.28, 10.32, 10.42, 10.52]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_after_a_gap_samples_come_soon_for_half_a_second(batch: int) -> None:
    packets = [packet for packet in steady(0, 10.0, 3.0) if packet.sequence not in {15, 16, 100}]
    made, at = started(9.0), list[float]()
    for start in range(0, len(packets), batch):
        at += times(*made.choose(arrays(packets[start : start + batch])))
    after_start, after_gap = [10.34, 10.44, 10.54, 10.64, 10.74, 10.84], [12.02, 12.12, 12.22, 12.32, 12.42, 12.52]
    assert at == [10.28, *after_start, 11.84, 11.98, *after_gap]


def started(at: float) -> Sampler:
    """One whose listener has heard a second, up to the packet with the number 0."""
    made = sampler()
    made.choose(arrays(steady(0, at, 1, first=-50)))
    return made


def test_the_last_packet_before_a_pause_is_chosen_once_and_the_first_after_it() -> None:
    made = sampler()
    made.choose(arrays(steady(0, 10.0, 0.5)))
    assert times(made.choose_last(10.5)) == []
    assert times(made.choose_last(10.7)) == [10.48]
    assert times(made.choose_last(10.9)) == []
    assert times(*made.choose(arrays(steady(0, 12.0, 0.08, first=25)))) == [12.0]


def test_of_a_new_session_the_first_packet_is_chosen_and_nothing_of_the_last_one() -> None:
    made = sampler()
    made.choose(arrays(steady(0, 10.0, 0.5)))
    made.joined_afresh(0)
    assert times(made.choose_last(11.0)) == []
    batch = arrays([Packet(0, 500 + number, 77, 80, 10.6 + number * 0.02) for number in range(5)])
    earlier, chosen = made.choose(batch)
    assert times(earlier, chosen) == [10.6]
    assert chosen.alone.all()


def test_a_second_stream_is_noticed_for_a_second() -> None:
    made = Sampler(1, [0])
    stream, other = steady(0, 10.0, 1), [Packet(0, number, 5, 80, 10.5 + number * 0.02) for number in range(10)]
    rest = steady(0, 11.0, 1.5, first=50)
    _, chosen = made.choose(arrays(sorted(stream + other + rest, key=lambda packet: packet.at)))
    is_alone = dict(zip(times(chosen), chosen.alone.tolist(), strict=True))
    assert is_alone[10.4]
    assert not is_alone[10.6]
    assert not is_alone[11.6]
    assert is_alone[11.8]


@given(st.integers(0, 2**32), st.integers(1, 100))
@settings(max_examples=50)
def test_how_packets_are_batched_does_not_matter(seed: int, count: int) -> None:
    draw = random.Random(seed)
    packets, at = [], 0.0
    for packet in journey(draw, count):
        at += draw.choice([0.0, 0.02, 0.02, 0.3])
        packets.append(Packet(packet.slot, packet.sequence, packet.ssrc, draw.choice([3, 80]), at))
    rows = []
    for batches in ([packets], split(packets, draw)):
        made, fields = sampler(SLOTS), list[tuple[float, ...]]()
        for each in batches:
            for chosen in made.choose(arrays(each)):
                columns = (chosen.slot, chosen.packets, chosen.at, chosen.ssrc, chosen.octets, chosen.alone)
                fields += list(zip(*(column.tolist() for column in columns), strict=True))
        rows.append(sorted(fields))
    assert rows[0] == rows[1]


def test_counts_are_those_of_each_slot_up_to_each_packet() -> None:
    made = Sampler(2, [0, 1])
    made.choose(arrays(steady(0, 10.0, 1) + steady(1, 10.0, 0.5, payload=10)))
    _, chosen = made.choose(arrays(steady(0, 11.0, 0.04, first=50) + steady(1, 10.5, 0.02, payload=10, first=25)))
    assert chosen.packets.tolist() == [51, 52, 26]
    assert chosen.octets.tolist() == [51 * 80, 52 * 80, 260]
