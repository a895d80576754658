"""Supervision: work that goes on for ever, and begins again after an error that nobody foresaw."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


async def for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run the work again whenever it ends or fails, with growing pauses, until cancelled.

    A CancelledError that nobody asked for (of a future that was shared with somebody who was cancelled) is a failure
    too: a task group would take the task for ended, and say nothing.
    """
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None
    pause = FIRST_PAUSE
    while True:
        began = loop.time()
        try:
            await work()
        except (Exception, asyncio.CancelledError) as error:  # one room's must end neither others nor the operator
            if isinstance(error, asyncio.CancelledError) and me.cancelling():
                raise
            log.exception("work_failed", work=name, pause_seconds=pause)
        if loop.time() - began > LONGEST_PAUSE:
            pause = FIRST_PAUSE
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
