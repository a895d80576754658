"""The work queue: reconciles each object as it is now, one pass at a time, however many changes there were."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import partial
from typing import Generic, TypeVar

import structlog

from showstopper.api.schema.base import Resource
from showstopper.clock import Clock
from showstopper.errors import ClusterError

log = structlog.get_logger()

RETRY_SECONDS = 5.0
"""After a look that the API server, or a mistake of ours, has cut short."""

R = TypeVar("R", bound=Resource)
Key = tuple[str, str]


class WorkQueue(ABC, Generic[R]):
    """Every object of a kind that is known, and a task for each that has to be looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Key, R] = {}
        self._dirty: dict[Key, asyncio.Event] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._waiting: set[asyncio.Task[None]] = set()
        self._first_seen: dict[str, float] = {}

    @abstractmethod
    async def reconcile(self, resource: R, seen_seconds: float) -> float | None:
        """One pass over an object. Returns after how many seconds to look again, if nothing else happens.

        What it raises is logged, and it looks again. Also after NotFound, which may be about any object: that this one
        is gone is told by its deletion alone.
        """

    @abstractmethod
    def forget(self, resource: R) -> None:
        """The object is gone: drop what is remembered of it."""

    def all(self) -> Iterable[R]:
        """Every object, as the API told it last."""
        return self._known.values()

    def find(self, namespace: str, name: str) -> R | None:
        """The object of that name, as the API told it last."""
        return self._known.get((namespace, name))

    def on_change(self, resource: R) -> None:
        """An object as the API has it."""
        self.load(resource)
        self.enqueue(resource.key)

    def load(self, resource: R) -> None:
        """The same, but nothing is decided yet."""
        known = self._known.get(resource.key)
        if known is not None and known.metadata.uid != resource.metadata.uid:
            self._drop(known)
        self._known[resource.key] = resource
        self._first_seen.setdefault(resource.metadata.uid, self._clock.now())

    def on_delete(self, resource: R) -> None:
        """An object was deleted. One that has its name since is another."""
        known = self._known.get(resource.key)
        if known is not None and known.metadata.uid == resource.metadata.uid:
            del self._known[resource.key]
            if resource.key not in self._tasks:
                self._dirty.pop(resource.key, None)
            self._drop(resource)

    def enqueue_all(self) -> None:
        """Look at everything."""
        for key in self._known:
            self.enqueue(key)

    def enqueue(self, key: Key) -> None:
        """Look soon, once, however often this is called."""
        if key not in self._known:
            return
        self._dirty.setdefault(key, asyncio.Event()).set()
        if key not in self._tasks:
            name = f"{type(self).__name__} {key}"
            task = self._tasks[key] = asyncio.get_running_loop().create_task(self._work(key), name=name)
            task.add_done_callback(partial(self._ended, key))  # one that is cancelled before it begins has no `finally`

    def enqueue_later(self, key: Key, seconds: float) -> None:
        """Look when so much time has passed."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            self.enqueue(key)

        waiting = asyncio.get_running_loop().create_task(wait())
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)

    async def _work(self, key: Key) -> None:
        event = self._dirty[key]
        while key in self._known and event.is_set():
            event.clear()
            resource = self._known[key]
            again = await self._guarded(resource)
            if again is not None and not event.is_set():
                try:
                    async with asyncio.timeout(again):
                        await event.wait()
                except TimeoutError:
                    event.set()

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        if key not in self._known:
            self._dirty.pop(key, None)
        elif self._dirty[key].is_set() and not task.cancelled():  # cancelled: nothing is looked at any more
            self.enqueue(key)

    async def _guarded(self, resource: R) -> float | None:
        """Look at one object, so that whatever comes of it keeps no other from being looked at."""
        known = {"kind": resource.kind, "namespace": resource.metadata.namespace, "name": resource.metadata.name}
        try:
            return await self.reconcile(resource, self._clock.now() - self._first_seen[resource.metadata.uid])
        except ClusterError as error:
            log.warning("reconcile_failed", **known, error=str(error))
        except Exception:  # one object that we cannot handle must not stop at that for ever
            log.exception("reconcile_broke", **known)
        return RETRY_SECONDS

    def _drop(self, resource: R) -> None:
        self._first_seen.pop(resource.metadata.uid, None)
        self.forget(resource)
