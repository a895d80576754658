"""Outages as they truly were: the longest, how many, and how many of them without a connection."""

import math
from collections.abc import Callable

from bench.rooms.room import ANYTHING, GRID, Hearing, Mask, Range, Room, Stretch, cells, everybody, runs

SHORTEST = cells(0.1)
"""Documented: the shortest outage that there can be."""
SHORTEST_RECONNECT = cells(0.5)
SHORTEST_SOUND = cells(0.2)
"""Documented: the shortest live sound between two."""

Cut = Callable[[Hearing], Mask]


def longest(room: Room) -> float:
    """The longest stretch in which somebody who was in did not hear, from the window's start on. inf: without end."""
    return max((_longest(room, each, each.deaf, endless=True) for each in everybody(room)), default=0.0)


def longest_range(room: Room) -> Range:
    """The longest of which all was seen, and the longest with all that is hidden in and around it."""
    listeners = list(everybody(room))
    if all(each.hidden[_inside(room, each)].all() for each in listeners):
        return ANYTHING
    least = max((_longest(room, each, each.deaf & ~each.hidden, endless=False) for each in listeners), default=0.0)
    most = max((_longest(room, each, each.deaf | each.hidden, endless=True) for each in listeners), default=0.0)
    return least, most


def _longest(room: Room, listener: Hearing, dead: Mask, *, endless: bool) -> float:
    start, end = room.times.fault - listener.first, room.times.end - listener.first
    lengths = [0.0]
    for first, last in runs(dead):
        if last > start and first < end:
            goes_on = endless and listener.stays and last == len(dead)
            lengths.append(math.inf if goes_on else (last - max(first, start)) * GRID)
    return max(lengths)


def count(room: Room) -> float:
    """The outages that touch the window."""
    return float(sum(len(runs(each.deaf[_inside(room, each)])) for each in everybody(room)))


def reconnects(room: Room) -> float:
    """The times without a connection that touch the window."""
    return float(sum(len(runs(each.offline[_inside(room, each)])) for each in everybody(room)))


def count_range(room: Room) -> Range:
    """As few and as many as there can be."""
    return _range(room, lambda each: each.deaf, SHORTEST)


def reconnects_range(room: Room) -> Range:
    """As few and as many as there can be."""
    return _range(room, lambda each: each.offline, SHORTEST_RECONNECT)


def _range(room: Room, bad_of: Cut, shortest: int) -> Range:
    least = most = 0
    listeners = list(everybody(room))
    for each in listeners:
        bad, hidden = bad_of(each)[_inside(room, each)], each.hidden[_inside(room, each)]
        seen = bad & ~hidden
        # Fewest: what is hidden joins what it touches, and holds nothing where it touches nothing.
        least += sum(1 for first, last in runs(bad | hidden) if seen[first:last].any())
        most += most_in(seen, hidden, shortest) if hidden.any() else len(runs(bad))
    if all(each.hidden[_inside(room, each)].all() for each in listeners):
        return ANYTHING
    return float(least), float(most)


def _inside(room: Room, listener: Hearing) -> slice:
    start, end = (max(0, edge - listener.first) for edge in (room.times.fault, room.times.end))
    return slice(start, end)


def most_in(seen: Mask, hidden: Mask, shortest: int, sound: int = SHORTEST_SOUND) -> int:
    """The most outages that there can be, by trying cell by cell every way to fill what is hidden.

    A state is (not hearing, for how many cells so far), and has the most outages begun on the way to it. What the
    window's edges cut off may be of any length. `shortest` and `sound` are the cells that an outage, and what is
    between two, has at least.
    """
    lasting = {False: sound, True: shortest}
    ways: dict[tuple[bool, int], int] = {}
    for value, (first, last) in _pieces(seen, hidden):
        choices = (False, True) if value is None else (value,)
        # What is known is one stretch: after its first cell there is nothing to try.
        for step in [1] * (last - first) if value is None else [1, last - first - 1]:
            ways = _further(ways, choices, lasting, step) if ways else {(each, lasting[each]): each for each in choices}
    return max(ways.values(), default=0)


def _further(
    ways: dict[tuple[bool, int], int], choices: tuple[bool, ...], lasting: dict[bool, int], step: int
) -> dict[tuple[bool, int], int]:
    """All ways to go on for so many cells."""
    if not step:
        return ways
    following: dict[tuple[bool, int], int] = {}
    for (bad, age), begun in ways.items():
        for choice in choices:
            if choice is not bad and age < lasting[bad]:
                continue
            state = choice, min(lasting[choice], age + step if choice is bad else step)
            following[state] = max(begun + (choice and not bad), following.get(state, 0))
    return following


def _pieces(seen: Mask, hidden: Mask) -> list[tuple[bool | None, Stretch]]:
    """The row as stretches of not hearing, hearing and hidden (None), in order."""
    pieces: list[tuple[bool | None, Stretch]] = [(None, each) for each in runs(hidden)]
    pieces += [(True, each) for each in runs(seen)]
    pieces += [(False, each) for each in runs(~seen & ~hidden)]
    return sorted(pieces, key=lambda piece: piece[1])
