"""Every network fault, measured where the packets arrive; never by reading the rule."""

import itertools
import math
import socket
import statistics
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from showstopper.agent.kernel.namespaces import Namespace
from showstopper.api.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Distribution,
    Duplicate,
    Mtu,
    NetworkFault,
    PacketLoss,
    Profile,
    Protocol,
    Reorder,
)
from showstopper.api.injection import Injection
from showstopper.api.schema.quantities import Share
from showstopper.faults.network import behaviour, dose
from showstopper.faults.network.dns_failure import dns_failure
from showstopper.faults.network.profiles import LINKS
from showstopper.faults.network.traffic import KubeletProbes, NetworkEffect, Ports, Traffic
from showstopper.faults.observed import Observed, ObservedTarget
from tests.agent import machine, noise
from tests.agent.conftest import Arm, Note
from tests.agent.wire import MEDIA, RECEIVER, SENDER, Ear, Packet, Wire
from tests.api.build import LEAVE_OUT, injection
from tests.faults.network.build import APART, BLOCKED

pytestmark = pytest.mark.netns

UDP = frozenset({Protocol.UDP})
FIVE = Share(0.05)
FRAME = 14 + 20 + 8 + 1000
"""Bytes of a packet with 1,000 bytes of payload, as a device counts them."""
ENDS = [Direction.EGRESS, Direction.INGRESS]
LONG = timedelta(milliseconds=500)


def milliseconds(number: float) -> timedelta:
    return timedelta(milliseconds=number)


def to_media(direction: Direction, dose: NetworkFault, name: str = "test") -> NetworkEffect:
    """An effect on what goes to the media port: the sender's egress, or the receiver's ingress."""
    if direction is Direction.EGRESS:
        return NetworkEffect(name, Traffic(direction, UDP, peer_ports=(Ports.one(MEDIA),), peers=(RECEIVER,)), dose)
    return NetworkEffect(name, Traffic(direction, UDP, own_ports=(Ports.one(MEDIA),), peers=(SENDER,)), dose)


def end_of(wire: Wire, direction: Direction) -> Path:
    return wire.sender if direction is Direction.EGRESS else wire.receiver


def spread(packets: list[Packet]) -> tuple[float, float]:
    """Median and 99th percentile of the milliseconds on the way."""
    took = statistics.quantiles((packet.took * 1000 for packet in packets), n=100)
    return took[49], took[98]


def received(ear: Ear, wire: Wire, direction: Direction, *, packets: int, per_second: int) -> list[Packet]:
    """What arrives of so many packets, with times on the way that include the queue at either end."""
    if direction is Direction.EGRESS:
        wire.send(packets=packets, per_second=per_second)
        return ear.packets()
    with wire.sending(packets=packets, per_second=per_second):
        return ear.live()


@pytest.mark.parametrize("direction", ENDS)
def test_loses_the_share_that_it_was_told_to(wire: Wire, arm: Arm, direction: Direction) -> None:
    with wire.ear() as ear:
        armed = arm(to_media(direction, PacketLoss(percent=FIVE)), end_of(wire, direction))
        sending = wire.send(packets=20_000, per_second=20_000)
        got = ear.packets()
    figures = armed.lift().counters[direction]
    assert not sending.errors
    assert figures.matched == 20_000
    assert figures.affected == 20_000 - len(got)
    assert 0.04 <= figures.affected / 20_000 <= 0.06


@pytest.mark.parametrize("direction", ENDS)
def test_loses_in_bursts(wire: Wire, arm: Arm, direction: Direction) -> None:
    rate = machine.pace(2_000)
    with wire.ear() as ear:
        armed = arm(
            to_media(direction, PacketLoss(percent=Share(0.2), burst=milliseconds(60))), end_of(wire, direction)
        )
        sending = wire.send(packets=5 * rate, per_second=rate)
        got = ear.packets()
    figures = armed.lift().counters[direction]
    numbers = [packet.number for packet in got]
    gaps = [later - earlier - 1 for earlier, later in itertools.pairwise(numbers) if later > earlier + 1]
    assert not sending.errors
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
    with wire.ear() as ear:
        armed = arm(to_media(direction, Duplicate(percent=FIVE)), end_of(wire, direction))
        wire.send(packets=20_000, per_second=10_000)
        got = ear.packets()
    figures = armed.lift().counters[direction]
    assert {packet.number for packet in got} == set(range(20_000)), "the first copy always comes"
    assert len(got) == 20_000 + figures.affected
    assert 0.04 <= figures.affected / 20_000 <= 0.06


