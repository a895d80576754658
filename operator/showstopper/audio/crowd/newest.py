"""The newest packet of each listener: what the next one is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from showstopper.audio.crowd.packets import Flags, Floats, Ints, Packets

T = TypeVar("T", bound=np.generic)

NO_STREAM = -1


@dataclass(frozen=True, slots=True)
class Predecessors:
    """Of each of some packets, the one before it. NaN and NO_STREAM where there is none."""

    at: Floats
    ssrc: Ints
    sequence: Ints

    def next_are(self, packets: Packets) -> Flags:
        """Which of the packets follow the one before them in the same stream, with nothing missing in between."""
        return np.asarray((self.ssrc == packets.ssrc) & ((packets.sequence - self.sequence) & 0xFFFF == 1))


class Newest:
    """One row for each slot. Times are monotonic seconds."""

    def __init__(self, slots: int) -> None:
        self.at: Floats = np.full(slots, np.nan)
        self.ssrc: Ints = np.full(slots, NO_STREAM, np.int64)
        self.sequence: Ints = np.full(slots, NO_STREAM, np.int64)

    def before(self, packets: Packets, begins: Flags) -> Predecessors:
        """Of each packet the one before it. `begins` are the first ones of each slot, which follow those of earlier."""
        slot = packets.slot
        return Predecessors(
            _before(packets.at, self.at[slot], begins),
            _before(packets.ssrc, self.ssrc[slot], begins),
            _before(packets.sequence, self.sequence[slot], begins),
        )

    def gaps(self, packets: Packets, begins: Flags) -> Floats:
        """Seconds between each packet and the one before it. NaN where there is none."""
        return np.asarray(packets.at - _before(packets.at, self.at[packets.slot], begins))

    def take(self, packets: Packets, ends: Flags) -> None:
        """Take the last packet of each slot."""
        rows = np.flatnonzero(ends)
        slots = packets.slot[rows]
        self.at[slots] = packets.at[rows]
        self.ssrc[slots] = packets.ssrc[rows]
        self.sequence[slots] = packets.sequence[rows]

    def joined_afresh(self, slot: int) -> None:
        """The next packet is of another stream, without being of a second one."""
        self.ssrc[slot] = NO_STREAM


def _before(values: npt.NDArray[T], kept: npt.NDArray[T], begins: Flags) -> npt.NDArray[T]:
    """What the packet before each had: `kept` where that was taken earlier."""
    before = kept.copy()
    before[1:] = np.where(begins[1:], kept[1:], values[:-1])
    return before
