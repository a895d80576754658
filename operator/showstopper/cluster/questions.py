"""One question to a pod or a door over HTTP. Whoever answers is not trusted: answers are bounded, redirects refused."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from showstopper.clock import Clock
from showstopper.errors import ShowstopperError


class BadAnswer(ShowstopperError):
    """Something else was answered than what was asked for. The message goes on after the words "the answer"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and when it was asked for and began to come, in unix seconds of our clock."""

    content: bytes
    asked: float
    answered: float

    @property
    def at(self) -> float:
        """When it was given, to within half of the way there and back."""
        return (self.asked + self.answered) / 2

    @property
    def error(self) -> float:
        """By how much `at` can be wrong, in seconds."""
        return (self.answered - self.asked) / 2


async def ask(
    session: aiohttp.ClientSession, clock: Clock, url: str, *, at_most: int, headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer to a GET, of so many bytes at most.

    Raises:
        BadAnswer: it has another HTTP status than 200, or is too large.
        aiohttp.ClientError, TimeoutError, OSError: when nobody answers.
    """
    began = time.monotonic()
    async with session.get(url, allow_redirects=False, headers=headers) as response:
        answered = clock.now()
        asked = answered - (time.monotonic() - began)  # a step of our clock is no part of the way
        if response.status != 200:
            raise BadAnswer(f"has HTTP status {response.status}")
        content = bytearray()
        async for part in response.content.iter_any():
            content += part
            if len(content) > at_most:
                raise BadAnswer(f"is larger than {at_most} bytes")
    return Answer(bytes(content), asked, answered)
