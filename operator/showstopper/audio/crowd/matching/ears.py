"""The ears of a crowd: packets that a sweep has read, opened and found again, become what each listener hears."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from showstopper.audio.classify import Rules
from showstopper.audio.crowd.matching.follower import Follower, Sample, lag
from showstopper.audio.crowd.matching.reference import Library, Reference
from showstopper.audio.crowd.matching.sampling import Chosen, Sampler
from showstopper.audio.crowd.matching.unsealing import Unsealer
from showstopper.audio.crowd.packets import Bytes, Ints
from showstopper.audio.crowd.sweep import SNAP, Batch
from showstopper.audio.ear import Heard

TELL_SECONDS = 0.25
"""Looking whether a thousand listeners have anything to tell takes half a millisecond."""

LATE_SECONDS = 0.25
"""What sweeps may be late, and packets jitter. What is told later than that stays Unknown."""


class Ears:
    """One ear for each slot. Those of the references decode; all others look up."""

    def __init__(
        self, slots: int, rules: Rules, wall: Callable[[float], float], references: Sequence[int] = (0,), seed: int = 0
    ) -> None:
        """Nobody has a session yet.

        Args:
            slots: number of listeners.
            rules: how sound is judged.
            wall: turns a monotonic time into wall-clock time.
            references: the slots whose packets are decoded.
            seed: of the random twentieth all of whose packets are opened.
        """
        self.unopened = 0
        """Packets that were to be opened and could not be."""
        self.lag = lag(rules) + TELL_SECONDS + LATE_SECONDS
        """Seconds after which all that was heard at a time is told."""
        self._library = Library()
        self._references = {slot: Reference(self._library, rules, wall) for slot in references}
        self._sampler = Sampler(slots, seed, tuple(references))
        self._followers = [Follower(self._library, rules) for _ in range(slots)]
        self._unsealers: dict[int, Unsealer] = {}
        self._told_at = -math.inf
        self._newest: Bytes = np.zeros((slots, SNAP), np.uint8)
        self._newest_length: Ints = np.zeros(slots, np.int64)

    def joined(self, slot: int, key: bytes) -> None:
        """A listener has a new session, whose packets the key opens."""
        self._unsealers[slot] = Unsealer(key)
        self._sampler.joined_afresh(slot)

    def take(self, batch: Batch) -> None:
        """Take what a sweep has read."""
        packets = batch.packets
        earlier, chosen = self._sampler.choose(packets)
        self._open(earlier, self._newest, self._newest_length, earlier.row)
        self._open(chosen, batch.data, batch.length, packets.row[chosen.row])
        newest = np.nonzero(np.append(packets.slot[1:] != packets.slot[:-1], True)[: len(packets)])[0]
        rows, slots = packets.row[newest], packets.slot[newest]
        self._newest[slots], self._newest_length[slots] = batch.data[rows], batch.length[rows]

    def tell(self, now: float) -> list[tuple[int, Heard]]:
        """What each listener heard, by its slot, as far as it is known: the rest is Unknown.

        `now` is when the sweep began of which everything was taken.
        """
        last = self._sampler.choose_last(now)
        self._open(last, self._newest, self._newest_length, last.row)
        for reference in self._references.values():
            reference.look(now)
        if now - self._told_at < TELL_SECONDS:
            return []
        self._told_at = now
        return [(slot, heard) for slot, follower in enumerate(self._followers) for heard in follower.tell(now)]

    def _open(self, chosen: Chosen, data: Bytes, length: Ints, rows: Ints) -> None:
        """Open the chosen packets, which are these rows of the data."""
        fields = zip(
            rows.tolist(),
            chosen.slot.tolist(),
            chosen.at.tolist(),
            chosen.ssrc.tolist(),
            chosen.packets.tolist(),
            chosen.octets.tolist(),
            chosen.alone.tolist(),
            strict=True,
        )
        for row, slot, at, ssrc, packets, octets, alone in fields:
            datagram = data[row, : length[row]].tobytes()
            payload = self._unsealers[slot].open(datagram) if slot in self._unsealers else None
            self.unopened += payload is None
            sequence = int.from_bytes(datagram[2:4], "big")
            if payload is not None and (reference := self._references.get(slot)) is not None:
                reference.take(ssrc, sequence, payload, at)
            self._followers[slot].take(Sample(at, ssrc, sequence, payload, packets, octets, alone))
