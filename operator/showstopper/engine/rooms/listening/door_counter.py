"""DoorCounter: asks a room's door once a second how many listeners it shows, and keeps that."""

import asyncio
from collections.abc import Callable

import aiohttp
import structlog

from showstopper.api.room import AudioRoom
from showstopper.availability.counts import CountLog
from showstopper.clock import Clock
from showstopper.cluster import doors
from showstopper.cluster.doors import NoCount

log = structlog.get_logger()

EVERY_SECONDS = 1.0


class DoorCounter:
    """The public counts of one room, which may have none.

    Attributes:
        log: what was shown.
        problem: why nothing is known now. Empty: it is, or nobody is asked.
    """

    def __init__(self, clock: Clock, session: aiohttp.ClientSession) -> None:
        self.log = CountLog()
        self.problem = ""
        self._clock = clock
        self._session = session

    async def run(self, room: Callable[[], AudioRoom]) -> None:
        """Ask for ever."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._ask(room())
            await asyncio.sleep(max(0.0, began + EVERY_SECONDS - loop.time()))

    async def _ask(self, room: AudioRoom) -> None:
        door = room.spec.door
        problem = ""
        if door is not None and door.counts is not None:
            try:
                at, shown = await doors.read_count(self._session, self._clock, door.counts)
            except (NoCount, aiohttp.ClientError, TimeoutError, OSError) as error:
                problem = f"the door's count: {str(error) or type(error).__name__}"
            else:
                self.log.add(at, shown)
        if problem and not self.problem:
            log.warning("count_unknown", namespace=room.metadata.namespace, room=room.metadata.name, problem=problem)
        self.problem = problem
