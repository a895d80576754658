"""RTP streams: how many packets of each were lost on the way, by their sequence numbers (RFC 3550, A.3)."""

from __future__ import annotations

import numpy as np

from showstopper.audio.crowd.packets import Flags, Ints, Packets, first_of_each

STREAMS = 8
"""Streams of one listener that are followed at once: speakers, and those that have ended. The one that was heard of
longest ago makes room for the next."""

_NONE = -1
_COLUMNS = STREAMS + 1
_NOWHERE = STREAMS
"""Column for packets of so many new streams at once that theirs has made room already. Nothing is read there."""


class Streams:
    """The streams of each slot. A late packet is not lost. A doubled one makes up for a lost one, as in RTCP.

    Each stream has a place: those of a slot are beside each other, one a column.
    """

    def __init__(self, slots: int) -> None:
        places = slots * _COLUMNS
        self._ssrc = np.full(places, _NONE, np.int64)
        self._last = np.zeros(places, np.int64)
        """The newest packet's sequence number, counted on beyond 16 bits from that of the first packet."""
        self._first = np.zeros(places, np.int64)
        self._highest = np.zeros(places, np.int64)
        self._received = np.zeros(places, np.int64)
        self._heard = np.zeros(places, np.int64)
        self._newest: Ints = np.arange(slots, dtype=np.int64) * _COLUMNS
        """Where the stream is that each slot heard of last: mostly the only one."""
        self._turn = 0
        self._closed = np.zeros(slots, np.int64)

    @property
    def lost(self) -> Ints:
        """Packets lost in all streams of each slot."""
        open_ones = np.where(self._ssrc == _NONE, 0, self._missing())
        return np.asarray(self._closed + open_ones.reshape(-1, _COLUMNS).sum(axis=1))

    def take(self, packets: Packets) -> None:
        """Take packets, ordered by slot, and within a stream as they arrived."""
        self._turn += 1
        slot, ssrc, sequence = _by_stream(packets)
        starts = np.flatnonzero(first_of_each(slot) | first_of_each(ssrc))
        ends = np.append(starts[1:], len(slot))
        place = self._places(slot[starts], ssrc[starts], sequence[starts])
        last = self._last[place]
        before = np.empty_like(sequence)
        before[1:] = sequence[:-1]
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
        begin = slot * _COLUMNS
        for place, ssrc in enumerate(self._ssrc[begin : begin + _COLUMNS].tolist(), begin):
            if ssrc != _NONE:
                self._end(place)

    def _missing(self) -> Ints:
        return np.asarray(self._highest - self._first + 1 - self._received)

    def _places(self, slot: Ints, ssrc: Ints, sequence: Ints) -> Ints:
        """Where each stream is kept. A new one begins with this sequence number."""
        place, known = self._find(slot, ssrc)
        self._heard[place[known]] = self._turn
        if known.all():
            return place
        for row in np.flatnonzero(~known):
            self._begin(int(slot[row]), int(ssrc[row]), int(sequence[row]))
        place, known = self._find(slot, ssrc)
        return np.where(known, place, slot * _COLUMNS + _NOWHERE)

    def _find(self, slot: Ints, ssrc: Ints) -> tuple[Ints, Flags]:
        """The place of each stream, and whether it is there."""
        place = self._newest[slot]
        known = self._ssrc[place] == ssrc
        if not known.all():
            is_it = self._ssrc.reshape(-1, _COLUMNS)[slot] == ssrc[:, None]
            place = slot * _COLUMNS + is_it.argmax(axis=1)
            known = self._ssrc[place] == ssrc
            self._newest[slot] = place
        return place, known

    def _begin(self, slot: int, ssrc: int, sequence: int) -> None:
        begin = slot * _COLUMNS
        place = begin + int(self._heard[begin : begin + STREAMS].argmin())
        self._end(place)
        self._ssrc[place] = ssrc
        self._first[place] = self._last[place] = self._highest[place] = sequence
        self._heard[place] = self._turn

    def _end(self, place: int) -> None:
        if self._received[place]:  # not, if it has begun and made room within one batch
            self._closed[place // _COLUMNS] += self._missing()[place]
        self._ssrc[place] = _NONE
        self._received[place] = self._heard[place] = 0


def _by_stream(packets: Packets) -> tuple[Ints, Ints, Ints]:
    """Slot, SSRC and sequence number, the packets of one stream beside each other."""
    slot, ssrc = packets.slot, packets.ssrc
    if not ((slot[1:] == slot[:-1]) & (ssrc[1:] != ssrc[:-1])).any():
        return slot, ssrc, packets.sequence
    order = np.lexsort((ssrc, slot))  # stable: a stream's packets stay in their order
    return slot[order], ssrc[order], packets.sequence[order]
