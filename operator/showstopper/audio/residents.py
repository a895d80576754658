"""Residents stay for the whole run: the SDK mends what it can, and when it gives up they join afresh, for ever."""

from __future__ import annotations

import asyncio
import time

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from showstopper.audio.client import POLL_SECONDS, Client
from showstopper.audio.crew import Crew
from showstopper.audio.crowd.rules import PING_SECONDS
from showstopper.audio.session import JoinError

log = structlog.get_logger()

SHORT_SECONDS = 2.0
PAUSE_SECONDS = 1.0
"""Who is thrown out as soon as it is in waits before it comes again: a probe must not be the storm."""

JOIN_SECONDS = 60.0
"""Longer than the SDK tries a join by itself: its own time-outs decide."""


JOINS_APART_SECONDS = 0.5
"""Between the first joins of neighbours. Six are in after 2.5 s, while a host that began with them plays hold music."""


def first_join(index: int) -> float:
    """Seconds that a resident waits before its first join, by its number in the fleet: pods need not ask each other.

    Pings go on from the join, and what a dead relay's listeners miss depends on when their next ping is due (see
    `crowd/rules.py`). So a fleet's first joins go round the ping's interval in steps, and each further round divides
    the steps of those before it (by a van der Corput sequence).
    """
    turns, place = divmod(index, round(PING_SECONDS / JOINS_APART_SECONDS))
    return JOINS_APART_SECONDS * (place + _van_der_corput(turns))


def _van_der_corput(number: int) -> float:
    """The number's binary digits, mirrored at the point: 1/2, 1/4, 3/4, 1/8, ... from 1 on."""
    return int(f"{number:b}"[::-1], 2) / (1 << number.bit_length())


async def reside(crew: Crew, index: int) -> None:
    """One resident. It leaves when it is cancelled."""
    await asyncio.sleep(first_join(index))
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
