"""The probe's own lag: how late its loop wakes, and when it stood still so long that it cannot say what was heard."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

TICK_SECONDS = 0.05
BLIND_SECONDS = 0.25
"""A loop later than this makes the stretch Unknown: the sound is counted in samples, which survives less."""


class Lag:
    """Watches the loop that it runs in."""

    def __init__(self, blind: Callable[[float, float], None]) -> None:
        """`blind` is told of each stretch in which the loop stood still."""
        self._blind = blind
        self._recent: deque[tuple[float, float]] = deque()

    def worst(self, now: float) -> float:
        """The worst lag in seconds since a second ago."""
        return max((late for at, late in self._recent if now - at <= 1.0), default=0.0)

    def woke(self, slept_at: float, now: float) -> None:
        """The loop slept at `slept_at` for a tick and woke at `now`."""
        late = max(0.0, now - slept_at - TICK_SECONDS)
        self._recent.append((now, late))
        while now - self._recent[0][0] > 1.0:
            self._recent.popleft()
        if late > BLIND_SECONDS:
            self._blind(slept_at, now)

    async def watch(self) -> None:
        """Watch for ever."""
        while True:
            slept_at = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            self.woke(slept_at, time.monotonic())
