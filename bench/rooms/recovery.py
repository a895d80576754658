"""RecoveryTime as it truly was, second by second."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.rooms.room import ANYTHING, GRID, SECOND, Mask, Range, Room, runs

HOLD = 10 * SECOND
"""Documented: the room has to go on hearing for so long."""


@dataclass(frozen=True)
class Lacking:
    """How many residents do not hear, from the fault's end on, and how many may be missing (`spare`)."""

    count: NDArray[np.int64]
    window: int
    spare: float

    @property
    def short(self) -> Mask:
        """Of each cell of the window: whether the second that begins there is short of listeners."""
        totals = np.concatenate(([0], np.cumsum(self.count), np.full(SECOND, self.count.sum())))
        seconds = (totals[SECOND:] - totals[:-SECOND])[: self.window + 1] * GRID
        lacking: Mask = seconds > self.spare
        return lacking

    def heard_from(self, cell: int) -> int | None:
        """The first cell from there on in which no more residents than may be spared do not hear."""
        heard = np.flatnonzero(self.count[cell:] <= self.spare)
        return cell + int(heard[0]) if heard.size else None

    def recovered(self, short: Mask, *, endless: bool = True) -> float:
        """From when on no second is short. inf: there are no ten seconds left in which that was seen."""
        cells = np.flatnonzero(short)
        if not cells.size:
            return 0.0
        at, known = self.heard_from(int(cells[-1]) + 1), len(self.count)
        if endless and (at is None or at + HOLD > known):
            return math.inf
        return (known if at is None else at) * GRID

    def held(self) -> int:
        """The first cell from which ten seconds are heard."""
        start = 0
        for first, last in runs(self.short):
            if last > start and first < start + HOLD - SECOND:
                heard = self.heard_from(last)
                if heard is None:
                    return len(self.count)
                start = heard
        return start


def recovery(room: Room) -> float:
    """From when on no second that begins in the window is short of the baseline's share less five points."""
    lacking = _lacking(room, _begun(room, room.deaf), room.deaf)
    return lacking.recovered(lacking.short)


def recovery_range(room: Room) -> Range:
    """The room was as bad before and as good after as it may have been, and the other way round.

    What begins after the window is no relapse, but ten seconds that it cuts short were not heard.
    """
    good, bad = room.deaf & ~room.hidden, room.deaf | room.hidden
    if room.hidden[:, room.times.fault : room.times.end].all():
        return ANYTHING
    least, most = _lacking(room, _begun(room, good), before=bad), _lacking(room, bad, before=good)
    most = replace(most, window=len(most.count))
    return least.recovered(least.short, endless=False), most.recovered(most.short)


def recovery_as_seen(room: Room) -> float:
    """The true one, but for relapses that nobody could see.

    Documented: once ten seconds were heard, a relapse counts only if it was seen, or if in its second more than half
    of the residents were Unknown.
    """
    lacking = _lacking(room, _begun(room, room.deaf), room.deaf)
    seen = _lacking(room, _begun(room, room.deaf & ~room.hidden), room.deaf).short | _blind(room)
    short, held = lacking.short, lacking.held()
    short[held:] &= seen[held:]
    return lacking.recovered(short)


def _begun(room: Room, rows: Mask) -> Mask:
    """Documented: what begins after the window does not count. What goes on then does."""
    kept, end = rows.copy(), room.times.end
    for row in kept:
        over = np.flatnonzero(~row[end - 1 :])
        if over.size:
            row[end - 1 + int(over[0]) :] = False
    return kept


def _blind(room: Room) -> Mask:
    hidden = _begun(room, room.hidden)[:, room.times.lifted :].sum(axis=0)
    return Lacking(hidden, room.times.end - room.times.lifted, len(room.deaf) / 2 + 1e-6).short


def _lacking(room: Room, deaf: Mask, before: Mask) -> Lacking:
    """As many residents may miss the host as before, and five points, or one class window of one."""
    size = len(deaf)
    spare = size * float(before[:, : room.times.fault].mean()) + max(0.05 * size, 0.1) + 1e-6
    return Lacking(deaf[:, room.times.lifted :].sum(axis=0), room.times.end - room.times.lifted, spare)
