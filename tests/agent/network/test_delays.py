"""Packets that come late, or no faster than they may, measured where they arrive; never by reading the rule."""

import math
import statistics
import time
from collections import Counter

import pytest

from showstopper.api.faults.network import Bandwidth, Delay, Direction, Distribution
from showstopper.faults.network import dose
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic
from showstopper.faults.observed import Observed, ObservedTarget
from tests.agent import machine, noise
from tests.agent.conftest import Arm, Note
from tests.agent.network.effects import ENDS, FRAME, LONG, UDP, end_of, milliseconds, received, spread, to_media
from tests.agent.wire import MEDIA, Wire

pytestmark = pytest.mark.netns


def test_delays_all_packets_equally(wire: Wire, arm: Arm, note: Note) -> None:
    with wire.ear() as ear:
        wire.send(packets=5_000, per_second=5_000)
        without = spread(ear.packets())
        armed = arm(to_media(Direction.EGRESS, Delay(latency=milliseconds(100))))
        with noise.measured() as beside:
            wire.send(packets=20_000, per_second=5_000)
        got = ear.packets()
    median, high = spread(got)
    said = f"p50 {median:.2f} ms, p99 {high:.2f} ms; without a fault {without[0]:.3f} and {without[1]:.3f} ms; {beside}"
    note("delay", said)
    assert [packet.number for packet in got] == list(range(20_000)), "none lost, none out of order"
    assert armed.lift().counters[Direction.EGRESS].affected == 20_000
    assert abs(median - 100) <= 2 + beside.median, said
    assert high <= 100 + machine.LATE_MILLISECONDS + beside.high, said


def test_delays_what_comes_in(wire: Wire, arm: Arm, note: Note) -> None:
    with wire.ear() as ear, noise.measured() as beside:
        armed = arm(to_media(Direction.INGRESS, Delay(latency=milliseconds(100))), wire.receiver)
        got = received(ear, wire, Direction.INGRESS, packets=1_000, per_second=500)
    median, _ = spread(got)
    note("delay", f"p50 {median:.2f} ms at ingress; {beside}")
    assert [packet.number for packet in got] == list(range(1_000)), "none lost, none out of order"
    assert armed.lift().counters[Direction.INGRESS].affected == 1_000
    assert min(packet.took for packet in got) >= 0.1
    assert median <= 102 + beside.median


def quantile(distribution: Distribution, share: float) -> float:
    """Below what this share of the delays of 60 ms with 20 ms jitter is, in milliseconds.

    Pareto is netem's: shape 3, less its mean of 1.5, times 4/3.
    """
    match distribution:
        case Distribution.UNIFORM:
            return 40 + 40 * share
        case Distribution.NORMAL:
            return statistics.NormalDist(60, 20).inv_cdf(share)
        case Distribution.PARETO:
            return 60 + 20 * (math.pow(1 - share, -1 / 3) - 1.5) * 4 / 3


@pytest.mark.matrix("jitter")
@pytest.mark.parametrize("distribution", list(Distribution))
@pytest.mark.parametrize("direction", ENDS)
def test_jitter_spreads_as_it_should(
    wire: Wire, arm: Arm, direction: Direction, distribution: Distribution, note: Note
) -> None:
    with wire.ear() as ear, noise.measured() as beside:
        dose = Delay(latency=milliseconds(60), jitter=milliseconds(20), distribution=distribution)
        armed = arm(to_media(direction, dose), end_of(wire, direction))
        got = received(ear, wire, direction, packets=5_000, per_second=1_000)
    took = statistics.quantiles((packet.took * 1000 for packet in got), n=10)
    said = f"a tenth below {took[0]:.1f}, half below {took[4]:.1f}, nine tenths below {took[8]:.1f} ms; {beside}"
    note(f"{distribution} jitter", f"{said}; by {armed.plan.method}")
    assert sorted(packet.number for packet in got) == list(range(5_000))
    for share, delay_ms in ((0.1, took[0]), (0.5, took[4]), (0.9, took[8])):
        assert abs(delay_ms - quantile(distribution, share)) <= 3 + beside.median, said
    if distribution is Distribution.UNIFORM:
        assert min(packet.took for packet in got) >= 0.04


@pytest.mark.parametrize("direction", ENDS)
def test_holds_the_bandwidth(wire: Wire, arm: Arm, direction: Direction, note: Note) -> None:
    """Three times as much as passes, and a backlog that a sender's pauses do not empty.

    The rate is the median of tenths of a second: bits that a busy kernel did not pass in time are lost to the limit.
    """
    sent = machine.pace(3_000)
    kilobits = sent // 3 * FRAME * 8 // 1000
    allowed = kilobits * 1000
    with wire.ear() as ear:
        dose = Bandwidth(rate=f"{kilobits}kbit", queue=milliseconds(500))
        armed = arm(to_media(direction, dose), end_of(wire, direction))
        with wire.sending(packets=3 * sent, per_second=sent, size=1000):
            got = ear.live()
    figures = armed.lift().counters[direction]
    begin = got[0].at + 0.5
    tenths = Counter(int((packet.at - begin) * 10) for packet in got if begin <= packet.at < begin + 2)
    rates = [tenths[number] * FRAME * 8 * 10 for number in range(20)]
    rate = statistics.median(rates)
    note("bandwidth", f"{rate / allowed:.1%} of {allowed} bits/s")
    assert rate == pytest.approx(allowed, rel=0.05)
    assert statistics.mean(rates) <= allowed * 1.05
    assert figures.matched == 3 * sent
    assert figures.affected > 0


def test_all_devices_of_a_target_share_its_bandwidth_and_get_their_packets_back(wire: Wire, arm: Arm) -> None:
    here, there = "198.18.201.1", "198.18.201.2"
    limit = Bandwidth(rate="400kbit", queue=milliseconds(200))
    effect = NetworkEffect("test", Traffic(Direction.EGRESS, UDP, peer_ports=(Ports.one(MEDIA),)), limit)
    with wire.beside("eth1", here, there), wire.ear() as first, wire.ear(address=there) as second:
        armed = arm(effect)
        began = time.monotonic()
        with wire.sending(packets=600, per_second=300, size=1000) as other:
            wire.send(packets=600, per_second=300, size=1000, source=6006, address=there)
            other.communicate(timeout=60)
        lasted = time.monotonic() - began
        assert first.packets()
        assert second.packets()
        figures = armed.lift().counters[Direction.EGRESS]
    assert figures.matched == 1200
    target = ObservedTarget("two", passed_bytes=figures.passed_bytes, lasted=lasted)
    assert dose.below_rate(Observed("test", (target,)), limit.bits_per_second, 1) is None


def test_a_low_rate_holds_but_for_its_first_burst(wire: Wire, arm: Arm) -> None:
    armed = arm(to_media(Direction.EGRESS, Bandwidth(rate="16kbit", queue=LONG)))
    began = time.monotonic()
    wire.send(packets=150, per_second=50)
    figures = armed.lift().counters[Direction.EGRESS]
    target = ObservedTarget("slow", passed_bytes=figures.passed_bytes, lasted=time.monotonic() - began)
    assert dose.below_rate(Observed("test", (target,)), 16_000, 1) is None
    assert figures.affected > 0
