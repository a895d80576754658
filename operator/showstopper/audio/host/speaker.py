"""The speaker's voice: hold music, then the time code, each sample made for the moment at which it is captured.

A fault of the host puts another sound in their place for a while (`StandIn`). It ends by itself: whoever put it there
may be late, or gone.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

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

Sound = Callable[[float, int, int], timecode.Samples]
"""Makes so many samples (in -1..1) at a rate, from a moment on, in seconds since the epoch. See `timecode.encode`."""


@dataclass
class StandIn:
    """A sound that is sent in the place of what the host would say, until a monotonic time.

    Attributes:
        sound: makes it.
        until: from then on the voice says again what it would.
        frames: how many were sent while the room took the host's sound.
    """

    sound: Sound
    until: float
    frames: int = 0

    @property
    def seconds(self) -> float:
        """How much of it was sent while the room took the host's sound."""
        return self.frames * FRAME_SECONDS


class Voice:
    """Feeds one audio source without a queue in between: what is captured is encoded at once, so nothing can drift."""

    def __init__(self, hold_seconds: float) -> None:
        """It plays hold music for `hold_seconds` from its first appearance on. Later appearances do not wait for it."""
        self.hold_until: float | None = None
        self.stalls: deque[tuple[float, float]] = deque(maxlen=MOST_STALLS)
        self.stand_in: StandIn | None = None
        self.on_air = False
        self._hold_seconds = hold_seconds
        self.source = rtc.AudioSource(RATE, 1, queue_size_ms=0)

    def begin(self) -> None:
        """The room takes the sound now."""
        self.on_air = True
        if self.hold_until is None:
            self.hold_until = time.monotonic() + self._hold_seconds

    def end(self) -> None:
        """The room takes it no more."""
        self.on_air = False

    async def speak(self) -> None:
        """Speak until cancelled."""
        due = time.monotonic()
        while True:
            stand_in = self._in_place()
            for frame in self._block(due, stand_in):
                await self.source.capture_frame(frame)
                if stand_in is not None and self.on_air:
                    stand_in.frames += 1
                due += FRAME_SECONDS
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if self._in_place() is not stand_in:
                    break
            if (now := time.monotonic()) - due > CATCH_UP_SECONDS:
                self.stood_still(due, now)
                due = now

    def stood_still(self, start: float, end: float) -> None:
        """Nothing was said in [start, end) of the monotonic clock, for this process got no time."""
        self.stalls.append((start, end))

    def _in_place(self) -> StandIn | None:
        """What is said now in the place of what would be."""
        return self.stand_in if self.stand_in is not None and time.monotonic() < self.stand_in.until else None

    def _own(self, due: float) -> Sound:
        """What it would say: hold music, then the time code."""
        holding = self.hold_until is None or due < self.hold_until
        return timecode.encode_hold if holding else timecode.encode

    def _block(self, due: float, stand_in: StandIn | None) -> list[rtc.AudioFrame]:
        """The next 100 ms, of which the first sample is to be captured at monotonic time `due`."""
        sound = stand_in.sound if stand_in is not None else self._own(due)
        samples = sound(wall_clock.at(due), FRAME * BLOCK, RATE)
        frames = (samples * FULL_SCALE).astype(np.int16).reshape(BLOCK, FRAME)
        return [rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME) for frame in frames]
