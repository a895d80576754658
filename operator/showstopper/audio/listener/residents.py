"""Residents stay for the whole run: the SDK mends what it can, and when it gives up they join afresh, for ever."""

from __future__ import annotations

import asyncio
import time

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from showstopper.audio.listener.client import POLL_SECONDS, Client
from showstopper.audio.listener.crew import Crew
from showstopper.audio.pings import ping_phase
from showstopper.audio.session import JoinError

log = structlog.get_logger()

SHORT_SECONDS = 2.0
PAUSE_SECONDS = 1.0
"""Who is thrown out as soon as it is in waits before it comes again: a probe must not be the storm."""

JOIN_SECONDS = 60.0
"""Longer than the SDK tries a join by itself: its own time-outs decide."""


async def reside(crew: Crew, index: int) -> None:
    """One resident. It leaves when it is cancelled."""
    await asyncio.sleep(ping_phase(index))
    client = crew.resident(index)
    telling = asyncio.create_task(follow(crew, client))
    try:
        while True:
            await _join(client)
            joined = time.monotonic()
            await client.lost()
            log.info("lost_the_room", listener=client.name)
            if time.monotonic() - joined < SHORT_SECONDS:
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        telling.cancel()
        crew.left(client, await client.leave(time.monotonic()))


async def _join(client: Client) -> None:
    """Join, and try again until it works, at most 5 s apart."""
    retrying = AsyncRetrying(
        wait=wait_random_exponential(multiplier=0.25, max=5),
        retry=retry_if_exception_type(JoinError),
        before_sleep=lambda state: _failed(client, state),
    )
    async for attempt in retrying:
        with attempt:
            await client.join(client.name, JOIN_SECONDS)


def _failed(client: Client, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("join_failed", listener=client.name, attempt=state.attempt_number, error=str(error))


async def follow(crew: Crew, client: Client) -> None:
    """Read a client's statistics and record its spans and counts, four times a second, until cancelled."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        await client.poll()
        crew.record(client.tell())
        crew.record(client.count())
