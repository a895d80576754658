"""Watching: every object of a kind as it changes, for ever, and honest about what was only listed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from enum import Enum, auto
from typing import Any, cast

import structlog

from showstopper.cluster.client import Client
from showstopper.cluster.kinds import Kind
from showstopper.errors import ClusterError

log = structlog.get_logger()

Object = dict[str, Any]
Key = tuple[str, str]

# A connection that was cut without a word looks like one on which nothing happens: it is made anew.
SILENCE_SECONDS = 60.0
AGAIN_SECONDS = 0.5


class Seen(Enum):
    """How an object was seen."""

    LISTED = auto()  # it is so now, for who knows how long
    CHANGED = auto()  # it has become so just now
    DELETED = auto()
    SYNCED = auto()  # of no object: all that there is was listed


def key(body: Object) -> Key:
    """Namespace and name."""
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


async def changes(
    client: Client,
    kind: Kind,
    namespace: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    silence: float = SILENCE_SECONDS,
) -> AsyncIterator[tuple[Seen, Object]]:
    """What there is, and then every change. What went while nobody watched is DELETED before SYNCED."""
    known: dict[str, Object] = {}
    while True:
        listed: dict[str, Object] = {}
        try:
            watch = client.watch(kind, namespace, labels=labels, fields=fields, marks=True)
            async with aclosing(cast("AsyncGenerator[tuple[str, Object]]", watch)) as stream:
                while True:
                    # Not wait_for: until Python 3.12 it loses a cancellation that comes together with a change.
                    async with asyncio.timeout(silence):
                        event, body = await anext(stream)
                    match event:
                        case "SYNCED":
                            for gone in known.keys() - listed.keys():
                                yield Seen.DELETED, known[gone]
                            known, listed = listed, {}
                            yield Seen.SYNCED, {}
                        case "LISTED":
                            listed[body["metadata"]["uid"]] = body
                            yield Seen.LISTED, body
                        case "DELETED":
                            if known.pop(body["metadata"]["uid"], None):
                                yield Seen.DELETED, body
                        case _:
                            known[body["metadata"]["uid"]] = body
                            yield Seen.CHANGED, body
        except TimeoutError:
            continue
        except ClusterError as error:
            log.warning("watch_broken", kind=kind.name, error=str(error))
            await asyncio.sleep(AGAIN_SECONDS)
