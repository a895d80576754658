"""Doors: the public number of listeners of a room, as whoever has it shows it."""

import json

import aiohttp

from showstopper.availability.counts import parse_count
from showstopper.clock import Clock
from showstopper.cluster import questions
from showstopper.cluster.questions import BadAnswer
from showstopper.errors import ShowstopperError

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
"""A connection that is kept leads to the same replica behind a Service for ever, however long that one has no count."""

LARGEST_ANSWER = 64 << 10


class NoCount(ShowstopperError):
    """What was answered is no count. The message says what it is."""


async def read_count(session: aiohttp.ClientSession, clock: Clock, url: str) -> tuple[float, int]:
    """When it was shown, to within half of the way there and back, and how many listeners there were said to be.

    Raises:
        NoCount: when something else is answered.
        aiohttp.ClientError, TimeoutError, OSError: when nobody answers.
    """
    try:
        answer = await questions.ask(session, clock, url, at_most=LARGEST_ANSWER, headers=HEADERS)
        return answer.at, parse_count(json.loads(answer.content))
    except BadAnswer as error:
        raise NoCount(f"{url}: the answer {error}") from error
    except (ValueError, RecursionError) as error:  # lists in lists in lists
        raise NoCount(f"{url}: {error}") from error
