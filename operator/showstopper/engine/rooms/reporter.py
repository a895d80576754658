"""Reporter: writes a room's status, when it is worth a write."""

from typing import Any

import structlog

from showstopper.api.room import AudioRoom, AudioRoomStatus
from showstopper.api.schema.base import dump
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM
from showstopper.engine.rooms import throttle
from showstopper.errors import ClusterError, Conflict, NotFound

log = structlog.get_logger()


class Reporter:
    """Writes the status of one room. `written` is the one that stands."""

    def __init__(self, client: Client, written: AudioRoomStatus) -> None:
        self.written = written
        self._client = client
        self._tried_at = float("-inf")
        self._hindered = ""

    async def report(self, room: AudioRoom, wanted: AudioRoomStatus, now: float) -> None:
        """Write the status if it is due. One that cannot be written is logged once, and tried again when it is due."""
        if not throttle.due(self.written, wanted, abs(now - self._tried_at)):
            return
        self._tried_at = now
        try:
            await self._write(room, wanted)
        except ClusterError as error:  # also of a room that was deleted meanwhile: the watch will say so
            self._hinder(room, str(error))
        else:
            self._hinder(room, "")

    async def _write(self, room: AudioRoom, wanted: AudioRoomStatus) -> None:
        """Write, and try once more after a conflict, but never to another room of the same name."""
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": room.metadata.uid},
            {"op": "add", "path": "/status", "value": dump(wanted)},
        ]
        namespace, name = room.key
        try:
            await self._client.patch(AUDIO_ROOM, namespace, name, operations, subresource="status")
        except Conflict:
            fresh = await self._client.get(AUDIO_ROOM, namespace, name)
            if fresh["metadata"]["uid"] != room.metadata.uid:
                raise NotFound(f"{AUDIO_ROOM.name} {namespace}/{name} was deleted, and made anew", status=404) from None
            await self._client.patch(AUDIO_ROOM, namespace, name, operations, subresource="status")
        self._say(room, wanted)
        self.written = wanted

    def _say(self, room: AudioRoom, wanted: AudioRoomStatus) -> None:
        """Log when a room changes what it is."""
        before = {condition.type: (condition.status, condition.reason) for condition in self.written.conditions}
        ready = wanted.conditions[0]
        if before.get(ready.type) != (ready.status, ready.reason):
            log.info(
                "room_changed",
                room=room.metadata.name,
                namespace=room.metadata.namespace,
                ready=ready.status,
                reason=ready.reason,
                message=ready.message,
            )

    def _hinder(self, room: AudioRoom, error: str) -> None:
        if error and error != self._hindered:
            log.warning("room_status_not_written", room=room.metadata.name, error=error)
        self._hindered = error
