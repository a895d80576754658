"""Matrices: long lists of cases, of which a session with a seed runs a third. Without a seed it runs all of them.

Tests marked `matrix` with the same name are one list. `make test` draws a seed and prints it, so that over time each
case is run. The target of each part (`make netns`, `make e2e`) runs the whole.
"""

from __future__ import annotations

import os
from collections import defaultdict

import pytest

from dev import seeds

PART = 3
"""One case in so many is run."""


def chosen(count: int, seed: int) -> set[int]:
    """Which of so many cases are run, at least one. Three seeds that follow each other choose all of them."""
    size = -(-count // PART)
    return {(seed * size + place) % count for place in range(size)}


class Matrices:
    """Leaves out what is not chosen, and says so."""

    def __init__(self) -> None:
        seed = os.environ.get(seeds.MATRIX)
        self._seed = int(seed) if seed else None

    def pytest_report_header(self) -> str | None:
        """The seed, to run the same cases again."""
        return None if self._seed is None else f"{seeds.MATRIX}={self._seed}: a third of each matrix"

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is not chosen."""
        if self._seed is None:
            return
        matrices: defaultdict[str, list[pytest.Item]] = defaultdict(list)
        for item in items:
            if (mark := item.get_closest_marker("matrix")) is not None:
                matrices[mark.args[0]].append(item)
        left_out = {
            item
            for cases in matrices.values()
            for place, item in enumerate(cases)
            if place not in chosen(len(cases), self._seed)
        }
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
