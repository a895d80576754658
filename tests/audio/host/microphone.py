"""A microphone for tests: it takes frames as the SDK's source does, and keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import numpy as np
from livekit import rtc

from showstopper.audio.host.speaker import Voice
from showstopper.audio.timecode import Samples


class Microphone:
    """Keeps what is captured."""

    def __init__(self) -> None:
        self.frames: list[Samples] = []

    async def capture_frame(self, frame: Any) -> None:
        self.frames.append(np.frombuffer(bytes(frame.data), np.int16).astype(np.float32) / np.float32(32767))

    async def after(self, frames: int) -> list[Samples]:
        """The frames from now on, once there are so many."""
        begin = len(self.frames)
        async with asyncio.timeout(10):
            while len(self.frames) < begin + frames:
                await asyncio.sleep(0.005)
        return self.frames[begin:]


def is_silent(frame: Samples) -> bool:
    return not np.any(frame)


@asynccontextmanager
async def speaking(hold_seconds: float = 0.0) -> AsyncIterator[tuple[Voice, Microphone]]:
    """A voice on the air, and what it says."""
    voice, microphone = Voice(hold_seconds), Microphone()
    voice.source = cast("rtc.AudioSource", microphone)
    voice.begin()
    task = asyncio.create_task(voice.speak())
    try:
        yield voice, microphone
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
