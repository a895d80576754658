"""When the residents of a fleet join for the first time."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crew import Crew
from showstopper.audio.crowd.rules import PING_SECONDS
from showstopper.audio.residents import JOINS_APART_SECONDS, first_join, reside


class Entered(Exception):
    """A resident was let in."""


class Door:
    """A crew that nobody comes into."""

    def resident(self, _index: int) -> None:
        raise Entered


def longest_pause(pings: list[float]) -> float:
    """The longest time in which nobody pings, of pings that each come once in an interval."""
    return max(later - before for before, later in pairwise([*sorted(pings), min(pings) + PING_SECONDS]))


@given(st.integers(1, 10))
def test_a_small_fleet_is_in_as_soon_as_its_pings_differ(size: int) -> None:
    joins = [first_join(index) for index in range(size)]
    assert joins == sorted(joins)
    assert joins[-1] == JOINS_APART_SECONDS * (size - 1)


def test_nobody_waits_for_longer_than_until_the_next_ping_and_no_two_join_together() -> None:
    joins = [first_join(index) for index in range(5000)]
    assert min(joins) == 0
    assert max(joins) < PING_SECONDS
    assert len(set(joins)) == len(joins)


@given(st.integers(10, 3000))
def test_a_fleet_of_any_size_pings_all_the_time(size: int) -> None:
    pings = [first_join(index) for index in range(size)]
    assert longest_pause(pings) <= JOINS_APART_SECONDS + 1e-9
    assert longest_pause(pings) < 4 * PING_SECONDS / size + 1e-9


async def test_a_resident_is_nobody_before_its_turn() -> None:
    began = time.monotonic()
    with pytest.raises(Entered):
        await reside(cast("Crew", Door()), 0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await reside(cast("Crew", Door()), 1)
    with pytest.raises(Entered):
        await reside(cast("Crew", Door()), 1)
    assert time.monotonic() - began > 0.1 + first_join(1)
