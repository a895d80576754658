"""How a listener gets in: by its own signature, or by what any door answers. The doors here are real HTTP servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api, rtc

from showstopper.audio import entrance
from showstopper.audio.entrance import Ticket, TurnedAway
from showstopper.audio.session import JoinError, Session, Watcher
from showstopper.audio.settings import RoomSettings
from tests.audio.door.build import KEY, SECRET, made, opened

ROOM = RoomSettings("main-stage", "ws://127.0.0.1:9", "stage", KEY, SECRET)


@asynccontextmanager
async def door(answer: web.Response | None) -> AsyncIterator[tuple[str, list[Any]]]:
    """A door that always answers so (None: never), and what it was asked for."""
    asked: list[Any] = []

    async def token(request: web.Request) -> web.Response:
        asked.append(await request.json())
        if answer is None:
            await asyncio.Event().wait()
        assert answer is not None
        return answer

    app = web.Application()
    app.router.add_post("/api/token", token)
    async with TestServer(app) as server:
        yield str(server.make_url("/api/token")), asked


async def test_our_own_door_gives_a_token_for_the_listener() -> None:
    async with opened(made()) as http:
        ticket = await entrance.ask(str(http.make_url("/token")), "stage", "main-stage-listeners-0/1", seconds=5)
    assert ticket.url == "ws://relay:7880"
    claims = api.TokenVerifier(KEY, SECRET).verify(ticket.token)
    assert claims.identity == "main-stage-listeners-0/1"
    assert "hush" not in repr(ticket)
    assert ticket.token not in repr(ticket)


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "document",
    [
        {"server_url": "wss://elsewhere", "participant_token": "ey", "room_name": "stage"},
        {"serverUrl": "wss://elsewhere", "participantToken": "ey"},
    ],
    ids=["snake case", "camel case"],
)
async def test_anybody_s_door_is_asked_in_the_form_of_the_sdks(status: int, document: Any) -> None:
    async with door(web.json_response(document, status=status)) as (url, asked):
        assert await entrance.ask(url, "stage", "ann", seconds=5) == Ticket("wss://elsewhere", "ey")
    assert asked == [{"room_name": "stage", "participant_identity": "ann"}]


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (web.json_response({"error": "this room is not available"}, status=503), 503, "HTTP 503: this room is not"),
        (web.Response(text="slow down\n", status=429), 429, "the door answered HTTP 429: slow down$"),
        (web.Response(status=403), 403, "the door answered HTTP 403$"),
        (web.json_response({"token": "ey"}), 200, "without server_url and participant_token"),
        (web.Response(text="<html>"), 200, "without server_url and participant_token"),
        (web.Response(body=b"x" * (1 << 17)), 200, "without server_url and participant_token"),
    ],
    ids=["not available", "too often", "forbidden", "another form", "a page", "too long"],
)
async def test_who_is_turned_away_knows_by_which_answer(answer: web.Response, status: int, says: str) -> None:
    async with door(answer) as (url, _):
        with pytest.raises(TurnedAway, match=says) as refused:
            await entrance.ask(url, "stage", "ann", seconds=5)
    assert refused.value.status == status


async def test_a_door_that_does_not_answer_is_not_waited_for() -> None:
    async with door(None) as (url, _):
        with pytest.raises(TurnedAway, match=r"did not answer within 0\.2 s"):
            await entrance.ask(url, "stage", "ann", seconds=0.2)
    with pytest.raises(TurnedAway, match="the door did not answer: "):
        await entrance.ask("http://127.0.0.1:9/token", "stage", "ann", seconds=5)


class Nobody:
    """Nothing happens in a session that there is none of."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_: None


async def join(settings: RoomSettings, *, publish: bool = False) -> Session:
    return await Session.join(settings, "ann", cast("Watcher", Nobody()), publish=publish, seconds=5)


def through(url: str) -> RoomSettings:
    return RoomSettings("main-stage", "ws://127.0.0.1:9", "stage", KEY, SECRET, door=url)


async def test_a_join_that_the_door_refuses_fails_with_its_words() -> None:
    async with door(web.json_response({"error": "this room is not available"}, status=503)) as (url, _):
        with pytest.raises(JoinError, match="the door answered HTTP 503: this room is not available"):
            await join(through(url))


async def test_a_listener_joins_where_the_door_says_and_the_host_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    joined: list[tuple[str, str]] = []

    async def connect(_: rtc.Room, url: str, token: str, __: Any) -> None:
        joined.append((url, token))

    monkeypatch.setattr(rtc.Room, "connect", connect)
    async with door(web.json_response({"server_url": "ws://there", "participant_token": "ey"})) as (url, asked):
        await join(through(url))
        await join(through(url), publish=True)
        await join(ROOM)
    assert joined[0] == ("ws://there", "ey")
    assert [where for where, _ in joined[1:]] == ["ws://127.0.0.1:9"] * 2
    assert len(asked) == 1
