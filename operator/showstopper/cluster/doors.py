"""Doors: the public number of listeners of a room, as whoever has it shows it."""

import json
import time

import aiohttp

from showstopper.availability.counts import parse_count
from showstopper.clock import Clock
from showstopper.errors import ShowstopperError

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
LARGEST_ANSWER = 64 << 10


class NoCount(ShowstopperError):
    """What was answered is no count. The message says what it is."""


async def read_count(session: aiohttp.ClientSession, clock: Clock, url: str) -> tuple[float, int]:
    """When it was shown, to within half of the way there and back, and how many listeners there were said to be.

    Raises:
        NoCount: when something else is answered.
        aiohttp.ClientError, TimeoutError, OSError: when nobody answers.
    """
    began = time.monotonic()
    async with session.get(url, allow_redirects=False, headers=HEADERS) as response:
        answered = clock.now()
        asked = answered - (time.monotonic() - began)  # a step of our clock is no part of the way
        if response.status != 200:
            raise NoCount(f"{url}: the answer has HTTP status {response.status}")
        content = bytearray()
        async for part in response.content.iter_any():
            content += part
            if len(content) > LARGEST_ANSWER:
                raise NoCount(f"{url}: the answer is larger than {LARGEST_ANSWER} bytes")
    try:
        return (asked + answered) / 2, parse_count(json.loads(content))
    except ValueError as error:
        raise NoCount(f"{url}: {error}") from error
