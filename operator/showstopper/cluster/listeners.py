"""Listeners: how the pods of a room's fleet are found, and one question to one of them about what it heard or said."""

import json
from collections.abc import Mapping

import aiohttp

from showstopper.api.schema.base import GROUP
from showstopper.availability.crowd_feed import CrowdReader
from showstopper.availability.errors import FeedError
from showstopper.availability.feed import Feed, parse_feed
from showstopper.availability.hosts import HostFeed, parse_host
from showstopper.clock import Clock
from showstopper.cluster import questions
from showstopper.cluster.questions import Answer, BadAnswer

ROOM_LABEL = f"{GROUP}/room"
ROLE_LABEL = f"{GROUP}/role"
LISTENER = "listener"
CROWD = "crowd"
HOST = "host"
PORT = 8090

TIMEOUT_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 15.0
LARGEST_ANSWER = 16 * 2**20
"""An hour of a pod's ring is about 9 MB with the most residents that a pod has, mostly of statistics, and 1.5 MB with
the usual three. A pod that sends more than this is no listener of ours."""


def session() -> aiohttp.ClientSession:
    """The connections to listener pods, kept alive between two questions."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS, use_dns_cache=False)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    return aiohttp.ClientSession(
        connector=connector, timeout=timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    )


async def read(
    session: aiohttp.ClientSession, clock: Clock, *, room: str, pod: str, address: str, port: int, after: int
) -> Feed:
    """What a pod of that room has heard after that number.

    Raises:
        FeedError: when it answers something else.
        aiohttp.ClientError, TimeoutError, OSError: when it does not answer.
    """
    return read_feed(pod, room, await _ask(session, clock, pod, _url(address, port, f"/v1/spans?after={after}")))


async def read_crowd(
    session: aiohttp.ClientSession,
    clock: Clock,
    reader: CrowdReader,
    *,
    room: str,
    pod: str,
    address: str,
    port: int,
    after: int,
) -> Feed:
    """What the crowd in a pod of that room has heard after that number. The reader is the room's.

    Raises:
        FeedError: when it answers something else.
        aiohttp.ClientError, TimeoutError, OSError: when it does not answer.
    """
    answer = await _ask(session, clock, pod, _url(address, port, f"/v1/crowd?after={after}"))
    document, there = _read_document(pod, answer.content)
    feed = reader.read(document, pod, answer.at - there, answer.error)
    if feed.room != room:
        raise FeedError(pod, "room", f'is "{feed.room}", not "{room}"')
    return feed


async def read_host(session: aiohttp.ClientSession, clock: Clock, *, pod: str, address: str, port: int) -> HostFeed:
    """What a host says of itself.

    Raises:
        FeedError: when it answers something else.
        aiohttp.ClientError, TimeoutError, OSError: when it does not answer.
    """
    answer = await _ask(session, clock, pod, _url(address, port, "/v1/host"))
    document, there = _read_document(pod, answer.content)
    return parse_host(document, pod, answer.at - there, answer.error)


def _url(address: str, port: int, path: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}{path}"


async def _ask(session: aiohttp.ClientSession, clock: Clock, pod: str, url: str) -> Answer:
    try:
        return await questions.ask(session, clock, url, at_most=LARGEST_ANSWER)
    except BadAnswer as error:
        raise FeedError(pod, "the answer", str(error)) from error


def read_feed(pod: str, room: str, answer: Answer) -> Feed:
    """The feed in an answer.

    Raises:
        FeedError: when it is no feed, or another pod's or room's.
    """
    document, there = _read_document(pod, answer.content)
    feed = parse_feed(document, answer.at - there, answer.error)
    if (feed.pod, feed.room) != (pod, room):
        raise FeedError(pod, "pod and room", f'are "{feed.pod}" and "{feed.room}", not "{pod}" and "{room}"')
    return feed


def _read_document(pod: str, content: bytes) -> tuple[object, float]:
    """The document in an answer, and what the pod's monotonic clock showed."""
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FeedError(pod, "the answer", f"is no JSON: {error}") from error
    reading = document.get("clock") if isinstance(document, Mapping) else None
    monotonic = reading.get("monotonic") if isinstance(reading, Mapping) else None
    # What is no number is left to whoever reads the whole of it to complain about.
    return document, float(monotonic) if isinstance(monotonic, int | float) else 0.0


def trouble(error: Exception) -> str:
    """What hindered a question, in a sentence, for errors that `read` raises."""
    if isinstance(error, FeedError):
        return f"span feed: {error.field}: {error.problem}"
    return f"does not answer: {str(error) or type(error).__name__}"
