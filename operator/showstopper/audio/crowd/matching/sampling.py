"""Which packets of a crowd are samples: one a second of each listener, those before and after each loss and each pause,
and more just after these. What lies between two of them came without a gap. Of a random twentieth all others are
opened, too. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from showstopper.audio.crowd.newest import NO_STREAM, Newest, Predecessors
from showstopper.audio.crowd.packets import Flags, Floats, Ints, Packets
from showstopper.audio.media import CODED_PATIENCE_SECONDS

SAMPLE_SECONDS = 1.0
"""Opening a packet and finding it takes some 5 µs: 0.0005 % of a core a listener."""

SOON_SECONDS, SOON_FOR = 0.1, 0.45
"""After a gap samples come so soon, for so long. The reference, which mostly had the same gap, does not know what was
heard in the first two or three tenths of a second, and until a sample that it knows the listener is Unknown."""

UNEVEN_SECONDS = 0.05
"""Between two samples packets come evenly, but for so long. Where one comes later than that after the one before it,
both are samples: else it would not be known when the burst after it brought another sound."""

WHOLE_SHARE = 0.05
"""Listeners all of whose packets are opened: they say whether what was concluded from samples is true (follower.py)."""

MIXED_SECONDS = 1.0
"""For so long after a change of the stream it is not known whether the listener is sent two of them."""

_NONE = -1


@dataclass(frozen=True, slots=True)
class ChosenPackets:
    """The packets that are to be opened. The fields are those of a Sample (follower.py), an array of each.

    `row` is their place among the packets that were given, and the slot itself where the last ones before a pause are.
    `is_sample` is not set for those that are only opened to be compared.
    """

    row: Ints
    slot: Ints
    at: Floats
    ssrc: Ints
    sequence: Ints
    packets: Ints
    octets: Ints
    alone: Flags
    is_sample: Flags

    def only(self, which: Flags | Ints) -> ChosenPackets:
        """Those of them."""
        return ChosenPackets(
            self.row[which],
            self.slot[which],
            self.at[which],
            self.ssrc[which],
            self.sequence[which],
            self.packets[which],
            self.octets[which],
            self.alone[which],
            self.is_sample[which],
        )


class Sampler:
    """One row for each slot."""

    def __init__(self, slots: int, whole: Iterable[int]) -> None:
        """`whole` are the slots of which every packet is opened."""
        self.whole: Flags = np.zeros(slots, np.bool_)
        self.whole[list(whole)] = True
        self._due = np.full(slots, -np.inf)
        self._due_since = np.full(slots, -np.inf)
        self._gap_at = np.full(slots, -np.inf)
        self._newest = Newest(slots)
        self._mixed_at = np.full(slots, -np.inf)
        self._packets: Ints = np.zeros(slots, np.int64)
        self._octets: Ints = np.zeros(slots, np.int64)
        self._sampled: Ints = np.zeros(slots, np.int64)
        """How many packets there had been when the newest sample came."""

    def choose(self, packets: Packets) -> tuple[ChosenPackets, ChosenPackets]:
        """Take packets, ordered by slot, and within a slot as they arrived. All are counted, and some are chosen.

        Returns:
            the newest of those that were taken before, where there is a gap after them and they are no samples yet,
            and those of these packets.
        """
        if not len(packets):
            nothing = self._choice(np.zeros(0, np.int64))
            return nothing, nothing
        slot, at = packets.slot, packets.at
        begins = np.append(True, slot[1:] != slot[:-1])
        ends = np.append(begins[1:], True)
        previous = self._newest.before(packets, begins)
        after = ~_follows(packets, previous, UNEVEN_SECONDS)
        earlier = self._choose_newest(slot[begins & after])
        before = np.append(after[1:] & ~begins[1:], False)
        gap_at = self._gaps(~_follows(packets, previous, CODED_PATIENCE_SECONDS), packets, begins, ends)
        is_sample = after | before | self._are_due(slot, at, gap_at)
        rows = np.nonzero(self.whole[slot] | is_sample)[0]
        counts, octets = self._count(packets, begins)
        alone = self._alone(packets, previous.ssrc, begins, ends)
        self._newest.take(packets, ends)
        np.maximum.at(self._sampled, slot[is_sample], counts[is_sample])
        every = np.arange(len(slot))
        chosen = ChosenPackets(every, slot, at, packets.ssrc, packets.sequence, counts, octets, alone, is_sample)
        return earlier, chosen.only(rows)

    def choose_last(self, now: float) -> ChosenPackets:
        """The last packets of those who get no more: until then there was sound."""
        return self._choose_newest(np.nonzero(now - self._newest.at > CODED_PATIENCE_SECONDS)[0])

    def joined_afresh(self, slot: int) -> None:
        """A new session: its first packet is chosen, and its stream is another one without being a second one."""
        self._due[slot] = self._due_since[slot] = self._mixed_at[slot] = -np.inf
        self._newest.joined_afresh(slot)
        self._sampled[slot] = self._packets[slot]

    def _choose_newest(self, slots: Ints) -> ChosenPackets:
        """The newest packets of these slots, unless they are samples already."""
        new = slots[self._sampled[slots] < self._packets[slots]]
        self._sampled[new] = self._packets[new]
        return self._choice(new)

    def _choice(self, slots: Ints) -> ChosenPackets:
        """The newest packets of these slots, as samples."""
        at = self._newest.at[slots]
        alone = at - self._mixed_at[slots] >= MIXED_SECONDS
        ssrc, sequence = self._newest.ssrc[slots], self._newest.sequence[slots]
        is_sample = np.ones(len(slots), np.bool_)
        return ChosenPackets(
            slots, slots, at, ssrc, sequence, self._packets[slots], self._octets[slots], alone, is_sample
        )

    def _gaps(self, after: Flags, packets: Packets, begins: Flags, ends: Flags) -> Floats:
        """When the last gap was over, for each packet."""
        slot, at = packets.slot, packets.at
        rows = np.arange(len(slot))
        newest = np.maximum.accumulate(np.where(after, rows, _NONE))
        own = newest >= np.maximum.accumulate(np.where(begins, rows, 0))
        gap_at: Floats = np.where(own, at[newest], self._gap_at[slot])
        self._gap_at[slot[ends]] = gap_at[ends]
        return gap_at

    def _are_due(self, slot: Ints, at: Floats, gap_at: Floats) -> Flags:
        chosen = np.zeros(len(slot), np.bool_)
        while len(rows := np.nonzero(at >= self._due_at(slot, gap_at))[0]):
            slots, firsts = np.unique(slot[rows], return_index=True)
            newest, gap = at[rows[firsts]], gap_at[rows[firsts]]
            chosen[rows[firsts]] = True
            self._due_since[slots] = newest
            self._due[slots] = newest + np.where(newest - gap < SOON_FOR, SOON_SECONDS, SAMPLE_SECONDS)
        return chosen

    def _due_at(self, slot: Ints, gap_at: Floats) -> Floats:
        """From when on a packet is a sample. A gap since the last one brings the next one forward."""
        due = self._due[slot]
        return np.where(gap_at > self._due_since[slot], np.minimum(due, gap_at + SOON_SECONDS), due)

    def _count(self, packets: Packets, begins: Flags) -> tuple[Ints, Ints]:
        """The number of packets and of bytes up to each packet, counted on for each slot."""
        slot, starts = packets.slot, np.nonzero(begins)[0]
        ends = np.append(starts[1:], len(slot))
        counted = np.arange(1, len(slot) + 1)
        summed = np.cumsum(packets.payload_bytes)
        before = summed[starts] - packets.payload_bytes[starts]
        counts = self._packets[slot] + counted - np.repeat(starts, ends - starts)
        octets = self._octets[slot] + summed - np.repeat(before, ends - starts)
        self._packets[slot[starts]] = counts[ends - 1]
        self._octets[slot[starts]] = octets[ends - 1]
        return counts, octets

    def _alone(self, packets: Packets, before: Ints, begins: Flags, ends: Flags) -> Flags:
        """Which packets came while there was no other stream. `before` is the stream of the one before each."""
        slot, at = packets.slot, packets.at
        rows = np.arange(len(slot))
        changes = np.maximum.accumulate(np.where((before != packets.ssrc) & (before != NO_STREAM), rows, _NONE))
        own = changes >= np.maximum.accumulate(np.where(begins, rows, 0))
        mixed_at = np.where(own, at[changes], self._mixed_at[slot])
        self._mixed_at[slot[ends]] = mixed_at[ends]
        return np.asarray(at - mixed_at >= MIXED_SECONDS)


def random_twentieth(slots: int, draw: np.random.Generator) -> list[int]:
    """Slots, each of which is drawn or not."""
    return [int(slot) for slot in np.nonzero(draw.random(slots) < WHOLE_SHARE)[0]]


def _follows(packets: Packets, before: Predecessors, patience: float) -> Flags:
    """Which packets follow the one before them without a loss, a change of the stream, or a longer pause than that."""
    return np.asarray(before.next_are(packets) & (packets.at - before.at <= patience))
