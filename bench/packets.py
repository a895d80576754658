"""RTP in captured IPv4 packets: the headers are in clear, whatever SRTP hides behind them. Pure.

A packet counts as media if it is RTP (version 2, RFC 3550), no RTCP (packet types 192 to 223, RFC 5761), and carries
the payload of sound: Opus (111) or RED (63) in every WebRTC client. What LiveKit sends beside the host's sound to probe
the bandwidth is padding of another payload type or has the padding bit, and RTX has another payload type too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

UDP = 17
SOUND = frozenset({111, 63})
PACKET_SECONDS = 0.02
"""How much sound a packet holds: what was sent last is heard that long."""

BURST_SECONDS = 0.5
"""How long after a gap packets that were held up are looked for: they come at once, faster than sound is spoken."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of sound: when the kernel saw it (unix seconds), from whom, and what its header says."""

    at: float
    source: str
    port: int
    ssrc: int
    sequence: int
    size: int


def parse(data: bytes, at: float) -> Packet | None:
    """The packet of sound in an IPv4 packet. None if it is anything else."""
    if len(data) < 20 or data[0] >> 4 != 4 or data[9] != UDP:
        return None
    header = (data[0] & 15) * 4
    if len(data) < header + 8 + 12:
        return None
    payload = header + 8
    first, second = data[payload], data[payload + 1]
    padded = bool(first & 0x20)
    if first >> 6 != 2 or 192 <= second <= 223 or padded or second & 127 not in SOUND:
        return None
    (port,) = struct.unpack_from("!H", data, header + 2)
    (sequence,) = struct.unpack_from("!H", data, payload + 2)
    (ssrc,) = struct.unpack_from("!I", data, payload + 8)
    source = ".".join(str(byte) for byte in data[12:16])
    (length,) = struct.unpack_from("!H", data, 2)  # of the whole packet: what was captured may be cut
    return Packet(at, source, port, ssrc, sequence, length - payload)


@dataclass(frozen=True, slots=True)
class Gap:
    """[start, end) without a packet: from the end of the last one's sound to the first one that came again.

    `missing` is the media that never came for it, in seconds: less than its length if a burst made up for some of it.
    """

    start: float
    end: float
    missing: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def gaps(packets: Iterable[Packet], *, longer_than: float) -> list[Gap]:
    """The stretches of more than `longer_than` seconds in which no packet of sound came, in order.

    The stretch after the last packet is none: nobody knows how it ends.
    """
    times = sorted(packet.at for packet in packets)
    stretches = []
    for index in range(1, len(times)):
        start, end = times[index - 1] + PACKET_SECONDS, times[index]
        if end - start > longer_than:
            stretches.append(Gap(start, end, _missing(start, times[index:])))
    return stretches


def _missing(start: float, times: list[float]) -> float:
    """What is still missing once a burst is over: of what should have come since `start`, what had not, at the best."""
    debts = (at - start - count * PACKET_SECONDS for count, at in enumerate(times) if at <= times[0] + BURST_SECONDS)
    return max(0.0, min(debts))
