"""Which packets of a crowd are opened: one a second of each listener, and all of a random twentieth. No clock, no I/O.

So are the packets before and after each loss and each pause: what lies between two of them came without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from showstopper.audio.crowd.packets import Flags, Floats, Ints, Packets
from showstopper.audio.media import CODED_PATIENCE_SECONDS

T = TypeVar("T", bound=np.generic)

SAMPLE_SECONDS = 1.0
"""Opening a packet and finding it takes some 5 µs: 0.0005 % of a core a listener."""

WHOLE_SHARE = 0.05
"""Listeners all of whose packets are opened: they say whether what was concluded of the others is true."""

MIXED_SECONDS = 1.0
"""For so long after a change of the stream it is not known whether the listener is sent two of them."""

_NONE = -1


@dataclass(frozen=True, slots=True)
class Chosen:
    """The packets that are to be opened. The fields are those of a Sample (follower.py), an array of each.

    `row` is their place among the packets that were given, and the slot itself where the last ones before a pause are.
    """

    row: Ints
    slot: Ints
    at: Floats
    ssrc: Ints
    packets: Ints
    octets: Ints
    alone: Flags


class Sampler:
    """One row for each slot."""

    def __init__(self, slots: int, seed: int, whole: tuple[int, ...] = ()) -> None:
        """`whole` are slots of which every packet is opened, whatever `seed` draws."""
        self.whole: Flags = np.random.default_rng(seed).random(slots) < WHOLE_SHARE
        self.whole[list(whole)] = True
        self._due = np.full(slots, -np.inf)
        self._last_at = np.full(slots, -np.inf)
        self._ssrc: Ints = np.full(slots, _NONE, np.int64)
        self._sequence: Ints = np.full(slots, _NONE, np.int64)
        self._mixed_at = np.full(slots, -np.inf)
        self._packets: Ints = np.zeros(slots, np.int64)
        self._octets: Ints = np.zeros(slots, np.int64)
        self._chosen: Ints = np.zeros(slots, np.int64)
        """How many packets there had been when the newest chosen one came."""

    def choose(self, packets: Packets) -> tuple[Chosen, Chosen]:
        """Take packets, ordered by slot, and within a slot as they arrived; all are counted, and some are chosen.

        Returns:
            the newest of those that were taken before, where there is a gap after them, and those of these packets.
        """
        if not len(packets):
            nothing = self._newest(np.zeros(0, np.int64))
            return nothing, nothing
        slot, at = packets.slot, packets.at
        begins = np.append(True, slot[1:] != slot[:-1])
        ends = np.append(begins[1:], True)
        after = ~self._follows(packets, begins)
        earlier = self._choose_newest(slot[begins & after])
        before = np.append(after[1:] & ~begins[1:], False)
        rows = np.nonzero(self.whole[slot] | after | before | self._are_due(slot, at))[0]
        counts, octets = self._count(packets, begins)
        alone = self._alone(packets, begins, ends)
        self._last_at[slot[ends]] = at[ends]
        self._ssrc[slot[ends]] = packets.ssrc[ends]
        self._sequence[slot[ends]] = packets.sequence[ends]
        np.maximum.at(self._chosen, slot[rows], counts[rows])
        chosen = Chosen(rows, slot[rows], at[rows], packets.ssrc[rows], counts[rows], octets[rows], alone[rows])
        return earlier, chosen

    def choose_last(self, now: float) -> Chosen:
        """The last packets of those who get no more: until then there was sound."""
        return self._choose_newest(np.nonzero(now - self._last_at > CODED_PATIENCE_SECONDS)[0])

    def joined_afresh(self, slot: int) -> None:
        """A new session: its first packet is chosen, and its stream is another one without being a second one."""
        self._due[slot] = self._mixed_at[slot] = -np.inf
        self._ssrc[slot] = _NONE
        self._chosen[slot] = self._packets[slot]

    def _choose_newest(self, slots: Ints) -> Chosen:
        """The newest packets of these slots, unless they were chosen before."""
        new = slots[self._chosen[slots] < self._packets[slots]]
        self._chosen[new] = self._packets[new]
        return self._newest(new)

    def _newest(self, slots: Ints) -> Chosen:
        at = self._last_at[slots]
        alone = at - self._mixed_at[slots] >= MIXED_SECONDS
        return Chosen(slots, slots, at, self._ssrc[slots], self._packets[slots], self._octets[slots], alone)

    def _follows(self, packets: Packets, begins: Flags) -> Flags:
        """Which packets follow the one before them without a loss, a pause or a change of the stream."""
        slot = packets.slot
        ssrc = _before(packets.ssrc, self._ssrc[slot], begins)
        sequence = _before(packets.sequence, self._sequence[slot], begins)
        at = _before(packets.at, self._last_at[slot], begins)
        is_next = (packets.sequence - sequence) & 0xFFFF == 1
        return np.asarray(is_next & (ssrc == packets.ssrc) & (packets.at - at <= CODED_PATIENCE_SECONDS))

    def _are_due(self, slot: Ints, at: Floats) -> Flags:
        chosen = np.zeros(len(slot), np.bool_)
        while len(rows := np.nonzero(at >= self._due[slot])[0]):
            slots, firsts = np.unique(slot[rows], return_index=True)
            chosen[rows[firsts]] = True
            self._due[slots] = at[rows[firsts]] + SAMPLE_SECONDS
        return chosen

    def _count(self, packets: Packets, begins: Flags) -> tuple[Ints, Ints]:
        """The number of packets and of bytes up to each packet, counted on for each slot."""
        slot, starts = packets.slot, np.nonzero(begins)[0]
        ends = np.append(starts[1:], len(slot))
        counted = np.arange(1, len(slot) + 1)
        summed = np.cumsum(packets.payload)
        before = summed[starts] - packets.payload[starts]
        counts = self._packets[slot] + counted - np.repeat(starts, ends - starts)
        octets = self._octets[slot] + summed - np.repeat(before, ends - starts)
        self._packets[slot[starts]] = counts[ends - 1]
        self._octets[slot[starts]] = octets[ends - 1]
        return counts, octets

    def _alone(self, packets: Packets, begins: Flags, ends: Flags) -> Flags:
        """Which packets came while there was no other stream."""
        slot, at = packets.slot, packets.at
        before = _before(packets.ssrc, self._ssrc[slot], begins)
        rows = np.arange(len(slot))
        changes = np.maximum.accumulate(np.where((before != packets.ssrc) & (before != _NONE), rows, _NONE))
        own = changes >= np.maximum.accumulate(np.where(begins, rows, 0))
        mixed_at = np.where(own, at[changes], self._mixed_at[slot])
        self._mixed_at[slot[ends]] = mixed_at[ends]
        return np.asarray(at - mixed_at >= MIXED_SECONDS)


def _before(values: npt.NDArray[T], kept: npt.NDArray[T], begins: Flags) -> npt.NDArray[T]:
    """What the packet before each had: `kept` where that was taken earlier."""
    before = kept.copy()
    before[1:] = np.where(begins[1:], kept[1:], values[:-1])
    return before
