"""Arrivals join afresh, listen for some seconds and leave: some failures only newcomers can hear."""

from __future__ import annotations

import asyncio
import time

import structlog

from showstopper.audio.listener.client import Client
from showstopper.audio.listener.crew import Crew
from showstopper.audio.listener.residents import follow
from showstopper.audio.session import JoinError
from showstopper.audio.spans import Visit
from showstopper.availability.spans import Span

log = structlog.get_logger()


async def visit(crew: Crew, number: int) -> None:
    """One arrival, from its call to its leaving. Cancelled, it leaves at once."""
    client = crew.arrival(number)
    called = time.monotonic()
    joined, error = None, ""
    following = asyncio.create_task(follow(crew, client))
    try:
        try:
            await client.join(client.name, crew.settings.arrival_stay)
            joined = time.monotonic()
            await asyncio.sleep(called + crew.settings.arrival_stay - time.monotonic())
        except JoinError as failure:
            error = str(failure) or "the join failed"
            log.warning("arrival_failed", listener=client.name, error=error)
    finally:
        following.cancel()
        left = time.monotonic()
        crew.left(client, await _last(client, called, joined, left, error))


async def _last(client: Client, called: float, joined: float | None, left: float, error: str) -> list[Span | Visit]:
    spans = await client.leave(left)
    story = client.story
    return [*spans, Visit(client.name, called, joined, story.first_sound, story.first_live, left, error)]
