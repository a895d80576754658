"""StartDelay as it truly was, cell by cell: from the fault on, for these rooms announce no start."""

import math

import numpy as np

from bench.rooms.room import ANYTHING, GRID, Mask, Range, Room


def start_delay(room: Room) -> float:
    """To the first cell in which half of the residents hear. inf: there is none."""
    return _first(room, room.deaf, never=math.inf)


def start_delay_range(room: Room) -> Range:
    """All that is hidden was heard, or none of it. Who was not seen to hear may hear as soon as nothing is known."""
    if room.hidden[:, room.times.fault : room.times.end].all():
        return ANYTHING
    known = (room.deaf.shape[1] - room.times.fault) * GRID
    return (
        _first(room, room.deaf & ~room.hidden, never=known),
        _first(room, room.deaf | room.hidden, never=math.inf),
    )


def _first(room: Room, deaf: Mask, *, never: float) -> float:
    hearing = (~deaf[:, room.times.fault :]).sum(axis=0)
    begun = np.flatnonzero(2 * hearing >= len(deaf))
    return float(begun[0]) * GRID if begun.size else never
