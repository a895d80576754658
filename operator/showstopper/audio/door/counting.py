"""Counting: asks LiveKit and the other replicas of the door, once a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlsplit

import aiohttp
import structlog
from livekit import api

from showstopper.audio.door.counts import Counts
from showstopper.audio.door.settings import DoorSettings

log = structlog.get_logger()

EVERY_SECONDS = 1.0
TIMEOUT_SECONDS = 3.0
"""For one question as a whole. LiveKit's client overrides a session's own limit with none (livekit-api 1.2.2,
twirp_client.py), so that a relay that dies without a word would be waited for until the kernel gives up."""


async def keep_counting(settings: DoorSettings, counts: Counts) -> None:
    """Ask until cancelled. Who does not answer is asked again, and what was known before stays."""
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        livekit = api.LiveKitAPI(settings.api_url, settings.key, settings.secret, session=session)
        group.create_task(_ask_on("livekit", partial(_poll, livekit, counts)))
        for peer in settings.peers:
            if urlsplit(peer).hostname != _own_host(settings, peer):
                group.create_task(_ask_on(peer, partial(_ask_peer, session, peer, counts)))


def _own_host(settings: DoorSettings, peer: str) -> str:
    """The host that a peer's address would have if it were this door's own: its pod's name, then the same domain."""
    return ".".join([settings.name, *(urlsplit(peer).hostname or "").split(".")[1:]])


async def _ask_on(whom: str, ask: Callable[[], Awaitable[None]]) -> None:
    trouble = ""
    while True:
        began = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await ask()
        except (api.ServerError, aiohttp.ClientError, TimeoutError, OSError) as error:
            if not trouble:
                trouble = str(error) or type(error).__name__
                log.warning("not_counted", whom=whom, problem=trouble)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if not trouble:
                trouble = repr(error)
                log.warning("answer_not_understood", whom=whom, problem=trouble)
        else:
            if trouble:
                log.info("counted_again", whom=whom)
            trouble = ""
        await asyncio.sleep(max(0.0, began + EVERY_SECONDS - time.monotonic()))


async def _poll(livekit: api.LiveKitAPI, counts: Counts) -> None:
    answer = await livekit.room.list_rooms(api.ListRoomsRequest(names=list(counts.rooms)))
    counts.polled(answer.rooms, time.time())


async def _ask_peer(session: aiohttp.ClientSession, peer: str, counts: Counts) -> None:
    async with session.get(f"{peer}/v1/tallies") as answer:
        answer.raise_for_status()
        counts.merge(await answer.json())
