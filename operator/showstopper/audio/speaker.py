"""The speaker's voice: hold music, then the time code, each sample made for the moment at which it is captured."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import numpy as np
from livekit import rtc

from showstopper.audio import timecode, wall_clock

RATE = 16000
FRAME_SECONDS = 0.01
"""What the encoder takes at once. Without a queue the SDK takes nothing else."""

FRAME = int(RATE * FRAME_SECONDS)
BLOCK = 10
"""Frames that are computed at once: the sines cost half of all the host's Python if each frame computes its own."""

CATCH_UP_SECONDS = 0.2
"""Frames later than this are left out instead of sent in a burst: old code would only fill the listeners' buffers."""

MOST_STALLS = 1000
"""Stalls that are kept."""

FULL_SCALE = 32767


class Voice:
    """Feeds one audio source without a queue in between: what is captured is encoded at once, so nothing can drift."""

    def __init__(self, hold_seconds: float) -> None:
        """It plays hold music for `hold_seconds` from its first appearance on. Later appearances do not wait for it."""
        self.hold_until: float | None = None
        self.stalls: deque[tuple[float, float]] = deque(maxlen=MOST_STALLS)
        self._hold_seconds = hold_seconds
        self.source = rtc.AudioSource(RATE, 1, queue_size_ms=0)

    def begin(self) -> None:
        """The room takes the sound now."""
        if self.hold_until is None:
            self.hold_until = time.monotonic() + self._hold_seconds

    async def speak(self) -> None:
        """Speak until cancelled."""
        due = time.monotonic()
        while True:
            for frame in self._block(due):
                await self.source.capture_frame(frame)
                due += FRAME_SECONDS
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            if (now := time.monotonic()) - due > CATCH_UP_SECONDS:
                self.stood_still(due, now)
                due = now

    def stood_still(self, start: float, end: float) -> None:
        """Nothing was said in [start, end) of the monotonic clock, for this process got no time."""
        self.stalls.append((start, end))

    def _block(self, due: float) -> list[rtc.AudioFrame]:
        """The next 100 ms, of which the first sample is to be captured at monotonic time `due`."""
        holding = self.hold_until is None or due < self.hold_until
        encode = timecode.encode_hold if holding else timecode.encode
        samples = encode(wall_clock.at(due), FRAME * BLOCK, RATE)
        frames = (samples * FULL_SCALE).astype(np.int16).reshape(BLOCK, FRAME)
        return [rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME) for frame in frames]
