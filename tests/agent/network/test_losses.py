"""Packets that are lost, doubled, mangled or out of order, measured where they arrive; never by reading the rule."""

import itertools
import statistics

import pytest

from showstopper.agent.network.arming import Figures
from showstopper.api.faults.network import Corrupt, Direction, Duplicate, Mtu, NetworkFault, PacketLoss, Reorder
from showstopper.api.schema.quantities import Share
from tests.agent import machine
from tests.agent.conftest import Arm
from tests.agent.network.effects import ENDS, FIVE, end_of, milliseconds, to_media
from tests.agent.wire import Packet, Wire

pytestmark = pytest.mark.netns


def hit(
    wire: Wire, arm: Arm, direction: Direction, dose: NetworkFault, *, packets: int, per_second: int
) -> tuple[list[Packet], Figures]:
    """What arrives of so many media packets under a fault, and what the fault has counted."""
    with wire.ear() as ear:
        armed = arm(to_media(direction, dose), end_of(wire, direction))
        sending = wire.send(packets=packets, per_second=per_second)
        got = ear.packets()
    assert not sending.errors
    return got, armed.lift().counters[direction]


@pytest.mark.parametrize("direction", ENDS)
def test_loses_the_share_that_it_was_told_to(wire: Wire, arm: Arm, direction: Direction) -> None:
    got, figures = hit(wire, arm, direction, PacketLoss(percent=FIVE), packets=20_000, per_second=20_000)
    assert figures.matched == 20_000
    assert figures.affected == 20_000 - len(got)
    assert 0.04 <= figures.affected / 20_000 <= 0.06


@pytest.mark.parametrize("direction", ENDS)
def test_loses_in_bursts(wire: Wire, arm: Arm, direction: Direction) -> None:
    rate, bursts = machine.pace(2_000), PacketLoss(percent=Share(0.2), burst=milliseconds(60))
    got, figures = hit(wire, arm, direction, bursts, packets=5 * rate, per_second=rate)
    numbers = [packet.number for packet in got]
    gaps = [later - earlier - 1 for earlier, later in itertools.pairwise(numbers) if later > earlier + 1]
    assert figures.affected == 5 * rate - len(got)
    assert 0.12 <= 1 - len(got) / (5 * rate) <= 0.28
    assert statistics.median(gaps) / rate == pytest.approx(0.06, abs=0.01)


@pytest.mark.parametrize("direction", ENDS)
def test_drops_what_is_larger_and_nothing_of_that_size(wire: Wire, arm: Arm, direction: Direction) -> None:
    with wire.ear() as ear:
        armed = arm(to_media(direction, Mtu(size=20 + 8 + 500)), end_of(wire, direction))
        fitting = wire.send(packets=100, per_second=1_000, size=500)
        larger = wire.send(packets=100, per_second=1_000, size=501)
        got = ear.packets()
    figures = armed.lift().counters[direction]
    assert not fitting.errors
    assert not larger.errors, "the sender is not told"
    assert (len(got), figures.matched, figures.affected) == (100, 200, 100)


@pytest.mark.parametrize("direction", ENDS)
def test_duplicates(wire: Wire, arm: Arm, direction: Direction) -> None:
    got, figures = hit(wire, arm, direction, Duplicate(percent=FIVE), packets=20_000, per_second=10_000)
    assert {packet.number for packet in got} == set(range(20_000)), "the first copy always comes"
    assert len(got) == 20_000 + figures.affected
    assert 0.04 <= figures.affected / 20_000 <= 0.06


@pytest.mark.parametrize("direction", ENDS)
def test_corrupts(wire: Wire, arm: Arm, direction: Direction) -> None:
    got, figures = hit(wire, arm, direction, Corrupt(percent=FIVE), packets=20_000, per_second=10_000)
    corrupted = [packet for packet in got if packet.payload[24:28] != bytes(range(24, 28))]
    assert len(got) == 20_000
    assert all(packet.payload[28:172] == bytes(range(28, 172)) for packet in corrupted), "four bytes, no more"
    assert len(corrupted) == figures.affected
    assert 0.04 <= len(corrupted) / 20_000 <= 0.06


@pytest.mark.parametrize("direction", ENDS)
def test_packets_that_are_too_short_to_be_corrupted_are_not_meant(wire: Wire, arm: Arm, direction: Direction) -> None:
    with wire.ear() as ear:
        armed = arm(to_media(direction, Corrupt(percent=Share(0.5))), end_of(wire, direction))
        for size in (20, 27, 28, 172):
            wire.send(packets=500, per_second=1000, size=size)
        assert len(ear.packets()) == 2000
    figures = armed.lift().counters[direction]
    assert figures.matched == 1000
    assert 400 <= figures.affected <= 600


@pytest.mark.parametrize("direction", ENDS)
def test_reorders(wire: Wire, arm: Arm, direction: Direction) -> None:
    held_back = Reorder(percent=FIVE, hold=milliseconds(20))
    got, figures = hit(wire, arm, direction, held_back, packets=10_000, per_second=5_000)
    numbers = [packet.number for packet in got]
    overtaken = sum(number < last for number, last in zip(numbers, itertools.accumulate(numbers, max), strict=True))
    held = figures.affected
    assert sorted(numbers) == list(range(10_000))
    assert 0.04 <= held / 10_000 <= 0.06
    assert overtaken > held / 2, "packets that were held come after others that were sent later"
