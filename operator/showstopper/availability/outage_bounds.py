"""Outage bounds: the most outages that a listener's spans may hold, whatever happened where nothing is certain. Pure.

An outage, and what is between two, has a shortest length. Where less of one is seen, the rest of it is in the uncertain
time beside it, and leaves less room there. What a window's edge cuts off may be of any length.

The search is a dynamic programme over the runs of the spans. Its state is how a listener may be at the end of a run: in
an outage or not, for how long, after how many outages. A state that another beats, with as many outages and as long in
the same condition, is dropped: whatever follows is allowed to the other one too. Of those that have lasted for the
shortest length already, one is enough. So a few states are left after each run, and time is linear in the runs.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from showstopper.availability.spans import NOISE, UNCERTAIN, Span, State


@dataclass(frozen=True, slots=True)
class ShortestLengths:
    """How many seconds an outage, and what is between two, lasts at least."""

    outage: float
    between: float

    def of(self, bad: bool) -> float:
        """Of an outage, or of what is between two."""
        return self.outage if bad else self.between


@dataclass(frozen=True, slots=True)
class _Case:
    """How a listener may be: in an outage or not, for so many seconds, after so many outages (this one included)."""

    bad: bool
    age: float
    outages: int


def most_outages(spans: Iterable[Span], bad: frozenset[State], shortest: ShortestLengths) -> int:
    """The most outages that there can be in spans without a hole.

    Args:
        spans: of one listener, in order.
        bad: the states of an outage.
        shortest: how long an outage, and what is between two, lasts at least.
    """
    runs = list(_runs(spans, bad))
    if all(is_bad is not None for is_bad, _ in runs):
        return sum(1 for is_bad, _ in runs if is_bad)
    # Of what began before the window, a little has to be inside.
    cases = [_Case(each, shortest.of(each) - 2 * NOISE, int(each)) for each in (False, True)]
    for is_bad, seconds in runs:
        after = _open(cases, seconds, shortest) if is_bad is None else _certain(cases, is_bad, seconds, shortest)
        cases = list(_unbeaten(list(after), shortest))
    return max(case.outages for case in cases)


def _runs(spans: Iterable[Span], bad: frozenset[State]) -> Iterator[tuple[bool | None, float]]:
    """Runs of an outage (True), of none (False) and of what is not certain (None), each with its length in seconds."""
    for is_bad, same in groupby(spans, lambda span: None if span.state in UNCERTAIN else span.state in bad):
        yield is_bad, sum(span.seconds for span in same)


def _certain(cases: Sequence[_Case], bad: bool, seconds: float, shortest: ShortestLengths) -> Iterator[_Case]:
    """The cases after a certain run. What was seen is so, even if it is shorter than anything should be."""
    possible = [case for case in cases if case.bad is bad or case.age >= shortest.of(case.bad) - NOISE]
    for case in possible or cases:
        if case.bad is bad:
            yield _Case(bad, case.age + seconds, case.outages)
        else:
            yield _Case(bad, seconds, case.outages + bad)


def _open(cases: Iterable[_Case], seconds: float, shortest: ShortestLengths) -> Iterator[_Case]:
    """The cases after an uncertain run that others do not beat.

    Nothing changes in it, or it changes as soon and as often as may be, or once less to and fro: then it has been for
    longer as it is at the end, which what follows may need.
    """
    to_and_fro = shortest.outage + shortest.between
    for case in cases:
        yield _Case(case.bad, case.age + seconds, case.outages)
        changed = max(0.0, shortest.of(case.bad) - case.age)
        back = changed + shortest.of(not case.bad)
        for bad, since, begun in ((not case.bad, changed, int(not case.bad)), (case.bad, back, 1)):
            most = math.floor((seconds - since - NOISE) / to_and_fro)
            for more in range(max(0, most - 1), most + 1):
                yield _Case(bad, seconds - since - more * to_and_fro, case.outages + begun + more)


def _unbeaten(cases: Sequence[_Case], shortest: ShortestLengths) -> Iterator[_Case]:
    """The cases than which no other has as many outages, and is as it is for as long."""
    for bad in (False, True):
        oldest = -math.inf
        for case in sorted((case for case in cases if case.bad is bad), key=lambda case: (-case.outages, -case.age)):
            if case.age > oldest and oldest < shortest.of(bad):
                oldest = case.age
                yield case
