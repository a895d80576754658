"""Mirror: what is needed of every object of a kind, as the API has it now, and a call whenever that changes."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Generic, NamedTuple, TypeVar

from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import Kind
from showstopper.cluster.watch import PAGE, SILENCE_SECONDS, Key, WatchEvent, key_of, watch
from showstopper.errors import ClusterError

T = TypeVar("T")


class ChangeType(Enum):
    """What became of an object."""

    ADDED = auto()
    CHANGED = auto()
    DELETED = auto()


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """A change of an object.

    Attributes:
        type: what became of it.
        key: its namespace and name.
        uid: its UID.
        value: what is kept of it. Of a deleted object: what was kept last.
        listed: it was found to be so, for who knows how long. Else it has become so just now.
    """

    type: ChangeType
    key: Key
    uid: str
    value: T
    listed: bool


class _Known(NamedTuple, Generic[T]):
    """What is remembered of an object. Resource versions of one object can be compared (KEP-5504)."""

    uid: str
    version: int
    value: T


class Mirror(Generic[T]):
    """All objects of a kind, from one watch of them.

    Only key, UID, version and what `keep` returns are held. The deletion of an object is told also when it happened
    unseen, and before the creation of another one with the same name.

    Args:
        client: with the right to list and to watch.
        kind: of the objects.
        namespace: where they are, "" for everywhere.
        labels: that they have. An empty value asks for the label's presence.
        fields: that they have, where the kind allows that.
        keep: what is kept of an object. None passes over this form of it, and what is known of it stays.
        on_change: called in the moment in which a change is read. What it raises ends `run`, which tells the same
            change again when it is called again.
        page: how many objects are listed at a time.
        silence: seconds after which a connection counts as dead.

    Attributes:
        is_synced: everything that exists is known. Not while it cannot be listed or watched: then only what was told
            last is known.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        namespace: str = "",
        *,
        keep: Callable[[Object], T | None],
        on_change: Callable[[Change[T]], None] | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        page: int = PAGE,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self.is_synced = False
        self._client, self._kind, self._namespace = client, kind, namespace
        self._labels, self._fields, self._page, self._silence = labels, fields, page, silence
        self._keep, self._on_change = keep, on_change
        self._known: dict[Key, _Known[T]] = {}
        self._position = 0  # all that happened up to this resource version is known
        self._failure: ClusterError | None = None
        self._synced, self._attempted = asyncio.Event(), asyncio.Event()

    def all(self) -> list[T]:
        """What is kept of every object."""
        return [known.value for known in self._known.values()]

    def find(self, namespace: str, name: str) -> T | None:
        """What is kept of the object with that name."""
        known = self._known.get((namespace, name))
        return known.value if known else None

    async def synced(self) -> None:
        """Wait until everything that existed was known once, however long that takes."""
        await self._synced.wait()

    async def synced_or_failed(self) -> None:
        """Wait until everything that exists is known.

        Raises:
            ClusterError: it could not be listed so far, not once.
        """
        await self._attempted.wait()
        if self._failure is not None:
            raise self._failure

    async def run(self) -> None:
        """Watch until cancelled. Errors of the API are logged, and it goes on."""
        try:
            await self._follow()
        finally:
            self.is_synced = False

    async def _follow(self) -> None:
        missing: set[Key] = set()
        events = watch(
            self._client,
            self._kind,
            self._namespace,
            labels=self._labels,
            fields=self._fields,
            page=self._page,
            silence=self._silence,
            on_failure=self._note_failure,
        )
        async with aclosing(events):
            async for event, body in events:
                match event:
                    case WatchEvent.LISTING:
                        missing = set(self._known)
                    case WatchEvent.LISTED:
                        missing.discard(key_of(body))
                        self._take(body, listed=True)
                    case WatchEvent.SYNCED:
                        for key in missing:
                            self._drop(key, listed=True)
                        self._note_sync(body)
                    case WatchEvent.CHANGED:
                        self._take(body, listed=False)
                        self._advance(body)
                    case WatchEvent.DELETED:
                        if (known := self._known.get(key_of(body))) and known.uid == body["metadata"]["uid"]:
                            self._drop(key_of(body), listed=False)
                        self._advance(body)

    def learn(self, body: Object) -> None:
        """Take an object as the answer to a write has it, which may be there before the watch tells it."""
        metadata = body["metadata"]
        known = self._known.get(key_of(body))
        if (known is None or known.uid != metadata["uid"]) and _version(body) <= self._position:
            return  # the watch is further on, and does not know it any more: it was deleted meanwhile
        self._take(body, listed=False)

    def _take(self, body: Object, *, listed: bool) -> None:
        key, uid, version = key_of(body), body["metadata"]["uid"], _version(body)
        known = self._known.get(key)
        if known is not None and known.version >= version:
            return
        value = self._keep(body)
        if value is None:
            return
        if known is not None and known.uid != uid:
            self._drop(key, listed=listed)
            known = None
        self._known[key] = _Known(uid, version, value)
        change = ChangeType.ADDED if known is None else ChangeType.CHANGED
        self._tell(Change(change, key, uid, value, listed), known)

    def _drop(self, key: Key, *, listed: bool) -> None:
        known = self._known.pop(key)
        self._tell(Change(ChangeType.DELETED, key, known.uid, known.value, listed), known)

    def _tell(self, change: Change[T], before: _Known[T] | None) -> None:
        """Call `on_change`. If it fails, what is known is what was known before: the next listing tells it again."""
        if self._on_change is None:
            return
        try:
            self._on_change(change)
        except Exception:
            self._known.pop(change.key, None)
            if before is not None:
                self._known[change.key] = before
            raise

    def _advance(self, body: Mapping[str, Any]) -> None:
        self._position = _version(body)

    def _note_sync(self, listing: Object) -> None:
        self._advance(listing)
        self._failure, self.is_synced = None, True
        self._synced.set()
        self._attempted.set()

    def _note_failure(self, error: ClusterError) -> None:
        self.is_synced = False
        if not self._synced.is_set():
            self._failure = error
            self._attempted.set()


def _version(body: Mapping[str, Any]) -> int:
    return int(body["metadata"]["resourceVersion"])
