"""What a flooder sends, to whom, and how its packets are counted. Without pydantic, for the flooder does without it."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from showstopper.api.schema.shapes import Shape
from showstopper.faults.endpoint import Endpoint

_HEADERS = {4: 28, 6: 48}
"""Bytes of IP header without options (RFC 791, RFC 8200), and of UDP header."""


@dataclass(frozen=True, slots=True)
class Flood:
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
class SendPackets:
    """Start one flooder: a Job that is never tried again, without a token. Its three budgets bind it by themselves.

    Attributes:
        packets, duration: as in Flood, both given.
        end: no packet leaves after this moment, however late the flooder could start.
    """

    targets: tuple[Endpoint, ...]
    flood: Flood
    packets: int
    end: datetime


def send_packets(flood: Flood, targets: tuple[Endpoint, ...], end: datetime) -> SendPackets:
    """Send the packets to all targets in turn.

    One flooder serves all targets, so that rate and budget hold for the whole flood, whatever happens to a target.

    Raises:
        ValueError: the flood names no number of packets and no rate.
    """
    return SendPackets(targets, flood, budget(flood), end)


def budget(flood: Flood) -> int:
    """How many packets a flood may send.

    Raises:
        ValueError: the flood names no number of packets and no rate.
    """
    if flood.packets is not None:
        return flood.packets
    if flood.rate is None:
        raise ValueError("as fast as possible needs a budget: say how many packets")
    return math.ceil(flood.rate * flood.duration.total_seconds())


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
