"""Hidden: the most outages that a listener's spans may hold, whatever happened in what is Unknown. Pure.

An outage, and the sound between two, has a shortest length. Where less of one is seen, the rest of it is in the Unknown
beside it, and leaves less room there. What a window's edge cuts off may be of any length.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from showstopper.availability.spans import NOISE, UNCERTAIN, Span, State

# Seconds that an outage (True), and what is between two (False), lasts at least.
Shortest = Mapping[bool, float]


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to fill what is Unknown so far: whether it ends in an outage, since when, and how many it has."""

    bad: bool
    age: float
    outages: int


def most_outages(spans: Iterable[Span], bad: frozenset[State], shortest: Shortest) -> int:
    """The most outages that there can be in spans without a hole.

    Args:
        spans: of one listener, in order.
        bad: the states of an outage.
        shortest: how long an outage, and what is between two, lasts at least.
    """
    runs = list(_runs(spans, bad))
    if all(state is not None for state, _ in runs):
        return sum(1 for state, _ in runs if state)
    # Of what began before the window, a little has to be inside.
    ways = [_Way(each, shortest[each] - 2 * NOISE, int(each)) for each in (False, True)]
    for state, seconds in runs:
        further = _hidden(ways, seconds, shortest) if state is None else _seen(ways, state, seconds, shortest)
        ways = list(_best(list(further), shortest))
    return max(way.outages for way in ways)


def _runs(spans: Iterable[Span], bad: frozenset[State]) -> Iterator[tuple[bool | None, float]]:
    """Stretches of an outage (True), of none (False) and of Unknown (None), each with its length in seconds."""
    for state, same in groupby(spans, lambda span: None if span.state in UNCERTAIN else span.state in bad):
        yield state, sum(span.seconds for span in same)


def _seen(ways: Sequence[_Way], bad: bool, seconds: float, shortest: Shortest) -> Iterator[_Way]:
    """All ways through a run that is known. What was seen is so, even if it is shorter than anything should be."""
    possible = [way for way in ways if way.bad is bad or way.age >= shortest[way.bad] - NOISE]
    for way in possible or ways:
        if way.bad is bad:
            yield _Way(bad, way.age + seconds, way.outages)
        else:
            yield _Way(bad, seconds, way.outages + bad)


def _hidden(ways: Iterable[_Way], seconds: float, shortest: Shortest) -> Iterator[_Way]:
    """All ways through an Unknown run that others do not beat: nothing changes in it, or as often and early as may be.

    Or once less to and fro: that leaves its end older than the shortest.
    """
    to_and_fro = shortest[False] + shortest[True]
    for way in ways:
        yield _Way(way.bad, way.age + seconds, way.outages)
        changed = max(0.0, shortest[way.bad] - way.age)
        back = changed + shortest[not way.bad]
        for bad, since, begun in ((not way.bad, changed, int(not way.bad)), (way.bad, back, 1)):
            most = math.floor((seconds - since - NOISE) / to_and_fro)
            for more in range(max(0, most - 1), most + 1):
                yield _Way(bad, seconds - since - more * to_and_fro, way.outages + begun + more)


def _best(ways: Sequence[_Way], shortest: Shortest) -> Iterator[_Way]:
    """Those ways than which no other, in the same state, has as many outages and is as old."""
    for bad in (False, True):
        oldest = -math.inf
        for way in sorted((way for way in ways if way.bad is bad), key=lambda way: (-way.outages, -way.age)):
            if way.age > oldest and oldest < shortest[bad]:
                oldest = way.age
                yield way
