"""Packet floods: what a flooder in the room's namespace sends to the room's own pods, and what proves that it came."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from showstopper.api.shapes import Shape
from showstopper.faults.effects import Pod

_HEADERS = {4: 28, 6: 48}  # bytes of IP header without options (RFC 791, RFC 8200), and of UDP header


@dataclass(frozen=True, slots=True)
class PacketFlood:
    """How much is sent, of what.

    Attributes:
        size: bytes of UDP payload; 172 is Opus at 64 kbit/s with its RTP header.
        rate: packets a second, to all targets together; None: as fast as one core can.
        sources: source ports that take turns.
        duration: no packet leaves later than this after the first.
        packets: no more than so many, to all targets together; None: what the rate needs for the duration.
    """

    shape: Shape = Shape.RTP
    size: int = 172
    rate: int | None = None
    sources: int = 1
    duration: timedelta = timedelta(seconds=10)
    packets: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An IP address and a UDP port."""

    address: str
    port: int

    def __str__(self) -> str:
        """As in URLs: IPv6 addresses stand in brackets."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Flooded:
    """A target: the pod that is meant, and the port of it that is flooded."""

    pod: Pod
    port: int

    @property
    def endpoint(self) -> Endpoint:
        """Where its packets go."""
        return Endpoint(self.pod.address, self.port)


@dataclass(frozen=True, slots=True)
class SendPackets:
    """Start one flooder: a Job that is never tried again, without a token. Its three budgets bind it by themselves.

    Attributes:
        packets, duration: as in PacketFlood, both given.
        end: no packet leaves after this moment, however late the flooder could start.
    """

    targets: tuple[Endpoint, ...]
    flood: PacketFlood
    packets: int
    end: datetime


@dataclass(frozen=True, slots=True)
class PacketsSent:
    """Proof: the flooder's report says that packets left it."""


@dataclass(frozen=True, slots=True)
class PacketsArrived:
    """Proof: at the interface of this pod, packets of the flooder's pod to this port were counted."""

    uid: str
    port: int


@dataclass(frozen=True, slots=True)
class FloodEffect:
    """One flood on all its targets, and every proof that is needed. To revert it: end the Job, close the gate."""

    targets: tuple[Flooded, ...]
    start: SendPackets
    proof: tuple[PacketsSent | PacketsArrived, ...]


@dataclass(frozen=True, slots=True)
class Traces:
    """What was seen of a flood.

    Attributes:
        sent: packets that left, from the flooder's report or its last line of progress; None: it said nothing.
        arrived: packets counted at the interfaces of targets, by pod UID and port.
    """

    sent: int | None
    arrived: Mapping[tuple[str, int], int]


def packet_flood(spec: PacketFlood, targets: tuple[Flooded, ...], end: datetime) -> FloodEffect:
    """Send the packets to all targets in turn. Proven when packets left, and some arrived at every single target.

    One flooder serves all targets, so that rate and budget hold for the whole flood, whatever happens to a target.
    """
    start = SendPackets(tuple(target.endpoint for target in targets), spec, budget(spec), end)
    arrivals = tuple(PacketsArrived(target.pod.uid, target.port) for target in targets)
    return FloodEffect(targets=targets, start=start, proof=(PacketsSent(), *arrivals))


def budget(spec: PacketFlood) -> int:
    """How many packets a flood may send. Raises ValueError when the spec names no number and no rate."""
    if spec.packets is not None:
        return spec.packets
    if spec.rate is None:
        raise ValueError("as fast as possible needs a budget: say how many packets")
    return math.ceil(spec.rate * spec.duration.total_seconds())


def datagrams(packets: int, counted_bytes: int, size: int, version: int = 4, *, link: int = 0) -> int:
    """How many datagrams a packet counter has seen, from its packets and its bytes from the IP header on.

    On the same machine, a batch passes interfaces in one piece, and counts as one packet there: UDP_SEGMENT cuts it
    late, at a device that cannot do so itself, or at the receiver's socket. Its bytes tell how many it holds.

    Args:
        packets: the counter's packets.
        counted_bytes: the counter's bytes, as nftables counts them.
        size: bytes of UDP payload of each datagram.
        version: of IP.
        link: bytes of the header before that of IP, where the counter has them too.
    """
    return (counted_bytes - packets * (_HEADERS[version] + link)) // size


def unproven(effect: FloodEffect, traces: Traces) -> tuple[str, ...]:
    """Which proofs are missing, as sentences for a person; empty: the flood took effect."""
    return tuple(sentence for proof in effect.proof if (sentence := _missing(proof, effect, traces)))


def _missing(proof: PacketsSent | PacketsArrived, effect: FloodEffect, traces: Traces) -> str | None:
    match proof:
        case PacketsSent():
            return None if traces.sent else _silence(traces)
        case PacketsArrived(uid=uid, port=port):
            return None if traces.arrived.get((uid, port)) else _nothing_at(uid, port, effect)


def _silence(traces: Traces) -> str:
    return "the flooder reported nothing" if traces.sent is None else "the flooder sent no packet"


def _nothing_at(uid: str, port: int, effect: FloodEffect) -> str:
    pod = next(target.pod for target in effect.targets if target.pod.uid == uid)
    return f"no packet of the flood arrived at the interface of {pod.namespace}/{pod.name} for port {port}"
