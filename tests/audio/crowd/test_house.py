"""A house without listeners: how long it is waited for, and by what it ends."""

import asyncio

import pytest

from showstopper.audio.crowd.house import House


async def test_it_is_waited_for_what_is_waited_for() -> None:
    async with House(1) as house:
        await house.until(asyncio.sleep(0.12))
        assert house.latest_sweep_seconds > 0
        assert house.present == 0


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
