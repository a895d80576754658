"""Waiting for a state, with a deadline and a message."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 90.0
"""Longer than anything takes, on a machine that has other work, too."""

LOOK_SECONDS = 0.02


async def until(what: str, holds: Callable[[], bool]) -> None:
    """Wait until it holds. `what` says in a failure what did not come to be."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:g} s: {what}"
        await asyncio.sleep(LOOK_SECONDS)
