"""Which replicas a door asks, and that it asks on whatever they answer."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit.protocol.room import ListRoomsResponse

from showstopper.audio.door import counting
from showstopper.audio.door.counts import Counts
from showstopper.audio.door.tallies import Tally
from tests.audio.door.build import made
from tests.audio.door.test_counts import room

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "EVERY_SECONDS", 0.01)


async def counted(counts: Counts, *peers: str, livekit: str = NOWHERE) -> None:
    """Count until something is known of the room."""
    settings = replace(made().settings, api_url=livekit, peers=peers)
    task = asyncio.create_task(counting.keep_counting(settings, counts))
    async with asyncio.timeout(30):
        while "stage" not in counts.tallies:
            assert not task.done(), task
            await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_other_replicas_are_asked_again_whatever_they_answer_at_first() -> None:
    answers = [web.Response(status=500), web.json_response([]), web.json_response({"rooms": {"stage": {}}})]
    other = Counts(["stage"])
    other.polled([room(people=5)], 100.0)

    async def tallies(_: web.Request) -> web.Response:
        return answers.pop(0) if answers else web.json_response(other.document())

    app = web.Application()
    app.router.add_get("/v1/tallies", tallies)
    counts = Counts(["stage"])
    async with TestServer(app) as server:
        await counted(counts, str(server.make_url("/")).rstrip("/"))
    assert counts.tallies == {"stage": Tally(1, "RM_a", peak=5, joins=5)}
    assert counts.count("stage") is None, "how many are in now, LiveKit alone tells"


async def test_livekit_is_asked_again_when_it_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "TIMEOUT_SECONDS", 0.2)
    asked = 0

    async def rooms(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.sleep(60)
        return web.Response(body=ListRoomsResponse(rooms=[room(people=5)]).SerializeToString())

    app = web.Application()
    app.router.add_post("/twirp/livekit.RoomService/ListRooms", rooms)
    counts = Counts(["stage"])
    async with TestServer(app) as server:
        await counted(counts, livekit=str(server.make_url("/")).rstrip("/"))
    assert asked > 1
    known = counts.count("stage")
    assert known is not None
    assert known.now == 5


def test_a_door_does_not_ask_itself() -> None:
    settings = made().settings
    assert counting._own_host(settings, "http://door-1.doors:8090") == "door-0.doors"
    assert counting._own_host(settings, "http://door-0.doors:8090") == "door-0.doors"
