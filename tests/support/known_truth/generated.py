"""Scenarios from a seed: every kind in turn, each time in another dose, at another moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from random import Random

from tests.support.known_truth import door, events, faults, fleet, storms, workloads
from tests.support.known_truth.scenario import Scenario

Kind = Callable[[Random], Scenario]

KINDS: tuple[Kind, ...] = (*faults.ALL, *events.ALL, *fleet.ALL, *workloads.ALL, *storms.ALL)
"""Those of any stage, which take about a minute at the most."""

EVERY_KIND: tuple[Kind, ...] = (*KINDS, *workloads.LONG, *door.ALL)
"""With those that take minutes, and those of a stage with a door (`door.STAGE`)."""


def scenarios(seed: int, runs: int, kinds: Sequence[Kind] = KINDS) -> list[Scenario]:
    """So many scenarios of these kinds. All kinds come once before any comes again."""
    return list(islice(_in_turn(Random(seed), list(kinds)), runs))


def _in_turn(random: Random, kinds: list[Kind]) -> Iterator[Scenario]:
    while True:
        random.shuffle(kinds)
        yield from (kind(random) for kind in kinds)
