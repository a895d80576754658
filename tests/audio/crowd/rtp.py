"""Packets of sound for tests: as values, as datagrams under SRTP, and as the arrays that a sweep makes of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from showstopper.audio.crowd.packets import Bytes, Ints, Packets
from showstopper.audio.crowd.sweep import SNAP, Batch

TAG = bytes(10)


@dataclass(frozen=True)
class Packet:
    slot: int
    sequence: int
    ssrc: int
    payload: int
    at: float
    contributors: int = 0
    extension: int | None = None
    """Words of a header extension."""


def datagram(packet: Packet) -> bytes:
    """As it is under SRTP."""
    first = 0x80 | packet.contributors | (0x10 if packet.extension is not None else 0)
    head = struct.pack(">BBHII", first, 111, packet.sequence, 0, packet.ssrc) + bytes(4 * packet.contributors)
    if packet.extension is not None:
        head += struct.pack(">HH", 0xBEDE, packet.extension) + bytes(4 * packet.extension)
    return head + bytes(packet.payload) + TAG


def rows(datagrams: Sequence[bytes]) -> tuple[Bytes, Ints]:
    """As a sweep has them: the beginning of each, and its length."""
    data = np.zeros((len(datagrams), SNAP), np.uint8)
    for row, each in enumerate(datagrams):
        data[row, : min(SNAP, len(each))] = np.frombuffer(each[:SNAP], np.uint8)
    return data, np.array([len(each) for each in datagrams], np.int64)


def batch(packets: Sequence[Packet]) -> Batch:
    """As a sweep reads them."""
    ordered = sorted(packets, key=lambda packet: packet.slot)
    slots = sorted({packet.slot for packet in packets})
    return Batch(arrays(ordered), [], np.array(slots, np.int64), *rows([datagram(packet) for packet in ordered]))


def arrays(batch: Sequence[Packet]) -> Packets:
    """As a sweep hands them over: ordered by slot, and within a slot as they arrived."""
    ordered = sorted(batch, key=lambda packet: packet.slot)
    return Packets(
        slot=np.array([packet.slot for packet in ordered], np.int64),
        sequence=np.array([packet.sequence for packet in ordered], np.int64),
        ssrc=np.array([packet.ssrc for packet in ordered], np.int64),
        payload_bytes=np.array([packet.payload for packet in ordered], np.int64),
        at=np.array([packet.at for packet in ordered], np.float64),
        row=np.arange(len(ordered)),
    )
