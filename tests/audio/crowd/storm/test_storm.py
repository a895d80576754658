"""Storms at a server that is played: who comes when, who is let in, and how it ends."""

import asyncio
import dataclasses
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from livekit.protocol import rtc

from showstopper.audio.crowd.refusals import Loss, Refusal, Refused
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.storm import storm as storm_module
from showstopper.audio.crowd.storm.shape import StormShape
from showstopper.audio.crowd.storm.storm import Storm
from showstopper.audio.crowd.storm.tally import Tally
from showstopper.audio.settings import RoomSettings
from showstopper.errors import SettingsError
from showstopper.faults.storm.settings import Comeback, Depth
from tests.audio.crowd.played_server import PlayedServer, played, response

SHORT = Limits(signalling=2.0, response=0.3, media=0.5)
BRIEF = StormShape(8, listen_seconds=0.1)
CALLERS = dataclasses.replace(BRIEF, depth=Depth.SIGNALLING)
NOWHERE = RoomSettings("storm", "ws://127.0.0.1:1", "room", "key", "secret-secret-secret-secret-secret")
NOBODYS = RoomSettings("", "ws://127.0.0.1:1", "", "", "")
JOIN = response(join=rtc.JoinResponse())


@pytest.fixture
async def server() -> AsyncIterator[PlayedServer]:
    async with played() as running:
        yield running


async def test_all_are_let_in_and_say_goodbye(server: PlayedServer) -> None:
    storm = Storm(server.room, BRIEF)
    tally = await storm.run()
    assert (tally.let_in, tally.refused, tally.unknown, tally.heard) == (8, {}, 0, 0)
    assert 0 < storm.cpu_seconds < time.process_time()
    assert 0 < storm.busy < 1.5
    assert tally.is_as_asked
    assert tally.upgraded is not None
    assert tally.connected is not None
    assert tally.upgraded.count == tally.connected.count == 8
    assert 0 < tally.upgraded.p50 < tally.connected.longest
    assert tally.first_packet is None
    assert server.joins == 8


async def test_who_wants_no_sound_is_let_in_without_a_transport(server: PlayedServer) -> None:
    server.has_udp = False
    tally = await Storm(server.room, CALLERS).run()
    assert (tally.let_in, tally.refused, tally.unknown) == (8, {}, 0)
    assert tally.upgraded is not None
    assert tally.connected is None


