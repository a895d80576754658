"""As many outages as there can be in what is Unknown, and not one more."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rooms import outages
from showstopper.availability.outage_bounds import ShortestLengths, most_outages
from showstopper.availability.spans import DEAD
from tests.availability.build import L, N, O, Story, U, spans

CELL = 0.02
OUTAGE, SOUND = 0.1, 0.2


def most(story: Story, shortest: float = OUTAGE) -> int:
    return most_outages(spans("r0", story), DEAD, ShortestLengths(shortest, SOUND))


@pytest.mark.parametrize(
    ("story", "number"),
    [
        ([(L, 5), (U, 0.14), (L, 5)], 1),
        ([(U, 0.22)], 2),  # a little of each is in the window
        ([(U, 0.2)], 1),
        ([(L, 5), (U, 0.14), (L, 0.02), (N, 5)], 1),  # the live sound began in it: no room for an outage
        ([(L, 5), (U, 0.28), (L, 0.02), (N, 5)], 2),
        ([(N, 5), (L, 0.02), (U, 0.28), (L, 5)], 2),
        ([(N, 5), (L, 0.02), (U, 0.26), (L, 5)], 1),
        ([(L, 5), (U, 0.1), (N, 0.04), (U, 0.2), (L, 5)], 1),  # what is missing of the outage is in either
        ([(L, 5), (U, 0.1), (N, 0.04), (U, 0.3), (L, 5)], 2),
        ([(L, 5), (N, 2), (O, 3), (N, 1), (U, 0.3), (L, 5)], 2),  # three states, one outage
    ],
)
def test_what_is_seen_too_little_of_goes_on_in_the_unknown_beside_it(story: Story, number: int) -> None:
    assert most(story) == number


@pytest.mark.parametrize(("story", "number"), [([(L, 5), (N, 0.04), (L, 0.1), (N, 0.04), (U, 0.02), (L, 5)], 2)])
def test_what_was_seen_is_so_however_short(story: Story, number: int) -> None:
    assert most(story) == number


@st.composite
def hidden(draw: st.DrawFn) -> tuple[list[bool], list[bool], int]:
    """Cells in which a listener did not hear, those that are hidden, and how many an outage has at least."""
    shortest = draw(st.sampled_from([5, 25]))
    bad = draw(st.booleans())
    cells: list[bool] = []
    for more in draw(st.lists(st.integers(0, 12), min_size=2, max_size=8)):
        cells += [bad] * (more + (shortest if bad else 10))
        bad = not bad
    cells = cells[draw(st.integers(0, 9)) :]
    unknown = [False] * len(cells)
    for first, length in draw(st.lists(st.tuples(st.integers(0, len(cells) - 1), st.integers(1, 25)), max_size=4)):
        unknown[first : first + length] = [True] * len(unknown[first : first + length])
    return cells, unknown, shortest


@given(hidden())
def test_it_is_what_trying_cell_by_cell_finds(told: tuple[list[bool], list[bool], int]) -> None:
    bad, unknown, shortest = told
    states = [U if here else N if dead else L for dead, here in zip(bad, unknown, strict=True)]
    story = [(state, CELL * len(list(same))) for state, same in itertools.groupby(states)]
    # In half cells: of two outages that the window's edges cut off, half a cell of each may be in it.
    seen, blind = np.repeat(bad, 2), np.repeat(unknown, 2)
    tried = outages.most_in(seen & ~blind, blind, 2 * shortest, 2 * outages.SHORTEST_SOUND)
    assert most(story, shortest * CELL) == tried
