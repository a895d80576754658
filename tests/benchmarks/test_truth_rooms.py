"""Rooms whose truth is known by construction: no verdict on them is wrong, and none is needlessly Inconclusive."""

import dataclasses
import math
import secrets

import numpy as np
import pytest

from bench import truth_rooms
from bench.rooms import comparing, drawing, judging, outages, truth
from bench.rooms.room import ANYTHING, Asked, Call, Mask, Room, Times, runs
from showstopper.api.verdicts import Verdict
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.indicator import Indicator
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECONNECTS
from showstopper.availability.indicators.recovery import RECOVERY_TIME

SEED = secrets.randbelow(2**32)
TIMES = Times(fault=750, lifted=750, end=3750)
"""A baseline of 15 s, and a minute after a kill."""


@pytest.mark.parametrize("part", range(4))
def test_no_verdict_is_wrong_and_none_is_needless(part: int) -> None:
    tally = truth_rooms.tally(SEED, range(500 * part, 500 * (part + 1)))
    assert not tally.examples, f"seed {SEED}: {tally}"
    assert tally.verdicts.keys() == {"Passed", "Failed", "Inconclusive"}


def mask(*listeners: list[tuple[int, int]]) -> Mask:
    rows = np.zeros((len(listeners), TIMES.known), dtype=np.bool_)
    for row, stretches in zip(rows, listeners, strict=True):
        for first, last in stretches:
            row[first:last] = True
    return rows


def room(deaf: Mask, *asked: Asked, hidden: Mask | None = None, calls: tuple[Call, ...] = ()) -> Room:
    nothing = np.zeros_like(deaf)
    untold = nothing if hidden is None else hidden
    pods = [range(index, index + 1) for index in range(len(deaf))]
    return Room(TIMES, deaf, nothing, nothing, untold, untold, pods, calls=calls, asked=asked)


@pytest.mark.parametrize(
    ("indicator", "bound", "figure"),
    [(AUDIBLE_RATIO, 0.8, 0.75), (LONGEST_DEAD_AIR, 15.0, 30.0), (RECOVERY_TIME, 15.0, 30.0), (OUTAGE_COUNT, 0.0, 1.0)],
)
def test_the_truth_of_a_room_is_what_it_was_built_to_be(indicator: Indicator, bound: float, figure: float) -> None:
    """Two residents, one of whom does not hear the host for the half of the minute that follows the fault."""
    built = room(mask([(750, 2250)], []), Asked(indicator, bound, least=indicator is AUDIBLE_RATIO))
    assert truth.figure(built, indicator) == pytest.approx(figure)
    assert truth.possible(built, indicator) == pytest.approx((figure, figure))
    judged = judging.judge(built)
    assert judged.verdict is Verdict.FAILED
    assert not comparing.wrong(built, judged)


def test_what_is_hidden_may_have_been_heard_or_not() -> None:
    built = room(mask([(1000, 1100)], []), hidden=mask([(1100, 1150)], []))
    assert truth.possible(built, AUDIBLE_RATIO) == pytest.approx((1 - 150 / 6000, 1 - 100 / 6000))
    assert truth.possible(built, LONGEST_DEAD_AIR) == pytest.approx((2.0, 3.0))
    assert truth.possible(built, RECOVERY_TIME) == pytest.approx((7.0, 8.0))


def test_an_outage_that_nobody_sees_the_end_of_may_never_end() -> None:
    built = room(mask([(3000, TIMES.known)], []), hidden=mask([], []))
    assert truth.figure(built, LONGEST_DEAD_AIR) == math.inf
    assert truth.possible(built, LONGEST_DEAD_AIR) == pytest.approx(((TIMES.known - 3000) * 0.02, math.inf))


def test_of_a_room_that_nobody_saw_anything_is_possible() -> None:
    built = room(mask([]), hidden=mask([(0, TIMES.known)]))
    for indicator in (AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECONNECTS, RECOVERY_TIME):
        assert truth.possible(built, indicator) == ANYTHING


