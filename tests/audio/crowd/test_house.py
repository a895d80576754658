"""A house without listeners: how long it is waited for, and by what it ends."""

import asyncio
import itertools
import time

import pytest

from showstopper.audio import wall_clock
from showstopper.audio.classify import Rules
from showstopper.audio.crowd.house import House
from showstopper.audio.crowd.matching.ears import Ears


async def test_it_is_waited_for_what_is_waited_for() -> None:
    async with House(1) as house:
        await house.until(asyncio.sleep(0.12))
        assert house.latest_sweep_seconds > 0
        assert house.present == 0


@pytest.mark.parametrize("failure", ["drops", "clock_steps"])
async def test_what_its_own_instrument_missed_it_was_blind_for_since_the_sweep_before(
    monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    """A buffer that was full is known by the next packet, which came after what was in it had been read."""
    house = House(1)
    house.sweep()
    began = time.monotonic()
    house.sweep()
    assert not house.blind
    monkeypatch.setattr(House, failure, property(lambda _: next(counted)))
    counted = itertools.count(1)
    house.sweep()
    ended = time.monotonic()
    monkeypatch.setattr(House, failure, 1)
    house.sweep()
    ((start, end),) = house.blind
    assert start <= began < end <= ended


@pytest.mark.parametrize("failure", ["drops", "clock_steps"])
async def test_what_was_noticed_while_one_listener_was_read_makes_it_blind_all_the_same(
    monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    house = House(1)
    house.sweep()
    monkeypatch.setattr(House, failure, 1)
    house.sweep()
    assert len(house.blind) == 1


class DoubtfulEars(Ears):
    """They found once that samples had told what was not so."""

    def __init__(self) -> None:
        super().__init__(1, Rules(), wall_clock.at, whole=[])
        self.unopened = 5
        self.found = [(990.0, 991.0)]

    def doubts(self) -> list[tuple[float, float]]:
        found, self.found = self.found, []
        return found


async def test_what_its_ears_doubt_everybody_is_unknown_in() -> None:
    house = House(1, DoubtfulEars())
    house.sweep()
    house.sweep()
    assert list(house.blind) == [(990.0, 991.0)]
    assert (house.doubts, house.unopened) == (1, 5)
    assert (House(1).doubts, House(1).unopened) == (0, 0)


async def test_what_it_is_waited_for_may_fail() -> None:
    async def fails() -> None:
        raise ValueError("no")

    async with House(1) as house:
        with pytest.raises(ValueError, match="no"):
            await house.until(fails())


async def test_a_defect_in_a_sweep_ends_the_wait_and_what_was_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = False

    async def for_ever() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(3600)
        finally:
            ended = True

    def broken() -> None:
        raise RuntimeError("a defect")

    house = House(1)
    monkeypatch.setattr(house, "sweep", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        async with house:
            await house.until(for_ever())
    assert ended
