"""What is told of Injections: how they are now, from a watch of them all, and from the answers to our own writes.

A list would wait up to 100 ms for the API server's cache, and a watch for each run would cost each a new connection.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from showstopper.api.injection import LEASE_LABEL, Injection
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import INJECTION
from showstopper.cluster.mirror import Change, Mirror
from showstopper.cluster.parsing import read
from showstopper.cluster.supervision import for_ever


class Told:
    """The Injections of one run. `news` is called whenever one of them changes."""

    def __init__(self, watch: "InjectionWatch", run: str, news: Callable[[], None]) -> None:
        self._watch, self._run, self._news = watch, run, news
        self._rung = asyncio.Event()
        self._heard: dict[str, float] = {}

    async def all(self) -> list[Injection]:
        """All that there are.

        Raises:
            ClusterError: they could not be listed, not once.
        """
        await self._watch.listed()
        self._rung.clear()
        return self._watch.of(self._run)

    async def wait(self, seconds: float) -> None:
        """Wait for something that is newer than the last `all`, for so long at the most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()

    def silent(self, seconds: float) -> list[Injection]:
        """Those of which nothing new was seen for so long."""
        now = asyncio.get_running_loop().time()
        return [
            one for one in self._watch.of(self._run) if now - self._heard.setdefault(one.metadata.uid, now) > seconds
        ]

    def changed(self, uid: str) -> None:
        """Something new of that one is known."""
        self._heard[uid] = asyncio.get_running_loop().time()
        self._rung.set()
        self._news()

    def end(self) -> None:
        """Be told no more."""
        self._watch.forget(self._run)


class InjectionWatch:
    """Every Injection of the cluster, watched from the first question on; without agents nobody asks."""

    def __init__(self, client: Client) -> None:
        self._mirror = Mirror(
            client, INJECTION, labels={LEASE_LABEL: ""}, keep=partial(read, Injection), on_change=self._tell
        )
        self._readers: dict[str, Told] = {}
        self._task: asyncio.Task[None] | None = None

    def told(self, run: ExperimentRun, news: Callable[[], None]) -> Told:
        """What is told of a run's Injections, until its `end`."""
        reader = self._readers[run.metadata.uid] = Told(self, run.metadata.uid, news)
        return reader

    def forget(self, run: str) -> None:
        """Tell nobody of that run's any more."""
        self._readers.pop(run, None)

    def follow(self) -> None:
        """Begin to watch, unless that was done before."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(for_ever("watching Injections", self._mirror.run))

    async def listed(self) -> None:
        """Return when all that there are are known.

        Raises:
            ClusterError: they could not be listed, not once.
        """
        self.follow()
        await self._mirror.synced_or_failed()

    def of(self, run: str) -> list[Injection]:
        """Those of the run with that UID."""
        return [injection for injection in self._mirror.all() if injection.spec.run.uid == run]

    def see(self, body: Object) -> None:
        """Take an Injection as the answer to a write has it, if that is newer than what is known."""
        self._mirror.learn(body)

    def _tell(self, change: Change[Injection]) -> None:
        if (reader := self._readers.get(change.value.spec.run.uid)) is not None:
            reader.changed(change.uid)
