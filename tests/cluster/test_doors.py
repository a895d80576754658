"""One question to a door for its count. The doors here are real HTTP servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.doors import NoCount, read_count
from tests.audio.door.build import made, opened
from tests.audio.door.test_counts import room


async def read(url: str) -> tuple[float, int]:
    async with listeners.session() as session:
        return await read_count(session, Clock(), url)


@asynccontextmanager
async def door(answer: web.StreamResponse) -> AsyncIterator[str]:
    """A door that always answers so."""

    async def rooms(_: web.Request) -> web.StreamResponse:
        return answer

    app = web.Application()
    app.router.add_get("/rooms/stage", rooms)
    async with TestServer(app) as server:
        yield str(server.make_url("/rooms/stage"))


async def test_what_our_own_door_shows_is_read_and_when() -> None:
    shown = made()
    shown.counts.polled([room(people=7, speakers=1)], 100.0)
    before = Clock().now()
    async with opened(shown) as http:
        at, count = await read(str(http.make_url("/rooms/stage")))
    assert count == 6
    assert before <= at <= Clock().now()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (web.json_response({"error": "this room is not available"}, status=404), "HTTP status 404"),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}), "HTTP status 302"),
        (web.json_response({"listeners": 6}), 'no whole number at "listeners.now"'),
        (web.Response(text="six"), "Expecting value"),
        (web.Response(body=b" " * (1 << 17)), "larger than"),
        (web.Response(text="[" * 60_000), "recursion"),
        (web.Response(text='{"listeners": {"now": 1%s}}' % ("0" * 400)), "that can be a count"),
    ],
    ids=["no such room", "elsewhere", "another form", "words", "too long", "too deep", "too many"],
)
async def test_whatever_else_is_answered_is_no_count(answer: web.StreamResponse, says: str) -> None:
    async with door(answer) as url:
        with pytest.raises(NoCount, match=says):
            await read(url)


async def test_each_question_may_reach_another_replica() -> None:
    ports = set()

    async def rooms(request: web.Request) -> web.Response:
        assert request.transport
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.json_response({"listeners": {"now": 6}})

    app = web.Application()
    app.router.add_get("/rooms/stage", rooms)
    async with TestServer(app) as server, listeners.session() as session:
        for _ in range(3):
            await read_count(session, Clock(), str(server.make_url("/rooms/stage")))
    assert len(ports) == 3, "over connections of their own"


async def test_a_door_that_is_not_there_is_told_by_the_client() -> None:
    with pytest.raises(aiohttp.ClientError):
        await read("http://127.0.0.1:9/rooms/stage")
