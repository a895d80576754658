"""Streams of stamped packets from pod to pod: what was sent when, and what of it came, by the kernel's stamps.

A socket belongs to the network namespace in which it was made: so nothing has to run in the pods, both ends have one
clock, and a fault on a pod meets packets as it would meet those of a program inside.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bench.capture import SO_TIMESTAMPNS, entered, stamp_of
from bench.watching import Watch
from dev.cluster import inside

PER_SECOND = 250
PORT = 5004
BYTES = 172
"""As the sound of 20 ms takes in Opus over RTP."""

_HEADER = struct.Struct("!Q")
_FILLING = bytes(range(BYTES - _HEADER.size))
_BUFFER_FORCED = 33
"""SO_RCVBUFFORCE."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet that was sent, in unix seconds, and when it came: never, once, or more often, and with what was sent?

    `sent` is just before the kernel was given it, `gone` just after: a sender that stands still between the two was not
    held up on the way.
    """

    sent: float
    came: tuple[float, ...] = ()
    intact: bool = True
    gone: float = 0.0

    @property
    def late(self) -> float | None:
        """Seconds on the way, of the first that came."""
        return self.came[0] - max(self.sent, self.gone) if self.came else None


@dataclass(frozen=True, slots=True)
class Place:
    """A pod, by what its network is found and reached with."""

    uid: str
    address: str


class Stream:
    """Packets from one pod to a port of another, numbered from zero."""

    def __init__(self, source: Place, sink: Place, port: int = PORT) -> None:
        self._to = (sink.address, port)
        self._sent: list[float] = []
        self._gone: list[float] = []
        self._came: dict[int, list[float]] = {}
        self._broken: set[int] = set()
        self._sender = _socket(source)
        self.receiver = _socket(sink)
        self.receiver.setsockopt(socket.SOL_SOCKET, _BUFFER_FORCED, 4 << 20)
        self.receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.receiver.setblocking(False)
        self.receiver.bind(self._to)

    def send(self) -> None:
        """Send the next one."""
        number = len(self._sent)
        self._sent.append(time.time())
        self._sender.sendto(_HEADER.pack(number) + _FILLING, self._to)
        self._gone.append(time.time())

    def take(self) -> None:
        """Take what has come."""
        while True:
            try:
                data, control, _, _ = self.receiver.recvmsg(2 * BYTES, 64)
            except BlockingIOError:
                return
            (number,) = _HEADER.unpack_from(data)
            self._came.setdefault(number, []).append(stamp_of(control))
            if data[_HEADER.size :] != _FILLING:
                self._broken.add(number)

    def packets(self, since: float = 0.0, until: float = float("inf")) -> list[Packet]:
        """What was sent in that time, with what came of it so far."""
        return [
            Packet(sent, tuple(self._came.get(number, ())), number not in self._broken, gone)
            for number, (sent, gone) in enumerate(zip(self._sent, list(self._gone), strict=False))
            if since <= sent < until
        ]

    def close(self) -> None:
        """Close both ends."""
        self._sender.close()
        self.receiver.close()


class Traffic(Watch):
    """All streams at the same pace, for as long as it is open (a context manager)."""

    def __init__(self, streams: Iterable[Stream], per_second: int = PER_SECOND) -> None:
        super().__init__()
        self._streams = list(streams)
        self._per_second = per_second
        self._selector = selectors.DefaultSelector()
        for stream in self._streams:
            self._selector.register(stream.receiver, selectors.EVENT_READ, stream)

    def watch(self) -> None:
        """Send what is due, and take what comes until the next is."""
        began, sent = time.monotonic(), 0
        while not self.done.is_set():
            due = int((time.monotonic() - began) * self._per_second)
            sent = max(sent, due - 1)  # a sender that stood still does not catch up in a burst
            for _ in range(due - sent):
                for stream in self._streams:
                    stream.send()
            sent = due
            pause = began + (due + 1) / self._per_second - time.monotonic()
            for key, _ in self._selector.select(max(0.0, pause)):
                key.data.take()

    def close(self) -> None:
        """Take what is there, and close the streams."""
        self._selector.close()
        for stream in self._streams:
            stream.take()
            stream.close()


def first_lost(packets: Iterable[Packet]) -> float | None:
    """When the first packet was sent that never came, in unix seconds."""
    return next((packet.sent for packet in packets if not packet.came), None)


def _socket(place: Place) -> socket.socket:
    with inside.open_pod_namespace(place.uid) as namespace, entered(namespace):
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
