"""Clips whose truth is known: what the matching of packets tells of them, and what is counted of that."""

from collections import Counter

import pytest

from bench import truth_clips
from bench.clips import EDGE, EITHER
from bench.truth_clips import Tally
from showstopper.availability.spans import State

SEED = 20230524


@pytest.mark.parametrize("part", range(2))
def test_nothing_is_called_live_that_was_not(part: int) -> None:
    tally = truth_clips.tally(SEED, [part])
    assert tally.is_true, f"seed {SEED}: {tally.figures()}"
    assert tally.known > tally.packets / 2
    called = {state for state, _ in tally.table}
    assert called >= {State.LIVE, State.HOLD, State.STALE, State.SILENT, State.GARBLED, State.UNKNOWN}


@pytest.mark.parametrize("truth", [State.HOLD, State.STALE, State.SILENT, State.GARBLED, State.NO_MEDIA, EDGE])
def test_one_packet_that_is_called_live_and_was_not_is_one_too_many(truth: str) -> None:
    tally = Tally(1, Counter({(State.LIVE, State.LIVE): 1_000_000, (State.LIVE, truth): 1}))
    assert not tally.is_true
    assert tally.live_by_mistake == 1
    assert tally.figures()["why"] == f"1 Live were {truth}"


@pytest.mark.parametrize(
    ("called", "truth"),
    [(State.LIVE, EITHER), (State.STALE, EITHER), (State.SILENT, EDGE), (State.UNKNOWN, State.LIVE)],
)
def test_what_may_be_said_of_a_packet_that_may_be_either_is_right(called: str, truth: str) -> None:
    tally = Tally(1, Counter({(called, truth): 5}))
    assert tally.is_true
    assert tally.misread == 0


def test_hardly_anything_else_may_be_misread() -> None:
    few = Tally(1, Counter({(State.HOLD, State.HOLD): 9999, (State.HOLD, State.GARBLED): 10}))
    assert few.is_true
    many = Tally(1, Counter({(State.HOLD, State.HOLD): 9999, (State.HOLD, State.GARBLED): 11}))
    assert not many.is_true
    assert many.figures()["misread_percent"] == pytest.approx(0.1099)
