"""What is told of Injections: how they are now, from a watch of them all, and from the answers to our own writes.

A list would wait up to 100 ms for the API server's cache, and a watch for each run would cost each a new connection.
"""

import asyncio
import contextlib
from collections.abc import Callable

from showstopper.api.injection import LEASE_LABEL, Injection
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import INJECTION
from showstopper.cluster.parsing import parse_or_log
from showstopper.cluster.supervision import for_ever
from showstopper.errors import ClusterError


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
        self._client = client
        self._found: dict[str, Injection] = {}
        self._readers: dict[str, Told] = {}
        self._listed = asyncio.Event()
        self._failed: ClusterError | None = None
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
            self._task = asyncio.get_running_loop().create_task(for_ever("watching Injections", self._work))

    async def listed(self) -> None:
        """Return when all that there are are known.

        Raises:
            ClusterError: they could not be listed, not once.
        """
        self.follow()
        await self._listed.wait()
        if self._failed is not None:
            raise self._failed

    def of(self, run: str) -> list[Injection]:
        """Those of the run with that UID."""
        return [one for one in self._found.values() if one.spec.run.uid == run]

    def see(self, body: Object) -> None:
        """Take an Injection as somebody has it, if that is newer than what is known."""
        if (found := parse_or_log(Injection, body)) is None:
            return  # nobody waits for it here
        known = self._found.get(found.metadata.uid)
        if known is None or known.metadata.version < found.metadata.version:
            self._found[found.metadata.uid] = found
            self._tell(found)

    async def _work(self) -> None:
        try:
            await self._take()
        except ClusterError as error:
            if not self._listed.is_set():
                self._failed = error
                self._listed.set()
            raise

    async def _take(self) -> None:
        missing = set(self._found)  # until they are listed: an earlier watch may have missed their end
        async for event, body in self._client.watch(INJECTION, labels={LEASE_LABEL: ""}, marks=True):
            match event:
                case "SYNCED":
                    for uid in missing:
                        self._drop(uid)
                    missing.clear()
                    self._failed = None
                    self._listed.set()
                case "DELETED":
                    self._drop(body["metadata"]["uid"])
                case _:
                    missing.discard(body["metadata"]["uid"])
                    self.see(body)

    def _drop(self, uid: str) -> None:
        if (gone := self._found.pop(uid, None)) is not None:
            self._tell(gone)

    def _tell(self, injection: Injection) -> None:
        if (reader := self._readers.get(injection.spec.run.uid)) is not None:
            reader.changed(injection.metadata.uid)
