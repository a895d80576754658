"""A sweep without listeners: how long it is waited for, and by what it ends."""

import asyncio
import itertools
import time

import pytest

from showstopper.audio import wall_clock
from showstopper.audio.crowd.matching.matcher import Matcher
from showstopper.audio.crowd.swept_listeners import SweptListeners
from showstopper.audio.hearing.classify import Rules


async def test_it_is_waited_for_what_is_waited_for() -> None:
    async with SweptListeners(1) as swept:
        await swept.until(asyncio.sleep(0.12))
        assert swept.latest_sweep_seconds > 0
        assert swept.present == 0


@pytest.mark.parametrize("failure", ["drops", "clock_steps"])
async def test_what_its_own_instrument_missed_it_was_blind_for_since_the_sweep_before(
    monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    """A buffer that was full is known by the next packet, which came after what was in it had been read."""
    swept = SweptListeners(1)
    swept.sweep()
    began = time.monotonic()
    swept.sweep()
    assert not swept.blind
    monkeypatch.setattr(SweptListeners, failure, property(lambda _: next(counted)))
    counted = itertools.count(1)
    swept.sweep()
    ended = time.monotonic()
    monkeypatch.setattr(SweptListeners, failure, 1)
    swept.sweep()
    ((start, end),) = swept.blind
    assert start <= began < end <= ended


@pytest.mark.parametrize("failure", ["drops", "clock_steps"])
async def test_what_was_noticed_while_one_listener_was_read_makes_it_blind_all_the_same(
    monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    swept = SweptListeners(1)
    swept.sweep()
    monkeypatch.setattr(SweptListeners, failure, 1)
    swept.sweep()
    assert len(swept.blind) == 1


class DoubtfulMatcher(Matcher):
    """It found once that samples had told what was not so."""

    def __init__(self) -> None:
        super().__init__(1, Rules(), wall_clock.at, whole=[])
        self.unopened = 5
        self.doubted = [(990.0, 991.0)]

    def doubts(self) -> list[tuple[float, float]]:
        doubts, self.doubted = self.doubted, []
        return doubts


async def test_what_its_matcher_doubts_everybody_is_unknown_in() -> None:
    swept = SweptListeners(1, DoubtfulMatcher())
    swept.sweep()
    swept.sweep()
    assert list(swept.blind) == [(990.0, 991.0)]
    assert (swept.doubts, swept.unopened) == (1, 5)
    assert (SweptListeners(1).doubts, SweptListeners(1).unopened) == (0, 0)


async def test_what_it_is_waited_for_may_fail() -> None:
    async def fails() -> None:
        raise ValueError("no")

    async with SweptListeners(1) as swept:
        with pytest.raises(ValueError, match="no"):
            await swept.until(fails())


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

    swept = SweptListeners(1)
    monkeypatch.setattr(swept, "sweep", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        async with swept:
            await swept.until(for_ever())
    assert ended
