"""Calling: the newcomers of a room, and what became of each."""

import random
from collections.abc import Sequence
from dataclasses import replace

from bench.rooms.room import DUE, Absence, Call, Room, Stretch, Times, cells

STAY = cells(8)
SOUND, LIVE = cells(1.0), cells(1.2)
"""How long after its call a newcomer gets the first sound, and the live host."""


def calls(rng: random.Random, room: Room) -> tuple[Call, ...]:
    """A call every 2.5 s. For some time the room may refuse them, leave them without the host, or be slow.

    Slow it may be with the sound, or let them in late.
    """
    known = room.times.known
    every = max(cells(2.5), known // 60)
    shut = rng.randrange(known), rng.choice([0, cells(rng.uniform(0, 30)), known])
    dies = rng.randrange(known) if rng.random() < 0.2 else None
    trouble = rng.choice(["", "refused", "silent", "slow", "late", "cut"])
    made = []
    for called in range(rng.randrange(cells(0.3), cells(1)), known - cells(0.5), every):
        troubled = trouble if shut[0] <= called < shut[0] + shut[1] else ""
        call = _call(rng, called, troubled, room.absences)
        while _on_an_edge(call, room.times):
            call = _call(rng, call.called + 1, troubled, room.absences)
        if dies is not None and call.called < dies < call.left:
            call = replace(call, lost=dies, deaf=None)
        made.append(call)
    return tuple(made)


def _on_an_edge(call: Call, times: Times) -> bool:
    """Whether something of it happens in the very instant in which a window begins or ends."""
    instants = {call.called, call.joined, call.audio, call.live, call.heard, call.left, call.called + DUE}
    return not instants.isdisjoint({times.fault, times.end, times.known})


def _call(rng: random.Random, called: int, trouble: str, absences: Sequence[Absence]) -> Call:
    joined, left = called + cells(rng.uniform(0.2, 0.8)), called + STAY
    if trouble == "refused":
        return Call(called, None, None, None, None, called + cells(rng.uniform(0.2, 4.9)), refused=True)
    if trouble == "silent":
        return Call(called, joined, None, None, None, left)
    late = cells(rng.uniform(0, 8)) if trouble in ("slow", "late") else 0
    joined += late if trouble == "late" else 0
    live = called + LIVE + late
    if joined >= left:
        return Call(called, None, None, None, None, left)
    if live + cells(0.3) >= left:
        return Call(called, joined, None, None, None, left)
    deaf: Stretch | None = None
    if trouble == "cut" and not absences:
        first = live + cells(rng.uniform(0.3, 3))
        deaf = first, min(left, first + cells(rng.uniform(0.1, 5)))
    heard: int | None = live
    for absence in absences:
        if absence.first <= live < absence.felt:
            heard = rng.randint(max(absence.last, live), absence.felt)
    if heard is not None and heard >= left:
        heard = None
    return Call(called, joined, called + SOUND + late, live, heard, left, deaf=deaf)
