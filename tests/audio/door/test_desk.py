"""Who is turned away while the room is not available."""

import asyncio
import dataclasses
import time

import pytest

from showstopper.audio.door.counts import Count
from showstopper.audio.door.desk import Desk, Miscounting, Unavailable
from showstopper.audio.door.skewing import Skew

PEOPLE = [f"listener-{number}" for number in range(1000)]


def closed(share: float = 1.0, wait: float = 0.0, seconds: float = 60.0) -> Unavailable:
    return Unavailable(share, wait, time.monotonic() + seconds)


async def test_nobody_is_turned_away_without_a_fault() -> None:
    assert not await Desk().turns_away("ann")


async def test_all_are_turned_away_and_counted() -> None:
    desk = Desk(closed())
    assert desk.unavailable is not None
    assert [await desk.turns_away(person) for person in PEOPLE[:3]] == [True] * 3
    assert (desk.unavailable.asked, desk.unavailable.answered) == (3, 3)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
async def test_a_share_is_turned_away_the_same_people_each_time_and_at_each_replica(share: float) -> None:
    desks = [Desk(closed(share)), Desk(closed(share))]
    first, second = [[await desk.turns_away(person) for person in PEOPLE] for desk in desks]
    assert first == second == [await desks[0].turns_away(person) for person in PEOPLE]
    assert sum(first) == pytest.approx(share * len(PEOPLE), abs=50)


async def test_it_says_so_after_a_while() -> None:
    began = time.monotonic()
    assert await Desk(closed(wait=0.2)).turns_away("ann")
    assert time.monotonic() - began >= 0.19


async def test_who_waits_when_it_ends_is_let_in_at_once() -> None:
    desk = Desk(fault := closed(wait=60.0))
    waiting = asyncio.create_task(desk.turns_away("ann"))
    await asyncio.sleep(0)
    fault.end()
    assert not await asyncio.wait_for(waiting, 5)
    assert (fault.asked, fault.answered) == (1, 0)


COUNT = Count(now=6, peak=8, cumulative=20, measured_at=100.0)


def test_the_count_is_the_true_one_without_a_fault_and_after_it() -> None:
    assert Desk().shown("stage", COUNT) == COUNT
    desk = Desk(miscounting=Miscounting(Skew.MULTIPLIED, 10, time.monotonic() - 0.001))
    assert desk.shown("stage", COUNT) == COUNT
    assert desk.miscounting is not None
    assert desk.miscounting.asked == 0


def test_a_wrong_count_is_shown_and_one_that_happens_to_be_right_is_not_counted_as_wrong() -> None:
    fault = Miscounting(Skew.LEAVES_UNCOUNTED, 1, time.monotonic() + 60)
    desk = Desk(miscounting=fault)
    assert desk.shown("stage", COUNT) == COUNT
    assert (fault.asked, fault.answered) == (1, 0)
    left = dataclasses.replace(COUNT, now=5)
    assert desk.shown("stage", left).now == 6
    assert (fault.asked, fault.answered) == (2, 1)


async def test_it_ends_by_itself() -> None:
    fault = closed(seconds=-0.001)
    assert not await Desk(fault).turns_away("ann")
    assert fault.asked == 0
    late = closed(wait=0.1, seconds=0.05)
    assert not await Desk(late).turns_away("ann"), "it was over before the answer was due"
