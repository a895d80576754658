"""Hiding: what is not told of a room. Probes that were late, listeners that began again, and a host that was away."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.rooms.room import SECOND, Absence, Mask, Room, cells

EDGE = cells(0.1)


def hide(rng: random.Random, room: Room, outages: Sequence[int]) -> Room:
    """The room, with what its listeners and its host leave out. `outages` are where it is most interesting."""
    if rng.random() < 0.15:
        room = _without_host(rng, room, outages)
    if rng.random() < 0.4:
        return room
    late = np.zeros_like(room.deaf)
    for _ in range(rng.choice([1, 1, 2, 4])):
        first = _instant(rng, room, outages)
        last = first + cells(rng.uniform(0.1, rng.choice([1.0, 1.0, 4.0])))
        who = rng.choice(room.pods)
        late[who.start : rng.randint(who.start + 1, who.stop), first:last] = True
    room = replace(room, untold=late)
    later: dict[int, tuple[int, int, int]] = {}
    if rng.random() < 0.5:
        later = _began_again(rng, room, rng.choice(room.pods), _instant(rng, room, outages))
    return replace(room, hidden=room.untold | _explained(room), later=later)


def _instant(rng: random.Random, room: Room, outages: Sequence[int]) -> int:
    """Anywhere, or at an outage or its end."""
    if not outages or rng.random() < 0.4:
        return rng.randrange(SECOND, room.times.known)
    near = rng.choice(outages) + cells(rng.choice([rng.uniform(-1, 1), rng.uniform(0, 8)]))
    return min(max(SECOND, near), room.times.known - 1)


def _began_again(rng: random.Random, room: Room, pod: range, died: int) -> dict[int, tuple[int, int, int]]:
    """A pod's process dies, and another joins: of whom was in, nothing is known until it has heard the host again."""
    began = died + cells(rng.uniform(0.3, 3))
    later = {}
    for index in pod:
        heard = ~room.deaf[index] & ~room.silent[index] & ~room.untold[index]
        if not heard[:died].any() or began >= room.times.known:
            return {}
        back = _first(heard, began + cells(rng.uniform(0.5, 2)))
        later[index] = died, began, back
    for index, (_, _, back) in later.items():
        room.untold[index, died:back] = True
    return later


def _first(row: Mask, start: int) -> int:
    """The first cell from there on that is true, or the row's end."""
    after = np.flatnonzero(row[start:])
    return start + int(after[0]) if after.size else len(row)


def _without_host(rng: random.Random, room: Room, outages: Sequence[int]) -> Room:
    """The host's process starts anew, or stands still: who would hear it does not, until it is back."""
    stall = rng.random() < 0.5
    first = _instant(rng, room, outages)
    last = first + cells(rng.uniform(0.3, 2) if stall else rng.uniform(0.5, 4))
    last += last - first == SECOND  # so that it is certain whether it is short
    absence = Absence(first, last, stall)
    edges = 0, room.times.fault, room.times.end, room.times.known
    if any(first - EDGE <= edge <= absence.felt + EDGE for edge in edges):
        return room
    deaf, silent = room.deaf.copy(), np.zeros_like(room.deaf)
    for row, quiet in zip(deaf, silent, strict=True):
        if _deaf_around(row, absence):
            row[first - EDGE : absence.felt + EDGE] = True  # nobody gets back in and is lost again in so short a time
        quiet[first : rng.randint(last, absence.felt - EDGE)] = True
    room = replace(room, deaf=deaf, silent=silent & ~deaf, absences=(absence,))
    return replace(room, hidden=_explained(room))


def _deaf_around(row: Mask, absence: Absence) -> bool:
    """Documented: a standstill of less than a second explains nothing of who was deaf before it and is after it."""
    short = absence.last - absence.first <= SECOND
    return bool(absence.stall and short and row[absence.first - EDGE] and row[absence.felt + EDGE - 1])


def _explained(room: Room) -> Mask:
    """What the host explains: what listeners with a connection missed while it was away, or just after it."""
    hidden = np.zeros_like(room.deaf)
    for absence in room.absences:
        piece = slice(absence.first, absence.felt)
        missed = (room.deaf | room.silent) & ~room.offline
        for index, row in enumerate(room.deaf):
            around = slice(absence.first - EDGE, absence.felt + EDGE)
            anyway = _deaf_around(row, absence) and row[around].all() and not room.untold[index, around].any()
            hidden[index, piece] = missed[index, piece] & (not anyway)
    return hidden
