"""Every network fault, measured where the packets arrive; never by reading the rule."""

import socket
import time

import pytest

from showstopper.agent.kernel.namespaces import Namespace
from showstopper.api.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Duplicate,
    NetworkFault,
    PacketLoss,
    Profile,
)
from showstopper.api.injection import Injection
from showstopper.api.schema.quantities import Share
from showstopper.faults.network import behaviour
from showstopper.faults.network.dns_failure import dns_failure
from showstopper.faults.network.profiles import LINKS
from showstopper.faults.network.traffic import KubeletProbes, NetworkEffect, Ports, Traffic
from tests.agent import machine, noise
from tests.agent.conftest import Arm, Note
from tests.agent.network.effects import ENDS, FIVE, FRAME, LONG, end_of, milliseconds, received, spread, to_media
from tests.agent.wire import MEDIA, RECEIVER, SENDER, Wire
from tests.api.build import LEAVE_OUT, injection
from tests.faults.network.build import APART, BLOCKED

pytestmark = pytest.mark.netns


def names(fault: NetworkFault) -> str:
    return type(fault).__name__


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


@pytest.mark.parametrize("fault", [PacketLoss(percent=Share(1)), Delay(latency=milliseconds(10))], ids=names)
def test_what_a_bridge_brings_that_is_for_another_pod_is_not_met(wire: Wire, arm: Arm, fault: NetworkFault) -> None:
    armed = arm(to_media(Direction.INGRESS, fault), wire.receiver)
    with wire.bridged("198.18.200.3"):
        sending = wire.send(packets=100, per_second=1_000, address="198.18.200.3")
    assert sending.sent == 100
    assert armed.lift().counters[Direction.INGRESS].matched == 0, "a fault of no packets would count as proven"


@pytest.mark.parametrize(
    "fault", [PacketLoss(percent=Share(1)), Duplicate(percent=Share(1)), Delay(latency=milliseconds(10))], ids=names
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
