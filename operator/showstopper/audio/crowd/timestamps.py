"""From the kernel's time stamps, which are wall clock, to the monotonic clock, also when the wall clock steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

import numpy as np

from showstopper.audio.crowd.packets import Floats, Ints

READINGS = 5
STEP_SECONDS = 0.005
"""From this on a difference between two readings is a step: NTP slews by at most 0.5 ms a second."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment, in nanoseconds."""

    monotonic: int
    wall: int

    @classmethod
    def now(cls) -> Self:
        """The reading that took the least time of some: this process may be interrupted within one."""
        best: tuple[int, int, int] | None = None
        for _ in range(READINGS):
            before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
            if best is None or after - before < best[0]:
                best = after - before, (before + after) // 2, wall
        assert best is not None
        return cls(best[1], best[2])

    @property
    def offset(self) -> int:
        """Wall minus monotonic, in nanoseconds."""
        return self.wall - self.monotonic


def stepped(before: Reading, now: Reading) -> bool:
    """Whether the wall clock has stepped between two readings."""
    return abs(now.offset - before.offset) > STEP_SECONDS * 1e9


def monotonic_seconds(stamps: Ints, before: Reading, now: Reading) -> Floats:
    """Monotonic seconds of stamps that were taken between two readings.

    Args:
        stamps: nanoseconds of the wall clock.
        before: the reading at the last sweep.
        now: the reading at this one.

    Where the clock has stepped in between, a stamp belongs to whichever side of the step lies nearer to that stretch.
    """
    new = stamps - now.offset
    if not stepped(before, now):
        return np.asarray(new * 1e-9)
    old = stamps - before.offset
    return np.asarray(np.where(_outside(new, before, now) <= _outside(old, before, now), new, old) * 1e-9)


def _outside(times: Ints, before: Reading, now: Reading) -> Ints:
    """Nanoseconds by which each lies outside of the stretch between two readings."""
    return np.maximum(np.maximum(before.monotonic - times, times - now.monotonic), 0)
