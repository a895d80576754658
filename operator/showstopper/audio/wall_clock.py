"""The wall clock, by which host and listeners compare their times."""

from __future__ import annotations

import time


def at(monotonic: float) -> float:
    """What it shows at a monotonic time."""
    return monotonic + time.time() - time.monotonic()
