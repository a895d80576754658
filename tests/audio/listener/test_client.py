"""What a listener reads of its session's statistics when that session breaks. The session is played."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import pytest
from livekit.rtc._proto import stats_pb2

from showstopper.audio.hearing.classify import Rules
from showstopper.audio.listener.client import Client
from showstopper.audio.media import PACKET_SECONDS
from showstopper.audio.session import Session
from showstopper.audio.settings import RoomSettings
from showstopper.availability.spans import Kind

ROOM = RoomSettings("main-stage", "ws://relay:7880", "stage", "key", "hush")


class PlayedSession:
    """Packets every 20 ms since it began. What it says of them is as old as asked for, and nothing once it is over."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.over = False
        self.ages: list[float] = []
        """How old the next answers are, in seconds. The ones after these are new."""
        self.delays: list[float] = []
        """Seconds until the next answers come."""

    async def statistics(self) -> list[Any] | None:
        at = time.monotonic() - (self.ages.pop(0) if self.ages else 0.0)
        if self.delays:
            await asyncio.sleep(self.delays.pop(0))
        return None if self.over else [self.said(at)]

    def said(self, at: float) -> Any:
        entry = stats_pb2.RtcStats()
        rtp = entry.inbound_rtp
        packets = int((at - self.began) / PACKET_SECONDS)
        rtp.rtc.timestamp = round(at * 1e6)
        rtp.stream.kind = "audio"
        rtp.inbound.last_packet_received_timestamp = (self.began + packets * PACKET_SECONDS) * 1e3
        rtp.received.packets_received = packets
        return entry


@pytest.fixture
async def session() -> PlayedSession:
    return PlayedSession()


@pytest.fixture
async def client(session: PlayedSession) -> Client:
    client = Client(ROOM, "p-0/0", Kind.RESIDENT, Rules())
    client._session = cast("Session", session)
    await asyncio.sleep(0.1)
    await client.poll()
    return client


def end_of_media(client: Client) -> float:
    """When the last packet came, as far as it knows half a second later."""
    now = time.monotonic()
    client.media.polled(now + 0.5, [])
    ((start, _),) = client.media.absences(client.sampled_at - 0.2, now + 0.5)
    return start - PACKET_SECONDS


async def test_it_looks_at_once_when_the_session_breaks_for_its_statistics_end_with_it(
    client: Client, session: PlayedSession
) -> None:
    await asyncio.sleep(0.15)
    broke_at = time.monotonic()
    client.reconnecting()
    await asyncio.sleep(0.02)
    session.over = True
    assert end_of_media(client) > broke_at - 0.05


async def test_it_looks_again_when_the_sdk_repeats_an_older_report(client: Client, session: PlayedSession) -> None:
    await asyncio.sleep(0.15)
    session.ages = [0.04]
    broke_at = time.monotonic()
    client.reconnecting()
    async with asyncio.timeout(10):
        while client.sampled_at <= broke_at:
            await asyncio.sleep(0.01)


async def test_an_answer_that_another_has_overtaken_is_not_taken(client: Client, session: PlayedSession) -> None:
    session.delays = [0.1]
    late = asyncio.create_task(client.poll())
    await asyncio.sleep(0.05)
    await client.poll()
    newest, received = client.sampled_at, client.totals().received
    await late
    assert (client.sampled_at, client.totals().received) == (newest, received)


async def test_packets_of_which_it_was_told_no_track_make_it_ask_for_the_tracks_again(
    client: Client, session: PlayedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("showstopper.audio.listener.client.DEAF_SECONDS", 0.2)
    asked = list[float]()
    session.subscribe_again = lambda: asked.append(time.monotonic())  # type: ignore[attr-defined]
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        await asyncio.sleep(0.05)
        await client.poll()
    assert 1 <= len(asked) <= 2
    assert asked[0] - began > 0.1


async def test_without_packets_nothing_is_asked_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("showstopper.audio.listener.client.DEAF_SECONDS", 0.0)
    at = client.sampled_at
    for step in range(1, 10):
        client._look_for_tracks(at + step, packets_came=False)
    assert client._deaf_since is None