@pytest.mark.parametrize("shape", [BRIEF, CALLERS], ids=["full", "signalling"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 401}, Refusal.UNAUTHORIZED),
        ({"status": 404}, Refusal.NOT_FOUND),
        ({"status": 503}, Refusal.UNAVAILABLE),
        ({"status": 500}, Refusal.HTTP),
        ({"says": [b""]}, Refusal.TIMED_OUT),
        ({"says": [response(leave=rtc.LeaveRequest())]}, Refusal.TOLD_TO_LEAVE),
    ],
    ids=lambda value: "" if isinstance(value, Refusal) else str(value)[:20],
)
async def test_everybody_is_counted_at_the_first_try(
    server: PlayedServer, shape: StormShape, change: dict[str, Any], reason: Refusal
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    tally = await Storm(server.room, shape, limits=SHORT).run()
    assert tally.refused == {reason: 8}
    assert sum(tally.messages.values()) == 8
    assert server.joins == 8


async def test_a_server_that_is_not_there_refuses_everybody(server: PlayedServer) -> None:
    nowhere = dataclasses.replace(server.room, url="ws://127.0.0.1:1")
    tally = await Storm(nowhere, BRIEF).run()
    assert tally.refused == {Refusal.UNREACHABLE: 8}


async def test_they_come_at_the_pace_that_was_asked_for(server: PlayedServer) -> None:
    storm = Storm(server.room, StormShape(6, rate=20.0, ramp_seconds=0.1, listen_seconds=0.0))
    tally = await storm.run()
    called = [attempt.marks.called for attempt in storm.tries]
    assert all(attempt.marks.called >= attempt.due for attempt in storm.tries)
    assert called == sorted(called)
    assert tally.seconds >= storm.tries[-1].due - called[0]
    steps = [later.due - sooner.due for sooner, later in itertools.pairwise(storm.tries)]
    assert steps[-1] == pytest.approx(0.05)


async def test_it_ends_by_itself_and_who_is_not_through_is_unknown(
    server: PlayedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that is so busy that the limits of the joins do not hold."""
    server.says = [JOIN]
    monkeypatch.setattr(storm_module, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(StormShape, "longest", lambda *_: 0.0)
    began = time.monotonic()
    storm = Storm(server.room, BRIEF)
    tally = await storm.run()
    assert time.monotonic() - began < 5.0
    assert (tally.let_in, tally.refused, tally.unknown) == (0, {}, 8)
    assert 0 < storm.cpu_seconds < time.process_time()
    assert storm.busy > 0


async def left_when_all_are_in(storm: Storm, server: PlayedServer) -> Tally:
    """What comes of a storm whose server hangs up as soon as everybody is in."""

    async def hang_up() -> None:
        while not storm.tries or not all(attempt.is_in for attempt in storm.tries):
            await asyncio.sleep(0.01)
        await server.hang_up()

    hanging_up = asyncio.create_task(hang_up())
    tally = await storm.run()
    await hanging_up
    return tally


async def test_a_session_that_is_lost_again_is_counted(server: PlayedServer) -> None:
    tally = await left_when_all_are_in(Storm(server.room, StormShape(3, listen_seconds=1.0)), server)
    assert tally.let_in == 3
    assert tally.lost == {Loss.SIGNALLING_CLOSED: 3}


async def test_storms_do_not_throw_each_other_out() -> None:
    storms = [Storm(NOWHERE, BRIEF), Storm(NOWHERE, BRIEF), Storm(NOWHERE, BRIEF, name="visitors-1")]
    identities = [storm.identity(number) for storm in storms for number in range(BRIEF.visitors)]
    assert len(set(identities)) == 3 * BRIEF.visitors
    assert identities[-1] == "visitors-1/7"
    tokens = [await storm._tokens.token(storm.identity(number)) for storm in storms for number in range(BRIEF.visitors)]
    claims = [jwt.decode(each, options={"verify_signature": False}) for each in tokens]
    assert [claim["sub"] for claim in claims] == identities


async def test_a_defect_ends_it_loudly(server: PlayedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    storm = Storm(server.room, BRIEF)

    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(storm.swept, "sweep", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        await storm.run()


async def test_who_gets_no_token_is_refused_at_the_first_try(server: PlayedServer) -> None:
    class Shut:
        """A door that gives tokens to nobody."""

        async def token(self, identity: str) -> str:
            raise Refused(Refusal.UNAVAILABLE, f"no token for {identity}")

    tally = await Storm(server.room, BRIEF, tokens=Shut()).run()
    assert (tally.refused, tally.called, server.joins) == ({Refusal.UNAVAILABLE: 8}, 0, 0)


@pytest.mark.parametrize("status", [401, 404, 101])
async def test_a_call_without_a_token_is_taken_where_it_is_answered(server: PlayedServer, status: int) -> None:
    """LiveKit refuses it with 401: that is the answer of a server that is well."""
    server.status = status
    tally = await Storm(NOBODYS, dataclasses.replace(BRIEF, depth=Depth.WEB_SOCKET), urls=[server.room.url]).run()
    assert (tally.let_in, tally.refused, tally.unknown, server.joins) == (8, {}, 0, 8)
    assert tally.upgraded is not None
    assert tally.upgraded.count == 8


async def test_one_that_a_server_has_no_time_for_is_not(server: PlayedServer) -> None:
    server.status = 503
    tally = await Storm(NOBODYS, dataclasses.replace(BRIEF, depth=Depth.WEB_SOCKET), urls=[server.room.url]).run()
    assert (tally.let_in, tally.refused) == (0, {Refusal.UNAVAILABLE: 8})


async def test_a_plain_connection_is_held_to_the_end() -> None:
    held: list[asyncio.StreamWriter] = []
    listening = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    shape = StormShape(8, depth=Depth.TCP, seconds=1.0)
    running = asyncio.create_task(Storm(NOBODYS, shape, urls=[f"ws://127.0.0.1:{port}"]).run())
    await asyncio.sleep(0.7)
    assert len(held) == 8
    assert not any(writer.transport.is_closing() for writer in held)
    tally = await running
    assert (tally.let_in, tally.refused, tally.unknown) == (8, {}, 0)
    for writer in held:
        writer.close()
    listening.close()


async def test_connections_that_nobody_takes_are_refused() -> None:
    tally = await Storm(NOBODYS, StormShape(3, depth=Depth.TCP, seconds=0.5)).run()
    assert tally.refused == {Refusal.UNREACHABLE: 3}


def comeback(clients: int = 8, *, tries: int = 100, pause: float = 0.05, depth: Depth = Depth.FULL) -> StormShape:
    """Clients who are dropped after 0.6 s."""
    return StormShape(clients, depth=depth, seconds=2.5, comeback=Comeback(clients, 0.6, pause), tries=tries)


@pytest.mark.parametrize("depth", [Depth.FULL, Depth.SIGNALLING])
async def test_all_are_dropped_at_once_and_come_back_by_the_same_names(server: PlayedServer, depth: Depth) -> None:
    storm = Storm(server.room, comeback(depth=depth))
    tally = await storm.run()
    assert (storm.dropped, len(storm.back)) == (8, 8)
    assert (tally.called, tally.let_in, tally.refused, tally.unknown, server.joins) == (16, 16, {}, 0, 16)
    assert all(0 <= seconds < 1.5 for seconds in storm.back)
    async with asyncio.timeout(5):  # everybody has left, by the first connection as by the second
        while server.open:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("depth", [Depth.FULL, Depth.SIGNALLING])
async def test_who_has_lost_the_session_is_not_dropped_and_does_not_come_back(
    server: PlayedServer, depth: Depth
) -> None:
    storm = Storm(server.room, comeback(depth=depth))
    tally = await left_when_all_are_in(storm, server)
    assert (storm.dropped, storm.gone, storm.back) == (0, 8, [])
    assert (tally.called, server.joins) == (8, 8)


async def test_who_is_refused_tries_again_until_no_tries_are_left(server: PlayedServer) -> None:
    server.status = 503
    storm = Storm(server.room, comeback(tries=50, pause=0.01))
    tally = await storm.run()
    assert (storm.dropped, storm.back, tally.let_in) == (0, [], 0)
    assert (tally.called, server.joins) == (50, 50), "and not one more"
    assert tally.refused == {Refusal.UNAVAILABLE: 50}


async def test_who_is_refused_after_the_drop_insists_and_is_back_when_the_server_is(server: PlayedServer) -> None:
    storm = Storm(server.room, comeback(tries=1000))

    async def ail() -> None:
        while storm.dropped < 8:
            server.status = 101 if not storm.tries or not all(each.is_in for each in storm.tries[:8]) else 503
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        server.status = 101

    ailing = asyncio.create_task(ail())
    tally = await storm.run()
    await ailing
    assert (storm.dropped, len(storm.back), tally.let_in) == (8, 8, 16)
    assert tally.refused[Refusal.UNAVAILABLE] >= 8
    assert min(storm.back) >= 0.25
    assert tally.called == 16 + tally.refused[Refusal.UNAVAILABLE]


@pytest.mark.parametrize(
    "wrong",
    [
        {"tries": 15},
        {"seconds": None},
        {"seconds": 0.5},
        {"rate": 5.0},
        {"depth": Depth.TCP},
    ],
    ids=str,
)
def test_clients_who_could_not_come_back_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"clients who are dropped after 0\.6 s"):
        dataclasses.replace(comeback(), **wrong)
