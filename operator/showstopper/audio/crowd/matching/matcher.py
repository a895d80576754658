"""The matcher of a crowd: packets that a sweep has read, opened and found again, become what each listener hears."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from showstopper.audio.crowd.matching.follower import Follower, Sample, lag
from showstopper.audio.crowd.matching.reference import Recordings, Reference
from showstopper.audio.crowd.matching.sampling import ChosenPackets, Sampler, random_twentieth
from showstopper.audio.crowd.matching.unsealing import Unsealer
from showstopper.audio.crowd.packets import Bytes, Ints
from showstopper.audio.crowd.sweep import SNAP, Batch
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import HeardSpan

TELL_SECONDS = 0.25
"""Looking whether a thousand listeners have anything to tell takes half a millisecond."""

JITTER_SECONDS = 0.25
"""What sweeps may be late, and packets jitter. What is told later than that stays Unknown."""


class Matcher:
    """One for all slots. Packets of the references are decoded. Those of all others are looked up."""

    def __init__(
        self,
        slots: int,
        rules: Rules,
        wall: Callable[[float], float],
        references: Sequence[int] = (0,),
        whole: Iterable[int] | None = None,
    ) -> None:
        """Nobody has a session yet.

        Args:
            slots: number of listeners.
            rules: how sound is judged.
            wall: turns a monotonic time into wall-clock time.
            references: the slots whose packets are decoded.
            whole: slots all of whose packets are opened, beside those of the references. A random twentieth if it
                is not said.
        """
        self.unopened = 0
        """Packets that were to be opened and could not be."""
        self.lag = lag(rules) + TELL_SECONDS + JITTER_SECONDS
        """Seconds after which all that was heard at a time is told."""
        self._recordings = Recordings()
        self._references = {slot: Reference(self._recordings, rules, wall) for slot in references}
        chosen = random_twentieth(slots, np.random.default_rng()) if whole is None else whole
        self._whole = sorted({*chosen, *references})
        self._sampler = Sampler(slots, self._whole)
        self._followers = [Follower(self._recordings, rules) for _ in range(slots)]
        self._unsealers: dict[int, Unsealer] = {}
        self._told_at = -math.inf
        self._between: dict[int, list[bytes | None]] = {}
        """Of listeners all of whose packets are opened: what they held since the last sample."""
        self._newest: Bytes = np.zeros((slots, SNAP), np.uint8)
        self._newest_length: Ints = np.zeros(slots, np.int64)

    def joined(self, slot: int, key: bytes) -> None:
        """A listener has a new session, whose packets the key opens."""
        self._unsealers[slot] = Unsealer(key)
        self._sampler.joined_afresh(slot)
        self._between.pop(slot, None)

    def take(self, batch: Batch) -> None:
        """Take what a sweep has read."""
        packets = batch.packets
        earlier, chosen = self._sampler.choose(packets)
        self._sample_newest(earlier)
        self._open(chosen, batch.data, batch.length, packets.row[chosen.row])
        newest = np.nonzero(np.append(packets.slot[1:] != packets.slot[:-1], True)[: len(packets)])[0]
        rows, slots = packets.row[newest], packets.slot[newest]
        self._newest[slots], self._newest_length[slots] = batch.data[rows], batch.length[rows]

    def advance(self, now: float) -> None:
        """Everything that came up to `now`, when a sweep began, has been taken: see who gets no more."""
        self._sample_newest(self._sampler.choose_last(now))
        for reference in self._references.values():
            reference.look(now)

    def heard(self, now: float) -> list[tuple[int, HeardSpan]]:
        """What each listener heard, by its slot, as far as it is known by then: the rest is Unknown."""
        if now - self._told_at < TELL_SECONDS:
            return []
        self._told_at = now
        return [(slot, heard) for slot, follower in enumerate(self._followers) for heard in follower.tell(now)]

    def doubts(self) -> list[tuple[float, float]]:
        """The times, since this was asked last, of which samples would have told what was not so (follower.py)."""
        doubts = list[tuple[float, float]]()
        for slot in self._whole:
            doubts += self._followers[slot].doubts
            self._followers[slot].doubts.clear()
        return doubts

    def _open(self, chosen: ChosenPackets, data: Bytes, length: Ints, rows: Ints) -> None:
        """Open the chosen packets, which are these rows of the data."""
        block, unsealers = data[rows].tobytes(), self._unsealers
        datagrams = zip(range(0, len(block), SNAP), length[rows].tolist(), chosen.slot.tolist(), strict=True)
        opened = [
            unsealers[slot].open(block[start : start + min(size, SNAP)]) if slot in unsealers else None
            for start, size, slot in datagrams
        ]
        self.unopened += opened.count(None)
        for payload, is_sample, (slot, at, ssrc, sequence, packets, octets, alone) in zip(
            opened, chosen.is_sample.tolist(), _fields(chosen), strict=True
        ):
            if payload is not None and (reference := self._references.get(slot)) is not None:
                reference.take(ssrc, sequence, payload, at)
            if is_sample:
                between = self._taken_between(slot)
                self._followers[slot].take(Sample(at, ssrc, sequence, payload, packets, octets, alone, between))
            else:
                self._between.setdefault(slot, []).append(payload)

    def _sample_newest(self, chosen: ChosenPackets) -> None:
        """The newest packets of these slots are samples. Where all are opened, they have been."""
        is_open = self._sampler.whole[chosen.slot]
        self._open(chosen.only(~is_open), self._newest, self._newest_length, chosen.slot[~is_open])
        for slot, at, ssrc, sequence, packets, octets, alone in _fields(chosen.only(is_open)):
            *between, payload = self._taken_between(slot)
            self._followers[slot].take(Sample(at, ssrc, sequence, payload, packets, octets, alone, between))

    def _taken_between(self, slot: int) -> Sequence[bytes | None]:
        """What was opened of this slot since its last sample. It is over then."""
        return self._between.pop(slot, ())


def _fields(chosen: ChosenPackets) -> Iterator[tuple[int, float, int, int, int, int, bool]]:
    """Slot, time, SSRC, sequence number, packets, bytes, and whether it was alone, of each that was chosen."""
    columns = (chosen.slot, chosen.at, chosen.ssrc, chosen.sequence, chosen.packets, chosen.octets, chosen.alone)
    return zip(*(column.tolist() for column in columns), strict=True)
