"""RTP streams: how many packets of each were lost on the way, by their sequence numbers (RFC 3550, A.3)."""

from __future__ import annotations

import numpy as np

from showstopper.audio.crowd.packets import Ints, Packets

STREAMS = 8
"""Streams of one listener that are followed at once: speakers, and those that have ended. The one that was heard of
longest ago makes room for the next."""

_NONE = -1
_NOWHERE = STREAMS
"""Column for packets of so many new streams at once that theirs has made room already. Nothing is read there."""


class Streams:
    """The streams of each slot. A late packet is not lost; a doubled one makes up for a lost one, as in RTCP."""

    def __init__(self, slots: int) -> None:
        shape = (slots, STREAMS + 1)
        self._ssrc = np.full(shape, _NONE, np.int64)
        self._last = np.zeros(shape, np.int64)
        """The newest packet's sequence number, counted on beyond 16 bits from that of the first packet."""
        self._first = np.zeros(shape, np.int64)
        self._highest = np.zeros(shape, np.int64)
        self._received = np.zeros(shape, np.int64)
        self._heard = np.zeros(shape, np.int64)
        self._turn = 0
        self._closed = np.zeros(slots, np.int64)

    @property
    def lost(self) -> Ints:
        """Packets lost in all streams of each slot."""
        return np.asarray(self._closed + np.where(self._ssrc == _NONE, 0, self._missing()).sum(axis=1))

    def take(self, packets: Packets) -> None:
        """Take packets, ordered by slot, and within a stream as they arrived."""
        self._turn += 1
        slot, ssrc, sequence = _by_stream(packets)
        begins = np.r_[True, (slot[1:] != slot[:-1]) | (ssrc[1:] != ssrc[:-1])]
        starts = np.nonzero(begins)[0]
        ends = np.r_[starts[1:], len(slot)]
        place = (slot[starts], self._columns(slot[starts], ssrc[starts], sequence[starts]))
        last = self._last[place]
        before = np.r_[0, sequence[:-1]]
        before[starts] = last
        steps = ((sequence - before + 0x8000) & 0xFFFF) - 0x8000
        # Counted on within each stream: a sum over all, less what it was where the stream begins.
        total = np.cumsum(steps)
        counted = total + np.repeat(last - total[starts] + steps[starts], ends - starts)
        self._last[place] = counted[ends - 1]
        self._highest[place] = np.maximum(self._highest[place], np.maximum.reduceat(counted, starts))
        self._first[place] = np.minimum(self._first[place], np.minimum.reduceat(counted, starts))
        self._received[place] += ends - starts

    def close(self, slot: int) -> None:
        """The listener has left its streams."""
        for column in np.nonzero(self._ssrc[slot] != _NONE)[0]:
            self._end(slot, int(column))

    def _missing(self) -> Ints:
        return np.asarray(self._highest - self._first + 1 - self._received)

    def _columns(self, slot: Ints, ssrc: Ints, sequence: Ints) -> Ints:
        """Where each stream is kept. A new one begins with this sequence number."""
        known = self._ssrc[slot] == ssrc[:, None]
        found, column = known.any(axis=1), known.argmax(axis=1)
        self._heard[slot[found], column[found]] = self._turn
        if found.all():
            return np.asarray(column)
        for row in np.nonzero(~found)[0]:
            self._begin(int(slot[row]), int(ssrc[row]), int(sequence[row]))
        known = self._ssrc[slot] == ssrc[:, None]
        return np.where(known.any(axis=1), known.argmax(axis=1), _NOWHERE)

    def _begin(self, slot: int, ssrc: int, sequence: int) -> None:
        column = int(self._heard[slot, :STREAMS].argmin())
        self._end(slot, column)
        self._ssrc[slot, column] = ssrc
        self._first[slot, column] = self._last[slot, column] = self._highest[slot, column] = sequence
        self._heard[slot, column] = self._turn

    def _end(self, slot: int, column: int) -> None:
        if self._received[slot, column]:  # not, if it has begun and made room within one batch
            self._closed[slot] += self._missing()[slot, column]
        self._ssrc[slot, column] = _NONE
        self._received[slot, column] = self._heard[slot, column] = 0


def _by_stream(packets: Packets) -> tuple[Ints, Ints, Ints]:
    """Slot, SSRC and sequence number, the packets of one stream beside each other."""
    slot, ssrc = packets.slot, packets.ssrc
    if not ((slot[1:] == slot[:-1]) & (ssrc[1:] != ssrc[:-1])).any():
        return slot, ssrc, packets.sequence
    order = np.lexsort((ssrc, slot))  # stable: a stream's packets stay in their order
    return slot[order], ssrc[order], packets.sequence[order]
