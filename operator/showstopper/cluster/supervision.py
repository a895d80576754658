"""Supervision: work that goes on for ever, and begins again after an error that nobody foresaw."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


async def for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run the work again whenever it ends or fails, with growing pauses, until cancelled."""
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE
    while True:
        began = loop.time()
        try:
            await work()
        except Exception:  # an error of one room's work must end neither the other rooms nor the operator
            log.exception("work_failed", work=name, pause_seconds=pause)
        if loop.time() - began > LONGEST_PAUSE:
            pause = FIRST_PAUSE
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
