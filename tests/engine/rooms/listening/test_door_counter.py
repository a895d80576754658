"""DoorCounter: what a room's door shows is kept, and why it shows nothing is said."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from showstopper.api.room import AudioRoom
from showstopper.availability.counts import CountSample
from showstopper.availability.spans import Window
from showstopper.clock import Clock
from showstopper.cluster import doors, listeners
from showstopper.cluster.doors import NoCount
from showstopper.engine.rooms.listening import door_counter
from showstopper.engine.rooms.listening.door_counter import DoorCounter
from tests.engine.rooms.build import room

COUNTS = "http://door:8090/rooms/main-stage"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked. The second answer is none."""
    urls: list[str] = []

    async def read_count(_: Any, __: Any, url: str) -> tuple[float, int]:
        urls.append(url)
        if len(urls) == 2:
            raise NoCount(f"{url}: the answer has HTTP status 503")
        return float(len(urls)), 10 * len(urls)

    monkeypatch.setattr(door_counter, "EVERY_SECONDS", 0.001)
    monkeypatch.setattr(doors, "read_count", read_count)
    return urls


async def counted(here: AudioRoom, asked: list[str], times: int) -> tuple[DoorCounter, list[str]]:
    """Ask so often. Returns the problems that there were, too."""
    problems: list[str] = []
    async with listeners.session() as session:
        counter = DoorCounter(Clock(), session)
        task = asyncio.create_task(counter.run(lambda: here))
        async with asyncio.timeout(30):
            while len(asked) < times:
                problems.append(counter.problem)
                await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return counter, problems


async def test_what_is_shown_is_kept_and_what_goes_wrong_is_said_as_long_as_it_does(asked: list[str]) -> None:
    here = room(door={"url": "http://door:8090/token", "counts": COUNTS})
    counter, problems = await counted(here, asked, 4)
    assert set(asked) == {COUNTS}
    kept = counter.log.within(Window(0, 3.5))
    assert kept == (CountSample(1.0, 10), CountSample(3.0, 30))
    assert f"the door's count: {COUNTS}: the answer has HTTP status 503" in problems
    assert not counter.problem


@pytest.mark.parametrize("door", [{}, {"door": {"url": "http://door:8090/token"}}], ids=["no door", "no count"])
async def test_nobody_is_asked_without_a_count(asked: list[str], door: dict[str, Any]) -> None:
    async with listeners.session() as session:
        counter = DoorCounter(Clock(), session)
        await counter._ask(room(**door))
    assert not asked
    assert not counter.problem
