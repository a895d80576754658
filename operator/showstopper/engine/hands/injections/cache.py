"""Injection cache: every Injection as it is now, from one Mirror, and from the answers to our own writes.

A list would wait up to 100 ms for the API server's cache, and a watch for each run would cost each a new connection.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from showstopper.api.injection import LEASE_LABEL, Injection
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import INJECTION
from showstopper.cluster.mirror import Change, Mirror
from showstopper.cluster.parsing import parse_or_log
from showstopper.cluster.supervision import for_ever
from showstopper.engine.hands.injections import times


class CachedInjections:
    """The Injections of one run, as the cache has them.

    Args:
        cache: where they are kept.
        run: the UID of the run.
        on_change: called whenever one of them was added, changed or deleted.
    """

    def __init__(self, cache: "InjectionCache", run: str, on_change: Callable[[], None]) -> None:
        self._cache, self._run, self._on_change = cache, run, on_change
        self._last_change: dict[str, float] = {}
        self._offsets: dict[str, float] = {}

    async def all(self) -> list[Injection]:
        """Those that exist.

        Raises:
            ClusterError: they could not be listed so far, not once.
        """
        await self._cache.synced_or_failed()
        return self._cache.of(self._run)

    def silent(self, seconds: float) -> list[Injection]:
        """Those that have not changed for so long."""
        now = asyncio.get_running_loop().time()
        return [
            injection
            for injection in self._cache.of(self._run)
            if now - self._last_change.setdefault(injection.metadata.uid, now) > seconds
        ]

    def offset(self, injection: Injection) -> float:
        """What to add to the times of its agent to have them on the operator's clock, in seconds."""
        self._read_clock(injection)
        return self._offsets.get(injection.metadata.uid, 0.0)

    def note_change(self, injection: Injection) -> None:
        """The Injection has changed."""
        self._last_change[injection.metadata.uid] = asyncio.get_running_loop().time()
        self._read_clock(injection)
        self._on_change()

    def _read_clock(self, injection: Injection) -> None:
        uid, newest = injection.metadata.uid, times.newest(injection.status)
        if newest is not None:
            offset = self._cache.now() - newest
            self._offsets[uid] = min(offset, self._offsets.get(uid, offset))

    def end(self) -> None:
        """Be told of no more changes."""
        self._cache.unsubscribe(self._run)


class InjectionCache:
    """Every Injection of the cluster, watched from the first question on. Without agents nobody asks."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.now = clock.now
        self._mirror = Mirror(
            client,
            INJECTION,
            labels={LEASE_LABEL: ""},
            keep=partial(parse_or_log, Injection),
            on_change=self._note_change,
        )
        self._subscribers: dict[str, CachedInjections] = {}
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, run: ExperimentRun, on_change: Callable[[], None]) -> CachedInjections:
        """The Injections of a run, until its `end`."""
        subscriber = self._subscribers[run.metadata.uid] = CachedInjections(self, run.metadata.uid, on_change)
        return subscriber

    def unsubscribe(self, run: str) -> None:
        """Tell nobody any more of the changes of the run with that UID."""
        self._subscribers.pop(run, None)

    def start(self) -> None:
        """Begin to watch, unless that was done before."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(for_ever("watching Injections", self._mirror.run))

    async def synced_or_failed(self) -> None:
        """Wait until all Injections are known.

        Raises:
            ClusterError: they could not be listed so far, not once.
        """
        self.start()
        await self._mirror.synced_or_failed()

    def of(self, run: str) -> list[Injection]:
        """The Injections of the run with that UID."""
        return [injection for injection in self._mirror.all() if injection.spec.run.uid == run]

    def learn(self, body: Object) -> None:
        """Take an Injection as the answer to a write has it, if that is newer than what is known."""
        self._mirror.learn(body)

    def _note_change(self, change: Change[Injection]) -> None:
        if (subscriber := self._subscribers.get(change.value.spec.run.uid)) is not None:
            subscriber.note_change(change.value)
