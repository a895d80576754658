"""A host's place in a room that is played: it joins and leaves at once, and nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from showstopper.audio.host.onstage import OnStage, _Contact
from showstopper.audio.host.speaker import Voice
from showstopper.audio.session import Session
from showstopper.audio.settings import RoomSettings

ROOM = RoomSettings("main-stage", "ws://relay:7880", "main", "key", "secret")


class PlayedSession:
    """A session of which nothing is known, as of a busy SDK, and which is left at once."""

    def __init__(self, stage: PlayedStage) -> None:
        self.lost = asyncio.Event()
        self._stage = stage

    async def statistics(self) -> list[Any] | None:
        return None

    async def leave(self) -> None:
        self._stage.left += 1


class PlayedStage(OnStage):
    """Counts how often the host has joined and left."""

    def __init__(self, voice: Voice) -> None:
        super().__init__(ROOM, voice, "host-1")
        self.joined = self.left = 0

    async def _joined(self) -> _Contact:
        self.joined += 1
        contact = _Contact()
        contact.session = cast("Session", PlayedSession(self))
        return contact


@asynccontextmanager
async def on_stage(voice: Voice) -> AsyncIterator[PlayedStage]:
    """A host that is in the room."""
    stage = PlayedStage(voice)
    task = asyncio.create_task(stage.stay())
    await until(stage, inside=True)
    try:
        yield stage
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(stage: OnStage, *, inside: bool) -> None:
    """Wait until the host is in the room, or out of it."""
    async with asyncio.timeout(10):
        while stage.published is not inside:
            await asyncio.sleep(0.005)