@pytest.mark.parametrize(
    ("story", "shortest", "most"),
    [
        ("LLLLLLLLLLLL", 5, 0),
        ("DDDDDDDDDDDD", 5, 1),
        ("????", 5, 1),  # cut off by both edges of the window
        ("L" * 10 + "?" * 4 + "L" * 10, 5, 0),  # too short for an outage
        ("L" * 10 + "?" * 5 + "L" * 10, 5, 1),
        ("L" * 10 + "?" * 20 + "L" * 10, 5, 2),  # 5 dead, 10 live, 5 dead
        ("D" * 10 + "?" * 9 + "D" * 10, 5, 1),  # no room for live sound
        ("D" * 10 + "?" * 10 + "D" * 10, 5, 2),
        ("D" * 10 + "?" * 25 + "D" * 10, 5, 3),
        ("L" * 10 + "?" * 40 + "L" * 10, 25, 1),
    ],
)
def test_the_most_outages_that_can_be_hidden(story: str, shortest: int, most: int) -> None:
    seen = np.array([letter == "D" for letter in story])
    hidden = np.array([letter == "?" for letter in story])
    assert outages.most_in(seen, hidden, shortest) == most


def call(called: int, **events: int | None) -> Call:
    heard = events.get("live")
    return Call(called, called + 20, events.get("audio"), heard, heard, called + 400, lost=events.get("lost"))


def test_newcomers_count_where_it_is_settled_how_they_fared() -> None:
    well, deaf, lost = call(800, audio=850, live=860), call(1000), call(1200, lost=1260)
    early, late = call(740, audio=745, live=748), call(3700)
    built = room(mask([]), calls=(early, well, deaf, lost, late))
    assert truth.figure(built, ARRIVAL_AUDIBLE) == pytest.approx(1 / 3)
    assert truth.possible(built, ARRIVAL_AUDIBLE) == pytest.approx((1 / 3, 2 / 3))
    assert truth.before(built, ARRIVAL_AUDIBLE) == pytest.approx((1.0, 1.0))
    assert truth.figure(built, TIME_TO_FIRST_AUDIO) == math.inf


def test_a_relapse_that_is_hidden_is_no_recovery_unless_others_could_have_seen_it() -> None:
    asked = Asked(RECOVERY_TIME, 10.0, least=False)
    relapse = [(750, 1000), (2500, 2600)]
    all_blind = room(mask(relapse, relapse), asked, hidden=mask([(2490, 2610)], [(2490, 2610)]))
    assert judging.judge(all_blind).verdict is Verdict.INCONCLUSIVE
    one_blind = room(mask(relapse, [(750, 1000)]), asked, hidden=mask([(2490, 2610)], []))
    judged = judging.judge(one_blind)
    assert judged.verdict is Verdict.PASSED
    assert comparing.unseen(one_blind, judged)
    assert not comparing.wrong(one_blind, judged)


def test_a_wrong_and_a_needless_answer_are_found() -> None:
    built = room(mask([(750, 2250)], []), Asked(AUDIBLE_RATIO, 0.8, least=True))
    right = judging.judge(built)
    assert not comparing.wrong(built, right)
    turned = dataclasses.replace(built, asked=(Asked(AUDIBLE_RATIO, 0.7, least=True),))
    assert comparing.wrong(turned, right)
    assert comparing.needless(built, judging.Judged(Verdict.INCONCLUSIVE, right.expectations))
    broken = room(mask([(0, 700)], []), Asked(AUDIBLE_RATIO, 0.8, least=True))
    assert comparing.forbidden(broken, comparing.LIMIT)
    assert comparing.wrong(broken, judging.Judged(Verdict.PASSED, judging.judge(broken).expectations))


def test_the_rooms_are_of_all_kinds() -> None:
    """Every indicator whose truth is known is asked for, and everything that can be hidden is."""
    rooms = [drawing.draw(7, number) for number in range(400)]
    assert {asked.indicator for each in rooms for asked in each.asked} == set(truth.KNOWN)
    assert any(each.later for each in rooms)
    assert any(each.absences for each in rooms)
    assert any(call.lost is not None for each in rooms for call in each.calls)
    assert any(each.untold.any() for each in rooms)
    assert any(each.offline.any() for each in rooms)
    assert any(len(each.asked) > 1 for each in rooms)
    assert any((each.deaf & each.hidden)[:, each.times.lifted :].any() for each in rooms), "outages are hidden"
    assert min(len(each.deaf) for each in rooms) == 1
    assert max(len(each.deaf) for each in rooms) > 100
    assert all(last - first >= 1 for each in rooms[:50] for row in each.deaf for first, last in runs(row))
