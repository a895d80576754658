"""How many of a crowd are in each state."""

from typing import Any

import pytest
from hypothesis import given

from showstopper.availability import density
from showstopper.availability.density import Density
from showstopper.availability.spans import State
from tests.availability.build import EPOCH, J, L, N, U, known_stories, view, window


def rows(steps: tuple[Density, ...]) -> list[tuple[float, float, dict[str, float]]]:
    return [
        (step.start - EPOCH, step.end - EPOCH, {str(state): count for state, count in step.counts.items()})
        for step in steps
    ]


def test_each_change_begins_a_step() -> None:
    steps = density.steps(view([(L, 4), (N, 2), (L, 4)], [(L, 10)], [(L, 4), (N, 4), (L, 2)]))
    assert rows(steps) == [
        (0, 4, {"Live": 3}),
        (4, 6, {"Live": 1, "NoMedia": 2}),
        (6, 8, {"Live": 2, "NoMedia": 1}),
        (8, 10, {"Live": 3}),
    ]


def test_too_many_steps_become_means() -> None:
    steps = density.steps(view([(L, 4), (N, 2), (L, 4)], [(L, 10)], [(L, 4), (N, 4), (L, 2)]))
    assert density.coarse(steps, window(0, 10), 4) == steps
    assert rows(density.coarse(steps, window(0, 10), 2)) == [
        (0, 5, {"Live": 13 / 5, "NoMedia": 2 / 5}),
        (5, 10, {"Live": 11 / 5, "NoMedia": 4 / 5}),
    ]


def test_changes_that_are_next_to_each_other_are_one() -> None:
    steps = density.steps(view([(L, 4), (N, 6)], [(L, 4.002), (N, 5.998)], [(L, 4.5), (N, 5.5)], [(L, 10)]))
    (before, lost, after) = density.thinned(steps, 0.01)
    assert rows((before, after)) == [(0, 4, {"Live": 4}), (4.5, 10, {"Live": 1, "NoMedia": 3})]
    assert (lost.start - EPOCH, lost.end - EPOCH) == (4, 4.5)
    assert lost.counts == pytest.approx({L: 2 + 0.002 / 0.5, N: 2 - 0.002 / 0.5}, abs=1e-4)
    assert density.thinned(steps, 0.0) == steps
    assert density.thinned((), 0.01) == ()


def test_where_nothing_is_known_nobody_is() -> None:
    steps = density.steps(view([(L, 4)]))
    assert rows(density.means(steps, [EPOCH - 1, EPOCH, EPOCH + 2, EPOCH + 9])) == [
        (-1, 0, {}),
        (0, 2, {"Live": 1}),
        (2, 9, {"Live": 1}),
    ]


@given(first=known_stories(), second=known_stories())
def test_everybody_is_somewhere_all_the_time(first: Any, second: Any) -> None:
    room = view(first, second)
    steps = density.steps(room)
    assert all(step.listeners == pytest.approx(2) for step in steps)
    for most in (1, 3, 7):
        pieces = density.coarse(steps, room.window, most)
        assert len(pieces) <= max(most, 1)
        for state in State:
            spent = [
                sum(each.counts.get(state, 0.0) * (each.end - each.start) for each in row) for row in (steps, pieces)
            ]
            assert spent[0] == pytest.approx(spent[1], abs=1e-4)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({L: 95, N: 5}, L),
        ({L: 94, N: 6}, N),
        ({L: 94, N: 3, J: 3.5}, J),
        ({L: 80, U: 14, N: 6}, N),
        ({L: 91, U: 6, N: 3}, U),
        ({U: 100}, U),
    ],
)
def test_one_state_stands_for_all(counts: dict[State, float], shown: State) -> None:
    assert Density(0.0, 1.0, counts).shown is shown
