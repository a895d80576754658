"""What tests of effects on packets share: effects on media, and what arrives of packets."""

import statistics
from datetime import timedelta
from pathlib import Path

from showstopper.api.faults.network import Direction, NetworkFault, Protocol
from showstopper.api.schema.quantities import Share
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic
from tests.agent.wire import MEDIA, RECEIVER, SENDER, Ear, Packet, Wire

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
