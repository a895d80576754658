"""The shapes of packets: batches of datagrams, one behind the other, whose headers are valid and whose counters grow.

The kernel cuts a batch into datagrams (UDP_SEGMENT), so that building it is what Python has to be quick at: payloads
stay, and counters are put into all headers of a batch at once, by slices whose step is the datagram's size.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

from showstopper.api.schema.shapes import Shape

# The kernel's UDP_MAX_SEGMENTS (include/linux/udp.h), which newer kernels have doubled. Measured on Linux 6.18, 128
# segments in one call send no more packets a second than 64.
MOST_SEGMENTS = 64
MOST_BYTES = 65_507
"""The payload of the largest IPv4 datagram (RFC 768)."""

_POOL_BYTES = 1 << 20
_RTP_VERSION = 0x80
"""Version 2, no padding, no extension, no sources (RFC 3550, section 5.1)."""

_OPUS = 111
"""The payload type that WebRTC stacks offer Opus as."""

_OPUS_TICKS = 960
"""20 ms of Opus' 48 kHz clock (RFC 7587, section 4.1)."""

_STUN_BINDING_REQUEST = 0x0001
"""RFC 8489, section 5."""

_STUN_COOKIE = 0x2112A442
_STUN_USERNAME, _STUN_PRIORITY = 0x0006, 0x0024
"""RFC 8489, section 14.3; RFC 8445, section 16.1."""

_STUN_PADDING = 0x0026
"""RFC 5780, section 7.6."""


@dataclass(slots=True)
class Stream:
    """What goes from one source to one target.

    Attributes:
        identity: 32 bits that tell it from others: RTP's SSRC, the beginning of STUN's transactions.
        sent: how many packets of it have left.
    """

    identity: int
    sent: int = 0


class Batches(ABC):
    """Makes batches of one shape and size."""

    def __init__(self, size: int, random: Random) -> None:
        self.size = size
        self.most = min(MOST_SEGMENTS, MOST_BYTES // size)
        self._random = random

    @abstractmethod
    def batch(self, stream: Stream, count: int) -> memoryview:
        """The stream's next `count` datagrams (at most `most`). Only valid until the next call."""


class RandomBatches(Batches):
    """Random bytes: windows into a pool, since making new ones for each packet costs more than sending it."""

    def __init__(self, size: int, random: Random) -> None:
        super().__init__(size, random)
        self._pool = memoryview(random.randbytes(_POOL_BYTES))

    def batch(self, stream: Stream, count: int) -> memoryview:  # noqa: ARG002 - random packets have no counters
        """`count` datagrams from somewhere in the pool."""
        length = count * self.size
        begin = int(self._random.random() * (_POOL_BYTES - length))
        return self._pool[begin : begin + length]


class HeaderBatches(Batches):
    """Datagrams that are alike but for an identity and counters in their headers."""

    def __init__(self, size: int, random: Random, datagram: bytes) -> None:
        super().__init__(size, random)
        self._bytes = memoryview(bytearray(datagram * self.most))

        self._identity: int | None = None

    def _put(self, offset: int, width: int, values: bytes) -> None:
        """Put values of `width` bytes at this offset of as many datagrams as there are values."""
        length = len(values) // width * self.size
        for byte in range(width):
            self._bytes[offset + byte : length : self.size] = values[byte::width]

    def _identify(self, offset: int, stream: Stream) -> None:
        """Put the stream's identity into all datagrams, unless it is there."""
        if stream.identity != self._identity:
            self._put(offset, 4, stream.identity.to_bytes(4, "big") * self.most)
            self._identity = stream.identity


class RtpBatches(HeaderBatches):
    """RTP: sequence number and timestamp grow with each packet of a stream, and the SSRC is the stream's own."""

    def __init__(self, size: int, random: Random) -> None:
        header = struct.pack(">BBHII", _RTP_VERSION, _OPUS, 0, 0, 0)
        super().__init__(size, random, header + random.randbytes(size - len(header)))

    def batch(self, stream: Stream, count: int) -> memoryview:
        """The stream's next datagrams."""
        self._put(2, 2, _counters("H", stream.sent, count))
        self._put(4, 4, _counters("I", stream.sent, count, step=_OPUS_TICKS))
        self._identify(8, stream)
        return self._bytes[: count * self.size]


class StunBatches(HeaderBatches):
    """STUN binding requests as ICE sends them, for a user that nobody knows, each a transaction of its own.

    Without MESSAGE-INTEGRITY, whose key is the room's secret: a server can refuse them, but not before parsing them.
    """

    def __init__(self, size: int, random: Random) -> None:
        super().__init__(size, random, _binding_request(size, random))

    def batch(self, stream: Stream, count: int) -> memoryview:
        """The stream's next datagrams."""
        self._put(16, 4, _counters("I", stream.sent, count))
        self._identify(8, stream)
        return self._bytes[: count * self.size]


def _binding_request(size: int, random: Random) -> bytes:
    """A binding request of this size: with a user name and a priority if they fit, and padding."""
    attributes = b""
    user = f"{random.randbytes(2).hex()}:{random.randbytes(2).hex()}".encode()
    for kind, value in ((_STUN_USERNAME, user), (_STUN_PRIORITY, struct.pack(">I", random.getrandbits(31)))):
        attribute = struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)
        if 20 + len(attributes) + len(attribute) <= size:
            attributes += attribute
    rest = size - 20 - len(attributes)
    if rest:
        attributes += struct.pack(">HH", _STUN_PADDING, rest - 4) + bytes(rest - 4)
    transaction = random.randbytes(12)
    return struct.pack(">HHI", _STUN_BINDING_REQUEST, size - 20, _STUN_COOKIE) + transaction + attributes


def _counters(kind: Literal["H", "I"], first: int, count: int, step: int = 1) -> bytes:
    """Numbers `first`, `first` + 1 and so on, times the step, in 16 (H) or 32 (I) bits that begin anew when full."""
    modulus = 1 << (16 if kind == "H" else 32)
    begin = first * step % modulus
    numbers = range(begin, begin + count * step, step)
    full = numbers[-1] >= modulus
    return _packer(kind, count).pack(*([number % modulus for number in numbers] if full else numbers))


@cache
def _packer(kind: str, count: int) -> struct.Struct:
    return struct.Struct(f">{count}{kind}")


_KINDS: dict[Shape, type[RandomBatches | RtpBatches | StunBatches]] = {
    Shape.RANDOM: RandomBatches,
    Shape.RTP: RtpBatches,
    Shape.STUN: StunBatches,
}


def of(shape: Shape, size: int, random: Random) -> Batches:
    """What makes batches of this shape and size."""
    return _KINDS[shape](size, random)
