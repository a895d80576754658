"""How listeners join, are refused, are lost and come back, with a server that is played."""

import asyncio
import dataclasses
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from livekit.protocol import models, rtc

from showstopper.audio.crowd import member, rules, swept_listeners
from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.diary import Event
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.crowd.rules import Limits
from tests.audio.crowd import certificates
from tests.audio.crowd.played_server import PlayedServer, played, response
from tests.support.waiting import until

SHORT = Limits(signalling=2.0, response=0.3, media=0.5)
JOIN = response(join=rtc.JoinResponse())


@pytest.fixture
async def server() -> AsyncIterator[PlayedServer]:
    async with played() as running:
        yield running


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are drawn, but short."""
    monkeypatch.setattr(member, "_draw", lambda: 0.02)
    monkeypatch.setattr(member, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(rules, "RESUMED_SECONDS", 0.1)


def crowd_of(server: PlayedServer, limits: Limits | None = None, size: int = 1) -> Crowd:
    return Crowd(server.room, size, spread_seconds=0.0, limits=limits)


def told(crowd: Crowd) -> list[tuple[Event, str]]:
    return [(entry.event, entry.reason) for entry in crowd.diary]


async def test_everybody_is_let_in_once_and_says_goodbye(server: PlayedServer) -> None:
    async with crowd_of(server, size=5) as crowd:
        await crowd.all_tried()
        assert told(crowd) == [(Event.JOINED, "")] * 5
        assert crowd.present == 5
        marks = [listener.marks for slot in range(5) if (listener := crowd.listener(slot))]
        assert all(mark.called < mark.upgraded <= mark.joined <= mark.connected <= mark.secured for mark in marks)
    await until("all have hung up", lambda: not server.open)
    assert server.joins == 5


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "ws://localhost"), ("::1", "ws://[::1]"), ("127.0.0.1", "wss://localhost"), ("::1", "wss://[::1]")],
)
async def test_by_name_over_tls_and_over_ipv6(
    host: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CA of one's own is found as OpenSSL finds it. Media goes over the family of the signalling."""
    file = certificates.signed_by_itself(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    async with played(host, context if url.startswith("wss") else None) as server:
        room = dataclasses.replace(server.room, url=f"{url}:{server.port}")
        async with Crowd(room, 2, spread_seconds=0.0) as crowd:
            await crowd.all_tried()
            assert told(crowd) == [(Event.JOINED, "")] * 2
            listener = crowd.listener(0)
            assert listener is not None
            assert listener.session is not None
            assert listener.session.transport.address[0] == host


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 401}, Refusal.UNAUTHORIZED),
        ({"status": 404}, Refusal.NOT_FOUND),
        ({"status": 503}, Refusal.UNAVAILABLE),
        ({"status": 500}, Refusal.HTTP),
        ({"says": [b""]}, Refusal.TIMED_OUT),
        ({"says": [JOIN]}, Refusal.TIMED_OUT),
        ({"says": [JOIN, b"\x1a\xff\xff"]}, Refusal.NONSENSE),
        ({"says": [response(offer=rtc.SessionDescription(type="offer", sdp="v=0", id=1))]}, Refusal.NONSENSE),
        ({"says": [response(leave=rtc.LeaveRequest())]}, Refusal.TOLD_TO_LEAVE),
        ({"has_udp": False}, Refusal.NO_UDP),
        ({"fingerprint": "sha-256 AB:CD"}, Refusal.HANDSHAKE),
    ],
    ids=lambda value: "" if isinstance(value, Refusal) else next(f"{key} {each!r}"[:40] for key, each in value.items()),
)
async def test_whatever_the_server_does_wrong_is_a_reason(
    server: PlayedServer, change: dict[str, object], reason: Refusal
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    async with crowd_of(server, SHORT) as crowd:
        await crowd.all_tried()
        assert crowd.diary[0].event is Event.REFUSED
        assert crowd.diary[0].reason == reason, crowd.diary[0].message
        assert crowd.present == 0


async def test_who_was_refused_tries_again_until_it_is_in(server: PlayedServer) -> None:
    server.status = 503
    async with crowd_of(server) as crowd:
        await until("three tries", lambda: server.joins >= 3)
        server.status = 101
        await until("in", lambda: crowd.present == 1)
        assert told(crowd)[-1] == (Event.JOINED, "")


async def lose(server: PlayedServer, crowd: Crowd, **leave: Any) -> None:
    """Wait until it is in, and end its session by a word, or by hanging up."""
    await until("in", lambda: crowd.present == 1)
    if leave:
        await server.say(leave=rtc.LeaveRequest(**leave))
    await server.hang_up()


async def test_a_lost_session_is_sought_once_and_then_joined_afresh(server: PlayedServer) -> None:
    server.knows = False
    async with crowd_of(server) as crowd:
        await lose(server, crowd)
        await until("in again", lambda: told(crowd).count((Event.JOINED, "")) == 2)
        expected = [(Event.LOST, Loss.SIGNALLING_CLOSED), (Event.REFUSED, Refusal.CLOSED), (Event.JOINED, "")]
        assert told(crowd)[1:] == expected
        assert (server.joins, server.resumes) == (2, 1)


async def test_a_resumed_session_without_a_living_transport_is_joined_afresh(server: PlayedServer) -> None:
    """The server that is played sends nothing more over it."""
    async with crowd_of(server) as crowd:
        await lose(server, crowd)
        await until("in again", lambda: told(crowd).count((Event.JOINED, "")) == 2)
        assert told(crowd)[1:] == [(Event.LOST, Loss.SIGNALLING_CLOSED), (Event.JOINED, "")]
        assert (server.joins, server.resumes) == (2, 1)


async def test_who_is_told_to_reconnect_does_not_resume(server: PlayedServer) -> None:
    async with crowd_of(server) as crowd:
        await lose(server, crowd, action=rtc.LeaveRequest.RECONNECT, reason=models.DisconnectReason.SERVER_SHUTDOWN)
        await until("in again", lambda: told(crowd).count((Event.JOINED, "")) == 2)
        assert told(crowd)[1] == (Event.LOST, Loss.TOLD_TO_LEAVE)
        assert crowd.diary[1].message == "SERVER_SHUTDOWN"
        assert (server.joins, server.resumes) == (2, 0)


async def test_after_a_refused_key_the_client_gives_up_and_the_member_goes_on(server: PlayedServer) -> None:
    async with crowd_of(server) as crowd:
        server.resume_status = 401
        server.status = 101
        await lose(server, crowd)
        await until("in again", lambda: told(crowd).count((Event.JOINED, "")) == 2)
        assert (Event.REFUSED, Refusal.UNAUTHORIZED) in told(crowd)
        assert (server.joins, server.resumes) == (2, 1)


async def test_nonsense_in_a_session_loses_it(server: PlayedServer) -> None:
    server.knows = False
    async with crowd_of(server) as crowd:
        await until("in", lambda: crowd.present == 1)
        await server.say(offer=rtc.SessionDescription(type="offer", sdp="nonsense", id=2))
        await until("in again", lambda: told(crowd).count((Event.JOINED, "")) == 2)
        assert told(crowd)[1] == (Event.LOST, Loss.NONSENSE)


async def test_a_relay_that_is_silent_loses_its_listeners_and_a_stall_of_ours_does_not(
    server: PlayedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("showstopper.audio.crowd.liveness.FAILED_SECONDS", 0.4)
    monkeypatch.setattr(swept_listeners, "STALL_SECONDS", 0.2)
    async with crowd_of(server) as crowd:
        await until("in", lambda: crowd.present == 1)
        time.sleep(0.7)  # noqa: ASYNC251 - the whole process stands still
        crowd.sweep()
        await asyncio.sleep(0)
        assert told(crowd) == [(Event.JOINED, "")]
        assert len(crowd.stalls) >= 1
        await until("lost", lambda: (Event.LOST, Loss.TRANSPORT_FAILED) in told(crowd))
