"""A stranger on stage, as a process: it joins as the host does, and makes noise instead of the time code."""

from __future__ import annotations

import asyncio
import os

import numpy as np
from livekit import rtc

from showstopper.audio import serving
from showstopper.audio.host.onstage import OnStage
from showstopper.audio.host.speaker import BLOCK, FRAME, RATE, StandIn, Voice
from showstopper.audio.settings import RoomSettings

LOUDNESS = 3000


class Noise(Voice):
    """White noise, at about -21 dBFS."""

    def _block(self, due: float, stand_in: StandIn | None) -> list[rtc.AudioFrame]:
        samples = np.random.default_rng().normal(0, LOUDNESS, (BLOCK, FRAME)).astype(np.int16)
        return [rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME) for frame in samples]


async def _main() -> None:
    voice = Noise(hold_seconds=0)
    async with asyncio.TaskGroup() as group:
        group.create_task(voice.speak())
        group.create_task(OnStage(RoomSettings.read(os.environ), voice, identity="stranger").stay())


if __name__ == "__main__":
    serving.configure_logs()
    serving.run(_main())
