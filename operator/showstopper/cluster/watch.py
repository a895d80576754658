"""Watch: every object of a kind as it is, and then every change, for ever. Nothing is remembered here."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from enum import Enum, auto
from typing import Any

import structlog

from showstopper.cluster.client import Client, Object, selector
from showstopper.cluster.kinds import Kind
from showstopper.errors import ClusterError

log = structlog.get_logger()

Key = tuple[str, str]

SILENCE_SECONDS = 60.0
"""A connection that was cut without a word looks like one on which nothing happens."""

PAGE = 100
"""So many objects are held at a time. A run has 64 KiB at most, a pod with long annotations has more."""

# A watch that begins later than this after the one before it may have much to make up for.
BEGIN_SECONDS = 5.0
AGAIN_SECONDS = 0.5
LONGEST_AGAIN_SECONDS = 10.0
GONE = 410


class WatchEvent(Enum):
    """What a watch says, mostly of an object.

    LISTED and CHANGED differ in age: a renewal that was merely listed may have been made an hour ago.
    """

    LISTING = auto()  # of no object: a listing begins, and what an earlier one said counts no more
    LISTED = auto()  # it is so now, for who knows how long
    SYNCED = auto()  # of no object: everything was listed; the body has the listing's resourceVersion
    CHANGED = auto()  # it was created, or has become so, just now
    DELETED = auto()

    @property
    def exists(self) -> bool:
        """Whether it is of an object, and that exists."""
        return self in {WatchEvent.LISTED, WatchEvent.CHANGED}


def key_of(body: Mapping[str, Any]) -> Key:
    """Namespace and name."""
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


async def watch(
    client: Client,
    kind: Kind,
    namespace: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    page: int = PAGE,
    silence: float = SILENCE_SECONDS,
    on_failure: Callable[[ClusterError], None] | None = None,
) -> AsyncGenerator[tuple[WatchEvent, Object], None]:
    """List in pages, then follow the changes. It lists again whenever changes may have been missed.

    What was deleted meanwhile shows only in its not being listed: `Mirror` keeps what is needed to tell.

    Args:
        client: with the right to list and to watch.
        kind: of the objects.
        namespace: where they are, "" for everywhere.
        labels: that they have. An empty value asks for the label's presence.
        fields: that they have, where the kind allows that.
        page: how many are listed at a time.
        silence: seconds after which a connection counts as dead, and everything is listed again.
        on_failure: is told why there was no listing, or no watch. Either is tried again in any case.
    """
    query = {"labelSelector": selector(labels)} if labels else {}
    query |= {"fieldSelector": selector(fields)} if fields else {}
    pause = AGAIN_SECONDS
    while True:
        try:
            yield WatchEvent.LISTING, {}
            version = ""
            async for listing in client.pages(kind, namespace, query, size=page):
                version = listing["metadata"]["resourceVersion"]
                for item in listing["items"]:
                    yield WatchEvent.LISTED, item
            yield WatchEvent.SYNCED, {"metadata": {"resourceVersion": version}}
            pause = AGAIN_SECONDS
            async with aclosing(_changes(client, kind, namespace, query, version=version, silence=silence)) as changes:
                async for change in changes:
                    yield change
        except ClusterError as error:
            if error.status == GONE:  # the API server has forgotten that version: it is asked for a new one at once
                log.info("watch_expired", kind=kind.name)
                continue
            log.warning("watch_broken", kind=kind.name, error=str(error))
            if on_failure is not None:
                on_failure(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_AGAIN_SECONDS)


async def _changes(
    client: Client, kind: Kind, namespace: str, query: Mapping[str, str], *, version: str, silence: float
) -> AsyncGenerator[tuple[WatchEvent, Object], None]:
    """Every change since a version.

    The server ends each request before the silence would, and the next one goes on from the same version, within
    milliseconds. So a request that the server did not end is dead, also where nothing ever happens, and whatever is
    told here is fresh: after an interruption of unknown length everything is listed instead.

    Raises:
        ClusterError: changes may have been missed.
    """
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        events = client.watch_once(
            kind,
            namespace,
            query,
            version=version,
            seconds=max(1, int(silence * 0.75)),
            begin_timeout=BEGIN_SECONDS,
            end_timeout=silence,
        )
        async with aclosing(events):
            async for event in events:
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] == "DELETED":
                    yield WatchEvent.DELETED, event["object"]
                elif event["type"] != "BOOKMARK":
                    yield WatchEvent.CHANGED, event["object"]
        if loop.time() - began < AGAIN_SECONDS:  # a server that is about to end, or a proxy that takes no watch
            await asyncio.sleep(AGAIN_SECONDS)
