"""Reads the sockets of all listeners in one sweep: recvmmsg(2) into one block of memory, with the kernel's time stamps.

Python runs once for each socket and sweep. What is done for each packet is numpy's. When a sweep comes does not matter
to the times, as long as the sockets' buffers hold what came meanwhile. The kernel says if they did not (SO_RXQ_OVFL).
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from showstopper.audio.crowd.packets import Bytes, Ints, Packets, is_session, sound
from showstopper.audio.crowd.stun import Address
from showstopper.audio.crowd.timestamps import Reading, monotonic_seconds, stepped

SO_TIMESTAMPNS, SO_RXQ_OVFL = 35, 40
"""asm-generic/socket.h; Python's socket module does not name them."""

RECEIVE_BUFFER = 65536
"""The kernel doubles it, and charges 832 bytes for a small datagram: 157 of them, 3.1 s of sound."""

ROWS = 16384
SNAP = 256
"""Bytes that are kept of a datagram: STUN, RTP headers and 32 kbit/s of Opus fit. Of more only the length counts."""

BURST = 64
MOST_BATCHES = 16
"""A socket that is filled faster than it is read must not hold up the others for ever."""

_CONTROL, _NAME = 64, 32
_STAMPED = 32
"""Bytes of control data with a time stamp alone: a header of 16, and a timespec. A count of drops follows it."""

_DROPS_AT = 48
_FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_TRUNC)
_EMPTY = frozenset({errno.EAGAIN, errno.EINTR})
_recvmmsg = ctypes.CDLL(None, use_errno=True).recvmmsg
# Without argtypes: ctypes would call a converter for each argument, which takes as long as the rest of the call.

_HEADER = np.dtype(  # struct mmsghdr on 64-bit Linux
    [
        ("name", "u8"),
        ("name_length", "u8"),
        ("vector", "u8"),
        ("vectors", "u8"),
        ("control", "u8"),
        ("control_length", "u8"),
        ("flags", "u8"),
        ("length", "u4"),
        ("padding", "u4"),
    ]
)
_VECTOR = np.dtype([("base", "u8"), ("length", "u8")])


def prepare(udp: socket.socket) -> None:
    """Make a UDP socket ready to be swept."""
    udp.setblocking(False)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    udp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    udp.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)


class Datagram(NamedTuple):
    """One that is for the listener itself: STUN or DTLS. One longer than SNAP is cut off."""

    slot: int
    data: bytes
    sender: Address


@dataclass(frozen=True, slots=True)
class Batch:
    """What one part of a sweep read: packets of sound, datagrams for the listeners, and the slots that got anything.

    `data` and `length` are those of all datagrams, as `packets.sound` takes them, until the next batch is read.
    """

    packets: Packets
    datagrams: list[Datagram]
    slots: Ints
    data: Bytes
    length: Ints


