"""Newcomers come at the interval that the room declares, whenever the pods of its fleet started."""

import itertools
from types import SimpleNamespace

import pytest

from showstopper.audio import turns

EVERY = 10.0
"""Of each of two pods, so that somebody comes every five seconds."""


class Clocks:
    """The clocks of a pod, which started at some time of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, started: float) -> None:
        self.now, self._started = started, started
        clocks = SimpleNamespace(time=lambda: self.now, monotonic=lambda: self.now - self._started)
        monkeypatch.setattr(turns, "time", clocks)

    def wall(self, due: float) -> float:
        return due + self._started


def dues(monkeypatch: pytest.MonkeyPatch, started: float, phase: float, stall: float = 0.0) -> list[float]:
    """When ten newcomers of a pod are due, on the wall clock. It stands still after the third."""
    clocks = Clocks(monkeypatch, started)
    due, told = turns.first(EVERY, phase), []
    for number in range(10):
        told.append(clocks.wall(due))
        clocks.now = told[-1] + (stall if number == 2 else 0.001)
        due = turns.following(due, EVERY)
    return told


@pytest.mark.parametrize("started", [1_000_000.0, 1_000_003.7, 1_000_005.0, 1_000_009.99])
@pytest.mark.parametrize("stall", [0.0, 4.0, 27.0])
def test_two_pods_take_turns_whenever_they_started(
    monkeypatch: pytest.MonkeyPatch, started: float, stall: float
) -> None:
    one, other = dues(monkeypatch, 1_000_000.0, 0.0), dues(monkeypatch, started, 5.0, stall)
    assert other[0] - started < EVERY
    assert {round(due % EVERY, 3) for due in one} == {0.0}
    assert {round(due % EVERY, 3) for due in other} == {5.0}


def test_those_that_were_missed_are_not_sent_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = dues(monkeypatch, 1_000_000.0, 0.0, stall=27.0)
    gaps = [round(later - earlier) for earlier, later in itertools.pairwise(told)]
    assert gaps == [10, 10, 30, 10, 10, 10, 10, 10, 10]
