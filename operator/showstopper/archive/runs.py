"""Runs: follows all runs of the cluster, and has each one kept as it was last seen."""

import asyncio
from contextlib import aclosing

from showstopper.archive import writing
from showstopper.archive.keeper import Keeper
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.cluster.watch import PAGE, WatchEvent, watch

SETTLE_SECONDS = 0.3
"""A run that injects changes four times in a tenth of a second, and has better uses for the processor then."""


class Runs:
    """All runs. `followed`: whether everything that there is was seen.

    Args:
        client: with the right to list and to watch runs.
        keeper: of the database.
        clock: for when a run was seen.
        page: how many runs are listed, and written, at a time.
    """

    def __init__(self, client: Client, keeper: Keeper, clock: Clock, *, page: int = PAGE) -> None:
        self.followed = False
        self.kept = 0
        self._client = client
        self._keeper = keeper
        self._clock = clock
        self._page = page
        self._changed: dict[str, tuple[WatchEvent, Object]] = {}
        self._news = asyncio.Event()
        self._keeping = asyncio.Lock()

    async def follow(self) -> None:
        """Keep all runs and their changes, for ever. Note those that were deleted while nobody watched."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_changes())
            await self._follow()

    async def _follow(self) -> None:
        """A Mirror would hold every run: here the database does, and takes one page before the next is listed."""
        page: list[Object] = []
        missing: set[str] = set()
        async with aclosing(watch(self._client, EXPERIMENT_RUN, page=self._page)) as events:
            async for event, body in events:
                match event:
                    case WatchEvent.LISTING:
                        await self._keep_changed()
                        page, missing = [], await self._keeper.read(writing.not_gone)
                    case WatchEvent.LISTED:
                        page.append(body)
                        missing.discard(body["metadata"]["uid"])
                        if len(page) == self._page:
                            await self._keep(page)
                            page = []
                    case WatchEvent.SYNCED:
                        await self._keep(page)
                        await self._gone(missing)
                        page, missing = [], set()
                        self.followed = True
                    case WatchEvent.CHANGED | WatchEvent.DELETED:
                        self._changed[body["metadata"]["uid"]] = event, body
                        self._news.set()

    async def _keep_changes(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(SETTLE_SECONDS)
            await self._keep_changed()

    async def _keep_changed(self) -> None:
        """What is lost here, because the database takes nothing, comes again: it is followed from the start then."""
        async with self._keeping:
            self._news.clear()
            changed, self._changed = self._changed, {}
            await self._keep([body for _, body in changed.values()])
            await self._gone({uid for uid, (event, _) in changed.items() if event is WatchEvent.DELETED})

    async def _keep(self, bodies: list[Object]) -> None:
        if bodies:
            at = self._clock.now()
            await self._keeper.write(lambda connection: writing.keep_runs(connection, bodies, at))
            self.kept += len(bodies)

    async def _gone(self, uids: set[str]) -> None:
        if uids:
            at = self._clock.now()
            await self._keeper.write(lambda connection: writing.note_gone(connection, uids, at))
