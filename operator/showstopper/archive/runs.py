"""Runs: follows all runs of the cluster, and has each one kept as it was last seen."""

import asyncio

from showstopper.archive import writing
from showstopper.archive.keeper import Keeper
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN

# A run is 64 KiB at most: so many are held at a time.
PAGE = 100
# A run that injects changes four times in a tenth of a second, and has better uses for the processor then.
SETTLE_SECONDS = 0.3


class Runs:
    """All runs. `followed`: whether everything that there is was seen."""

    def __init__(self, client: Client, keeper: Keeper, clock: Clock) -> None:
        self.followed = False
        self.kept = 0
        self._client = client
        self._keeper = keeper
        self._clock = clock
        self._changed: dict[str, tuple[str, Object]] = {}
        self._news = asyncio.Event()
        self._keeping = asyncio.Lock()

    async def follow(self) -> None:
        """Keep what there is and what becomes of it, for ever; note what went while nobody looked."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_changes())
            await self._follow()

    async def _follow(self) -> None:
        unseen = await self._keeper.read(writing.not_gone)
        page: list[Object] = []
        async for event, body in self._client.follow(EXPERIMENT_RUN, page=PAGE):
            if event == "LISTED":
                page.append(body)
                unseen.discard(body["metadata"]["uid"])
            if event != "LISTED" or len(page) == PAGE:
                await self._keep(page)
                page = []
            if event == "SYNCED":
                await self._keep_changed()
                await self._gone(unseen)
                self.followed = True
                unseen = await self._keeper.read(writing.not_gone)
            elif event != "LISTED":
                self._changed[body["metadata"]["uid"]] = event, body
                self._news.set()
                (unseen.discard if event == "DELETED" else unseen.add)(body["metadata"]["uid"])

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
            await self._gone({uid for uid, (event, _) in changed.items() if event == "DELETED"})

    async def _keep(self, bodies: list[Object]) -> None:
        if bodies:
            at = self._clock.now()
            await self._keeper.write(lambda connection: writing.keep_runs(connection, bodies, at))
            self.kept += len(bodies)

    async def _gone(self, uids: set[str]) -> None:
        if uids:
            at = self._clock.now()
            await self._keeper.write(lambda connection: writing.note_gone(connection, uids, at))
