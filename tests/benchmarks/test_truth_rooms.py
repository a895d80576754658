"""Rooms whose truth is known by construction: no verdict on them is wrong, and none is needlessly Inconclusive."""

import secrets

import pytest

from bench import truth_rooms
from showstopper.api.verdicts import Verdict
from showstopper.availability.indicators.indicator import Indicator
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR
from showstopper.availability.indicators.recovery import RECOVERY_TIME

SEED = secrets.randbelow(2**32)


@pytest.mark.parametrize("part", range(4))
def test_no_verdict_is_wrong_and_none_is_needless(part: int) -> None:
    tally = truth_rooms.tally(SEED, range(500 * part, 500 * (part + 1)))
    assert not tally.examples, f"seed {SEED}: {tally}"
    assert tally.verdicts.keys() == {"Passed", "Failed", "Inconclusive"}


@pytest.mark.parametrize(
    ("indicator", "bound", "figure"),
    [(AUDIBLE_RATIO, 0.8, 0.75), (LONGEST_DEAD_AIR, 15.0, 16.0), (RECOVERY_TIME, 15.0, 16.0)],
)
def test_the_truth_of_a_room_is_what_it_was_built_to_be(indicator: Indicator, bound: float, figure: float) -> None:
    """Two residents, one of whom loses the host when the fault ends: for 16 s, or for half of the window."""
    deaf = [[(750, 1550)] if indicator is not AUDIBLE_RATIO else [(750, 2250)], []]
    room = truth_rooms.Room(deaf, [[], []], [None, None], [], indicator, bound)
    assert truth_rooms.truth(room, deaf) == pytest.approx(figure)
    assert truth_rooms.judged(room) is Verdict.FAILED
