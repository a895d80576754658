"""Sessions of a client that is played: the SDK gets stuck in a race, which a test cannot call for."""

import asyncio
import inspect
from typing import Any, cast

import pytest
from livekit import rtc

from showstopper.audio import session
from showstopper.audio.session import Session


class StuckRoom:
    """As the SDK's room whose reader waits for ever: its disconnect waits for that reader."""

    def __init__(self) -> None:
        self._task = asyncio.create_task(asyncio.Event().wait())

    def on(self, *_: Any) -> None:
        """Nothing is told."""

    async def disconnect(self) -> None:
        await self._task


class DisconnectedRoom(StuckRoom):
    """One that leaves at once; its reader still reads the last events."""

    async def disconnect(self) -> None:
        """Done."""


async def test_a_session_that_does_not_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LEAVE_SECONDS", 0.05)
    room = StuckRoom()
    await Session(cast("rtc.Room", room)).leave()
    await asyncio.wait({room._task}, timeout=10)
    assert room._task.cancelled()
    async with asyncio.timeout(10):
        while session._abandoned:
            await asyncio.sleep(0)


async def test_a_session_that_ends_is_left_to_the_sdk() -> None:
    room = DisconnectedRoom()
    await Session(cast("rtc.Room", room)).leave()
    await asyncio.sleep(0)
    assert not room._task.done()
    room._task.cancel()


def test_the_sdk_still_has_the_task_that_is_cut_off() -> None:
    """Another version may name it otherwise: then sessions pile up again, until the host is killed for its memory."""
    assert "self._task = self._loop.create_task(self._listen_task())" in inspect.getsource(rtc.Room.connect)