class Sweep:
    """The sockets that are swept, by slot."""

    def __init__(self) -> None:
        self.steps = 0
        """How often the wall clock stepped: times of packets across a step are right to the length of a sweep."""
        self.refused: dict[int, int] = {}
        """Errors that sockets reported, by errno: ECONNREFUSED says that the relay's port is gone."""
        self._files: dict[int, tuple[int, int]] = {}
        """Slot and descriptor of each socket, by slot: a sweep makes no new pair for each."""
        self._drops: dict[int, int] = {}
        self._drops_before = 0
        self._reading = Reading.now()
        self._data = np.zeros((ROWS, SNAP), np.uint8)
        self._control = np.zeros((ROWS, _CONTROL), np.uint8)
        self._names = np.zeros((ROWS, _NAME), np.uint8)
        self._vectors = np.zeros(ROWS, _VECTOR)
        self._headers = np.zeros(ROWS, _HEADER)
        rows = np.arange(ROWS, dtype=np.uint64)
        self._vectors["base"] = self._data.ctypes.data + rows * SNAP
        self._vectors["length"] = SNAP
        self._headers["name"] = self._names.ctypes.data + rows * _NAME
        self._headers["name_length"] = _NAME
        self._headers["vector"] = self._vectors.ctypes.data + rows * _VECTOR.itemsize
        self._headers["vectors"] = 1
        self._headers["control"] = self._control.ctypes.data + rows * _CONTROL
        self._headers["control_length"] = _CONTROL
        self._header_block = (ctypes.c_char * self._headers.nbytes).from_buffer(self._headers.data)

    @property
    def drops(self) -> int:
        """Datagrams that the kernel dropped because a buffer was full: packets that we missed, not the room."""
        return self._drops_before + sum(self._drops.values())

    def add(self, slot: int, descriptor: int) -> None:
        """Sweep this socket, too."""
        self.remove(slot)
        self._files[slot] = slot, descriptor

    def remove(self, slot: int) -> None:
        """Sweep it no more. To be called before it is closed: its number may soon be another's."""
        self._files.pop(slot, None)
        self._drops_before += self._drops.pop(slot, 0)

    def read(self, slot: int | None = None) -> Iterator[Batch]:
        """Everything that waits, or what waits for one slot, in as many batches as it takes."""
        before, now = self._reading, Reading.now()
        if slot is None:  # what waits for the others is of the time since the last reading of all
            self._reading = now
            self.steps += stepped(before, now)
        waiting = list(self._files.values()) if slot is None else [self._files[slot]]
        for _ in range(MOST_BATCHES):
            slots, counts = self._receive(waiting)
            if slots:
                yield self._batch(slots, counts, before)
            if not waiting:
                return

    def _receive(self, waiting: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
        """Empty sockets, as many as there is room for. They are taken off the list. Returns slots and counts."""
        receive, headers, at, size = _recvmmsg, self._header_block, ctypes.byref, _HEADER.itemsize
        slots: list[int] = []
        counts: list[int] = []
        row = 0
        while waiting and row <= ROWS - BURST:
            slot, descriptor = file = waiting.pop()
            count = receive(descriptor, at(headers, row * size), BURST, _FLAGS, None)
            if count > 0:
                slots.append(slot)
                counts.append(count)
                row += count
                if count == BURST:
                    waiting.append(file)
            elif (number := ctypes.get_errno()) not in _EMPTY:
                self.refused[number] = self.refused.get(number, 0) + 1
        return slots, counts

    def _batch(self, slots: list[int], counts: list[int], before: Reading) -> Batch:
        """What was received since the reading of the sweep before."""
        rows = sum(counts)
        each = np.array(slots, np.int64)
        slot = np.repeat(each, np.array(counts, np.int64))
        data, length = self._data[:rows], self._headers["length"][:rows].astype(np.int64)
        at = monotonic_seconds(self._stamps(rows), before, Reading.now())
        self._count_drops(slot)
        session_rows = np.nonzero(is_session(data, length))[0]
        datagrams = list(
            map(self._datagram, slot[session_rows].tolist(), session_rows.tolist(), length[session_rows].tolist())
        )
        # The kernel has written how much of each it used.
        self._headers["control_length"][:rows] = _CONTROL
        self._headers["name_length"][:rows] = _NAME
        return Batch(sound(data, length, slot, at), datagrams, each, data, length)

    def _stamps(self, rows: int) -> Ints:
        seconds = self._control[:rows, 16:_STAMPED].view(np.int64)
        return np.asarray(seconds[:, 0] * 1_000_000_000 + seconds[:, 1])

    def _count_drops(self, slot: Ints) -> None:
        """SO_RXQ_OVFL is told only after a drop, and counts from the socket's beginning."""
        for row in np.nonzero(self._headers["control_length"][: len(slot)] > _STAMPED)[0]:
            count: Bytes = self._control[row, _DROPS_AT : _DROPS_AT + 4]
            self._drops[int(slot[row])] = int.from_bytes(count.tobytes(), "little")

    def _datagram(self, slot: int, row: int, length: int) -> Datagram:
        return Datagram(slot, self._data[row, :length].tobytes(), address(self._names[row].tobytes()))


@lru_cache(maxsize=4096)
def address(name: bytes) -> Address:
    """A struct sockaddr_in or sockaddr_in6 as an address."""
    family, port = struct.unpack_from("=H", name)[0], struct.unpack_from(">H", name, 2)[0]
    packed = name[8:24] if family == socket.AF_INET6 else name[4:8]
    return socket.inet_ntop(socket.AF_INET6 if family == socket.AF_INET6 else socket.AF_INET, packed), port
