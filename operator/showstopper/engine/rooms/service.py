"""Rooms: all rooms of the cluster, each kept by a task of its own, and one watch for all their listener pods."""

import asyncio

import aiohttp
import structlog

from showstopper.api.room import AudioRoom
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.client import Client
from showstopper.cluster.supervision import for_ever
from showstopper.engine.rooms.archive_health import ArchiveWatch
from showstopper.engine.rooms.fleet.manifests import Images
from showstopper.engine.rooms.listening.roster import Roster
from showstopper.engine.rooms.live import LiveRoom
from showstopper.engine.rooms.pod_cache import PodCache

log = structlog.get_logger()


class Rooms:
    """The rooms by namespace and name. Handlers call `on_change` and `on_delete`. Runs call `find`.

    Attributes:
        pod_cache: the pods and workloads of the namespaces that whoever wired all this has it follow.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        images: Images,
        archive: ArchiveWatch | None = None,
        port: int = listeners.PORT,
    ) -> None:
        self._client = client
        self._clock = clock
        self._images = images
        self._archive = archive or ArchiveWatch()
        self._port = port
        self._roster = Roster(client)
        self.pod_cache = PodCache(client)
        self.pod_cache.add_observer(self._pods_changed)
        self._wanted: dict[tuple[str, str], AudioRoom] = {}
        self._live: dict[tuple[str, str], tuple[LiveRoom, asyncio.Task[None]]] = {}
        self._held: dict[tuple[str, str], tuple[str, AudioRoom]] = {}
        self._changed = asyncio.Event()

    def on_change(self, room: AudioRoom) -> None:
        """A room as the API has it now. Takes the same one any number of times."""
        if room.metadata.deletion_timestamp:
            self.on_delete(*room.key)
            return
        self._wanted[room.key] = room
        live = self.find(*room.key)
        if live is not None and live.room.metadata.uid == room.metadata.uid:
            live.on_change(room)
        else:
            self._changed.set()

    def on_delete(self, namespace: str, name: str) -> None:
        """A room was deleted. Its fleet goes by its owner references."""
        self._wanted.pop((namespace, name), None)
        self._changed.set()

    def find(self, namespace: str, name: str) -> LiveRoom | None:
        """The live room, if it is one."""
        entry = self._live.get((namespace, name))
        return entry[0] if entry else None

    def hold(self, run: str, room: AudioRoom) -> None:
        """Keep a room's fleet as a run knows the room, until its `release`: also that of a room that begins later."""
        self._held[room.key] = run, room
        if (live := self.find(*room.key)) is not None:
            live.hold(run, room)

    def release(self, run: str, room: AudioRoom) -> None:
        """The run is over: changes of the fleet that were kept back are made now."""
        if self._held.get(room.key, ("", room))[0] == run:
            del self._held[room.key]
        if (live := self.find(*room.key)) is not None:
            live.release(run)

    def _pods_changed(self, namespace: str) -> None:
        for key, (live, _) in self._live.items():
            if key[0] == namespace:
                live.pods_changed()

    def all(self) -> list[AudioRoom]:
        """Every room as it was declared."""
        return list(self._wanted.values())

    def declared(self, namespace: str, name: str) -> AudioRoom | None:
        """The room as it was declared, also when its tasks have not begun."""
        return self._wanted.get((namespace, name))

    async def run(self) -> None:
        """Keep all rooms until cancelled. Without a room nothing is done."""
        while not self._wanted:
            self._changed.clear()
            await self._changed.wait()
        async with listeners.session() as session, asyncio.TaskGroup() as group:
            group.create_task(for_ever("watching the listener pods", self._roster.run))
            while True:
                self._changed.clear()
                self._settle(group, session)
                await self._changed.wait()

    def _settle(self, group: asyncio.TaskGroup, session: aiohttp.ClientSession) -> None:
        """End the tasks of rooms that are gone, or are others of the same name. Begin those that are missing."""
        for key, (live, task) in list(self._live.items()):
            wanted = self._wanted.get(key)
            if wanted is None or wanted.metadata.uid != live.room.metadata.uid:
                task.cancel()
                del self._live[key]
                log.info("room_gone", namespace=key[0], room=key[1])
        for key in self._wanted.keys() - self._live.keys():
            live = LiveRoom(
                self._wanted[key],
                self._client,
                self._clock,
                session=session,
                roster=self._roster,
                pod_cache=self.pod_cache,
                images=self._images,
                archive=self._archive,
                port=self._port,
            )
            if key in self._held:
                live.hold(*self._held[key])
            self._live[key] = live, group.create_task(live.run())
            log.info("room_begun", namespace=key[0], room=key[1], residents=len(live.residents))