@pytest.mark.parametrize("direction", ENDS)
def test_corrupts(wire: Wire, arm: Arm, direction: Direction) -> None:
    with wire.ear() as ear:
        armed = arm(to_media(direction, Corrupt(percent=FIVE)), end_of(wire, direction))
        wire.send(packets=20_000, per_second=10_000)
        got = ear.packets()
    corrupted = [packet for packet in got if packet.payload[24:28] != bytes(range(24, 28))]
    assert len(got) == 20_000
    assert all(packet.payload[28:172] == bytes(range(28, 172)) for packet in corrupted), "four bytes, no more"
    assert len(corrupted) == armed.lift().counters[direction].affected
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
    with wire.ear() as ear:
        armed = arm(to_media(direction, Reorder(percent=FIVE, hold=milliseconds(20))), end_of(wire, direction))
        wire.send(packets=10_000, per_second=5_000)
        got = ear.packets()
    numbers = [packet.number for packet in got]
    overtaken = sum(number < last for number, last in zip(numbers, itertools.accumulate(numbers, max), strict=True))
    held = armed.lift().counters[direction].affected
    assert sorted(numbers) == list(range(10_000))
    assert 0.04 <= held / 10_000 <= 0.06
    assert overtaken > held / 2, "packets that were held come after others that were sent later"


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

    Pareto has shape 3, moved to mean 0 and scaled to deviation 1: its mean is 1.5, its variance 0.75.
    """
    match distribution:
        case Distribution.UNIFORM:
            return 40 + 40 * share
        case Distribution.NORMAL:
            return statistics.NormalDist(60, 20).inv_cdf(share)
        case Distribution.PARETO:
            return 60 + 20 * (math.pow(1 - share, -1 / 3) - 1.5) / math.sqrt(0.75)


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


@pytest.mark.parametrize("direction", ENDS)
def test_a_partition_is_silent(wire: Wire, arm: Arm, direction: Direction) -> None:
    at_sender = direction is Direction.EGRESS
    peer = RECEIVER if at_sender else SENDER
    with wire.ear() as ear:
        armed = arm(NetworkEffect("test", Traffic(peers=(peer,)), APART), end_of(wire, direction))
        sending = wire.send(packets=2_000, per_second=5_000)
        got = ear.packets()
    assert not sending.errors, "a sender must not notice"
    assert not got
    assert armed.lift().counters[direction].affected >= 2_000


def test_connections_hang_in_a_partition_and_are_slow_under_a_delay(wire: Wire, arm: Arm) -> None:
    """TCP: no reset, no error; the handshake waits for what does not come, or comes late."""
    with Namespace.at(wire.receiver) as there:
        server = there.call(lambda: socket.create_server((RECEIVER, 7880)))
    arm(NetworkEffect("late", Traffic(Direction.EGRESS), Delay(latency=milliseconds(100))))
    with server, Namespace.at(wire.sender) as here:
        began = time.monotonic()
        here.call(lambda: socket.create_connection((RECEIVER, 7880), timeout=5)).close()
        assert time.monotonic() - began >= 0.1
        arm(NetworkEffect("apart", Traffic(peers=(RECEIVER,)), APART))
        with pytest.raises(TimeoutError):
            here.call(lambda: socket.create_connection((RECEIVER, 7880), timeout=0.5))


@pytest.mark.parametrize("direction", ENDS)
def test_a_port_block_leaves_other_ports_alone(wire: Wire, arm: Arm, direction: Direction) -> None:
    with wire.ear() as closed, wire.ear(7000) as other:
        armed = arm(to_media(direction, BLOCKED), end_of(wire, direction))
        assert not wire.send(packets=500, per_second=5_000).errors
        assert not wire.send(packets=500, per_second=5_000, port=7000).errors
        assert len(other.packets()) == 500
        assert not closed.packets()
    assert armed.lift().counters[direction].affected == 500


def test_name_servers_do_not_answer(wire: Wire, arm: Arm) -> None:
    with wire.ear(53) as server, wire.ear() as media:
        armed = arm(dns_failure("test"))
        assert not wire.send(packets=100, per_second=5_000, port=53).errors
        wire.send(packets=100, per_second=5_000)
        assert len(media.packets()) == 100
        assert not server.packets()
    assert armed.counters()[Direction.EGRESS].affected == 100


def test_several_faults_on_one_target_compose(wire: Wire, arm: Arm) -> None:
    doses: list[NetworkFault] = [
        PacketLoss(percent=FIVE),
        Delay(latency=milliseconds(50)),
        Duplicate(percent=Share(0.1)),
        Corrupt(percent=Share(0.1)),
    ]
    with wire.ear() as ear:
        armed = [arm(to_media(Direction.EGRESS, dose, type(dose).__name__.lower())) for dose in doses]
        wire.send(packets=10_000, per_second=5_000)
        got = ear.packets()
    for armed_effect in armed:
        assert not armed_effect.lift().leftovers
    corrupted = sum(packet.payload[24:28] != bytes(range(24, 28)) for packet in got)
    assert len(got) / 10_000 == pytest.approx(1.1 * 0.95, abs=0.03)
    assert corrupted / len(got) == pytest.approx(0.1, abs=0.03)
    assert spread(got)[0] == pytest.approx(50, abs=3)


def media_of_fleet(direction: Direction) -> tuple[NetworkEffect, ...]:
    """The effects of a Lossy4G on what is media of a pod of the fleet, one way."""
    changes = {"spec.networkProfile": {"name": "Lossy4G", "direction": direction}, "spec.mediaOnly": True}
    spec = Injection.parse(
        injection({"spec.packetLoss": LEAVE_OUT, "spec.ports": [], "spec.peers": LEAVE_OUT, **changes})
    ).spec
    return behaviour.of(spec.spec).effects(spec, "test")


@pytest.mark.parametrize("direction", ENDS)
def test_a_profile_loses_and_delays_what_is_media_and_leaves_name_servers_alone(
    wire: Wire, arm: Arm, direction: Direction, note: Note
) -> None:
    at_sender = direction is Direction.EGRESS
    port, source = (53, 6004) if at_sender else (7000, 53)
    with wire.ear() as ear, wire.ear(port) as server, noise.measured() as beside:
        loss, _, delay = (arm(part, end_of(wire, direction)) for part in media_of_fleet(direction))
        got = received(ear, wire, direction, packets=5_000, per_second=500)
        wire.send(packets=200, per_second=500, port=port, source=source)
        asked = server.packets()
    lost, held = loss.lift().counters[direction], delay.lift().counters[direction]
    median, _ = spread(got)
    note("profile", f"{lost.affected} of 5,000 lost, p50 {median:.2f} ms; {beside}")
    assert lost.matched == 5_000
    assert 10 <= lost.affected <= 95, "50, give or take six deviations"
    assert held.matched == (5_000 if at_sender else 5_000 - lost.affected)
    assert held.affected == held.matched
    assert 4_800 <= len(got) <= 5_000 - lost.affected, "a busy machine sends in bursts, which wait too long for bits"
    assert min(packet.took for packet in got) >= 0.06
    assert median <= 65 + beside.median
    assert len(asked) == 200
    assert spread(asked)[0] < 30


@pytest.mark.parametrize("direction", ENDS)
def test_a_profile_holds_the_bandwidth_of_each_way(wire: Wire, arm: Arm, direction: Direction, note: Note) -> None:
    allowed = LINKS[Profile.LOSSY_4G][direction].limit.bits_per_second
    sent = machine.pace(3 * allowed // (FRAME * 8))
    with wire.ear() as ear:
        armed = [arm(part, end_of(wire, direction)) for part in media_of_fleet(direction)]
        with wire.sending(packets=3 * sent, per_second=sent, size=1000):
            got = ear.live()
    passed = [armed_effect.lift() for armed_effect in armed][1].counters[direction].passed_bytes
    begin = got[0].at + 0.5
    rate = len([packet for packet in got if begin <= packet.at < begin + 2]) * FRAME * 8 / 2
    note("profile", f"{rate / allowed:.1%} of {allowed} bits/s")
    assert passed is not None
    assert passed >= len(got) * FRAME
    assert 0.75 * min(allowed, sent * FRAME * 8) <= rate <= 1.05 * allowed


def test_only_the_peers_are_hit(wire: Wire, arm: Arm) -> None:
    other = NetworkEffect("test", Traffic(Direction.BOTH, peers=("198.18.200.128/25", "2001:db8::1")), APART)
    with wire.ear() as ear:
        armed = arm(other)
        wire.send(packets=500, per_second=5_000)
        assert len(ear.packets()) == 500
    assert armed.counters()[Direction.EGRESS].matched == 0, "no effect, and the counters say so"


@pytest.mark.parametrize(
    "fault",
    [PacketLoss(percent=Share(1)), Duplicate(percent=Share(1)), Delay(latency=milliseconds(10))],
    ids=lambda fault: type(fault).__name__,
)
@pytest.mark.parametrize("direction", ENDS)
def test_media_is_counted_among_all_packets(wire: Wire, arm: Arm, direction: Direction, fault: NetworkFault) -> None:
    port = 6004 if direction is Direction.EGRESS else MEDIA
    with wire.ear(), wire.ear(7000):
        effect = NetworkEffect("test", Traffic(direction, media=(Ports.one(port),)), fault)
        armed = arm(effect, end_of(wire, direction))
        wire.send(packets=100, per_second=1_000)
        wire.send(packets=50, per_second=1_000, port=7000, source=6005)
        time.sleep(0.1)
    figures = armed.lift().counters[direction]
    assert figures.media == 100
    assert figures.affected >= 150


def test_a_limit_of_all_packets_counts_media_and_what_it_let_through(wire: Wire, arm: Arm) -> None:
    with wire.ear():
        effect = NetworkEffect(
            "test", Traffic(Direction.EGRESS, media=(Ports.one(6004),)), Bandwidth(rate="100Mbit", queue=LONG)
        )
        armed = arm(effect)
        wire.send(packets=100, per_second=1_000, size=1000)
        time.sleep(0.1)
    figures = armed.lift().counters[Direction.EGRESS]
    assert figures.media == 100
    assert figures.passed_bytes is not None
    assert 100 * FRAME <= figures.passed_bytes < 110 * FRAME


@pytest.mark.parametrize("known", ["by its address", "as the gateway"])
def test_the_nodes_probes_are_spared(wire: Wire, arm: Arm, known: str) -> None:
    """Kubelets ask from the node's address, or from the gateway's, which is the node's with some network plugins."""
    if known == "as the gateway":
        wire.route(wire.receiver, SENDER)
    spared = KubeletProbes((SENDER,) if known == "by its address" else (), (Ports.one(7880),))
    with Namespace.at(wire.receiver) as there:
        servers = [
            there.call(lambda port=port: socket.create_server((RECEIVER, port)))  # type: ignore[misc]
            for port in (7880, 7881)
        ]
    with servers[0], servers[1], Namespace.at(wire.sender) as here, wire.ear(7880) as ear:
        arm(NetworkEffect("test", Traffic(spared=spared), PacketLoss(percent=Share(1))), wire.receiver)
        here.call(lambda: socket.create_connection((RECEIVER, 7880), timeout=5)).close()
        with pytest.raises(TimeoutError):
            here.call(lambda: socket.create_connection((RECEIVER, 7881), timeout=0.5))
        wire.send(packets=100, per_second=1_000, port=7880)
        assert not ear.packets(), "nothing but TCP is a probe"


def test_lifting_ends_it_at_once_and_lets_held_packets_go(wire: Wire, arm: Arm, note: Note) -> None:
    with wire.ear() as ear:
        armed = arm(to_media(Direction.EGRESS, Delay(latency=milliseconds(400))))
        wire.send(packets=500, per_second=5_000)
        began = time.monotonic()
        lifted = armed.lift()
        took = time.monotonic() - began
        got = ear.packets()
    note("lift", f"lifted and found clean in {took * 1000:.1f} ms")
    assert len(got) == 500
    assert lifted.counters[Direction.EGRESS].affected == 500
    assert not lifted.leftovers
    assert armed.lift() == lifted, "again: nothing more"
