"""The ledger: what each listener received and missed, when it had no packets, and when they held digital silence."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from showstopper.audio.crowd.newest import Newest
from showstopper.audio.crowd.packets import Flags, Floats, Ints, Packets, first_of_each
from showstopper.audio.crowd.streams import Streams
from showstopper.audio.media import CODED_PATIENCE_SECONDS, LATE_SECONDS, PACKET_SECONDS

SILENT_BYTES = 3
"""Digital silence is coded in so few bytes. Hold music, speech and time code were never seen below 42."""

MOST_STRETCHES = 200_000
"""Kept of each kind. The oldest go."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start, end) of one listener, in monotonic seconds."""

    slot: int
    start: float
    end: float


class Ledger:
    """One row for each slot. Times are monotonic seconds. NaN where there is none yet."""

    def __init__(self, slots: int) -> None:
        self.received: Ints = np.zeros(slots, np.int64)
        self.first_at = np.full(slots, np.nan)
        self.silent_since = np.full(slots, np.nan)
        self.pauses: deque[Stretch] = deque(maxlen=MOST_STRETCHES)
        """Stretches without media that have ended: from the end of one packet's sound to the next packet."""
        self.silences: deque[Stretch] = deque(maxlen=MOST_STRETCHES)
        """Stretches of digital silence that have ended, from a packet to a packet."""
        self._newest = Newest(slots)
        self._streams = Streams(slots)

    @property
    def last_at(self) -> Floats:
        """When each listener was sent its newest packet."""
        return self._newest.at

    @property
    def lost(self) -> Ints:
        """Packets that each listener should have received, by their sequence numbers, and did not."""
        return self._streams.lost

    def take(self, packets: Packets) -> None:
        """Take packets, ordered by slot, and within a slot as they arrived."""
        if not len(packets):
            return
        begins = first_of_each(packets.slot)
        ends = np.append(begins[1:], True)
        self._streams.take(packets)
        self._note_pauses(packets, begins)
        self._note_silence(packets, begins)
        self.received += np.bincount(packets.slot, minlength=len(self.received))
        new = np.flatnonzero(begins & np.isnan(self.first_at[packets.slot]))
        self.first_at[packets.slot[new]] = packets.at[new]
        self._newest.take(packets, ends)

    def joined_afresh(self, slot: int) -> None:
        """The listener has a new session: what comes now is counted anew, and added."""
        self._streams.close(slot)
        self._newest.joined_afresh(slot)

    def vacate(self, slot: int) -> None:
        """Another listener is to come into the slot: of the one before only what was counted is kept."""
        self.joined_afresh(slot)
        self.first_at[slot] = self.last_at[slot] = self.silent_since[slot] = np.nan

    def paused_since(self, now: float) -> dict[int, float]:
        """The listeners that have had media and have none now, and since when."""
        slots = np.nonzero(now - self.last_at > CODED_PATIENCE_SECONDS)[0]
        return {int(slot): float(self.last_at[slot]) + PACKET_SECONDS for slot in slots}

    def _note_pauses(self, packets: Packets, begins: Flags) -> None:
        """Note where media was missing. What came late, and nothing of it is missing, was only held up (media.py)."""
        if not (self._newest.gaps(packets, begins) > CODED_PATIENCE_SECONDS).any():  # the shorter patience
            return
        previous = self._newest.before(packets, begins)
        patience = np.where(previous.next_are(packets), LATE_SECONDS, CODED_PATIENCE_SECONDS)
        for row in np.nonzero(packets.at - previous.at > patience)[0]:
            start = float(previous.at[row]) + PACKET_SECONDS  # so long it still sounds
            self.pauses.append(Stretch(int(packets.slot[row]), start, float(packets.at[row])))

    def _note_silence(self, packets: Packets, begins: Flags) -> None:
        silent = packets.payload_bytes <= SILENT_BYTES
        was_silent = np.where(begins, ~np.isnan(self.silent_since[packets.slot]), np.append(False, silent[:-1]))
        for row in np.nonzero(silent != was_silent)[0]:
            slot, at = int(packets.slot[row]), float(packets.at[row])
            if silent[row]:
                self.silent_since[slot] = at
            else:
                self.silences.append(Stretch(slot, float(self.silent_since[slot]), at))
                self.silent_since[slot] = np.nan
