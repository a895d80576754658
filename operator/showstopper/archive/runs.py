"""Runs: follows all runs of the cluster, and has each one kept as it was last seen."""

from showstopper.archive import writing
from showstopper.archive.keeper import Keeper
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN

# A run is 64 KiB at most: so many are held at a time.
PAGE = 100


class Runs:
    """All runs. `followed`: whether everything that there is was seen."""

    def __init__(self, client: Client, keeper: Keeper, clock: Clock) -> None:
        self.followed = False
        self.kept = 0
        self._client = client
        self._keeper = keeper
        self._clock = clock

    async def follow(self) -> None:
        """Keep what there is and what becomes of it, for ever; note what went while nobody looked."""
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
                await self._gone(unseen)
                self.followed = True
                unseen = await self._keeper.read(writing.not_gone)
            elif event != "LISTED":
                await self._changed(event, body)
                (unseen.discard if event == "DELETED" else unseen.add)(body["metadata"]["uid"])

    async def _changed(self, event: str, body: Object) -> None:
        await self._keep([body])
        if event == "DELETED":
            await self._gone({body["metadata"]["uid"]})

    async def _keep(self, bodies: list[Object]) -> None:
        if bodies:
            at = self._clock.now()
            await self._keeper.write(lambda connection: writing.keep_runs(connection, bodies, at))
            self.kept += len(bodies)

    async def _gone(self, uids: set[str]) -> None:
        if uids:
            at = self._clock.now()
            await self._keeper.write(lambda connection: writing.note_gone(connection, uids, at))
