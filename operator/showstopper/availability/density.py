"""Density: how many of a crowd's listeners are in each state over time. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from showstopper.availability.spans import DEAD, UNCERTAIN, State, Window
from showstopper.availability.tracks import View

FEW = 0.05
"""Up to this share of the listeners is not taken for the crowd."""


@dataclass(frozen=True, slots=True)
class Density:
    """How many listeners were in each state within [start, end), in Unix seconds: the mean, if it changed meanwhile."""

    start: float
    end: float
    counts: Mapping[State, float]

    @property
    def listeners(self) -> float:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def shown(self) -> State:
        """The one state that stands for all where there is room for one only.

        The most frequent dead air, if it is of more than a few listeners. Else what is not known, by the same rule.
        Else the host.
        """
        few = FEW * self.listeners
        for states in (DEAD, UNCERTAIN):
            there = {state: self.counts[state] for state in State if state in states and state in self.counts}
            if sum(there.values()) > few:
                return max(there, key=lambda state: there[state])
        return State.LIVE


def steps(view: View) -> tuple[Density, ...]:
    """From each change of any resident to the next one."""
    changes: defaultdict[float, Counter[State]] = defaultdict(Counter)
    for track in view.residents:
        for span in track.spans:
            changes[span.start][span.state] += 1
            changes[span.end][span.state] -= 1
    return tuple(_between(changes))


def _between(changes: Mapping[float, Counter[State]]) -> Iterator[Density]:
    now = Counter[State]()
    for start, end in pairwise(sorted(changes)):
        now.update(changes[start])
        yield Density(start, end, {state: float(count) for state, count in now.items() if count})


def thinned(densities: Sequence[Density], finest: float) -> tuple[Density, ...]:
    """The same, without a piece that is shorter than so many seconds: it becomes part of a mean."""
    edges: list[float] = []
    for step in densities:
        if not edges or step.start - edges[-1] >= finest:
            edges.append(step.start)
    if not densities or len(edges) == len(densities):
        return tuple(densities)
    return means(densities, [*edges, densities[-1].end])


def coarse(densities: Sequence[Density], window: Window, most: int) -> tuple[Density, ...]:
    """The same. If there are more than `most`: the means over as many equal pieces of the window."""
    if len(densities) <= most:
        return tuple(densities)
    length = window.seconds / most
    return means(densities, [*(window.start + index * length for index in range(most)), window.end])


def means(densities: Sequence[Density], edges: Sequence[float]) -> tuple[Density, ...]:
    """The mean between each two edges. Where nothing is known between them, nobody is there."""
    pieces: list[Density] = []
    first = 0
    for start, end in pairwise(edges):
        while first < len(densities) and densities[first].end <= start:
            first += 1
        pieces.append(_mean(densities, first, start, end))
    return tuple(pieces)


def _mean(densities: Sequence[Density], first: int, start: float, end: float) -> Density:
    spent: defaultdict[State, float] = defaultdict(float)
    known = 0.0
    for index in range(first, len(densities)):
        step = densities[index]
        if step.start >= end:
            break
        seconds = min(step.end, end) - max(step.start, start)
        known += seconds
        for state, count in step.counts.items():
            spent[state] += count * seconds
    return Density(start, end, {state: seconds / known for state, seconds in spent.items()} if known > 0 else {})
