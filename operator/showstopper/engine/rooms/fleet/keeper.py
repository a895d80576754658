"""Keeper: sees to it that a room's listeners, host and crowd are there, as its AudioRoom says."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from showstopper.api.room import AudioRoom, Host
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import DEPLOYMENT, ROLE_BINDING, SERVICE_ACCOUNT, STATEFUL_SET, Kind
from showstopper.engine.rooms.fleet import manifests, names
from showstopper.errors import ClusterError, Conflict, NotFound, Unavailable

log = structlog.get_logger()

RECHECK_SECONDS = 30.0
RETRY_SECONDS = 5.0
_KINDS = {kind.name: kind for kind in (STATEFUL_SET, DEPLOYMENT, SERVICE_ACCOUNT, ROLE_BINDING)}


class Keeper:
    """Keeps one room's fleet. `refusal` says why it cannot be made, and is empty if it can."""

    def __init__(self, client: Client, images: manifests.Images) -> None:
        self.refusal = ""
        self._client = client
        self._images = images
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Look at the room at once: it is not what it was."""
        self._changed.set()

    async def run(self, room: Callable[[], AudioRoom], *, held: Callable[[], bool], away: Callable[[], bool]) -> None:
        """Keep the fleet for ever: after each change, and now and then because others may have changed it.

        Args:
            room: returns the room as its fleet is to be.
            held: whether what is there has to stay as it is, because a run measures with it.
            away: whether nobody of the fleet is to be in the room.
        """
        while True:
            self._changed.clear()
            settled = await self._try(room(), held=held(), away=away())
            try:
                async with asyncio.timeout(RECHECK_SECONDS if settled else RETRY_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _try(self, room: AudioRoom, *, held: bool, away: bool) -> bool:
        try:
            await self.keep(room, held=held, away=away)
        except Unavailable as error:
            log.warning(
                "fleet_not_checked", room=room.metadata.name, namespace=room.metadata.namespace, error=str(error)
            )
            return False
        except ClusterError as error:
            self._refused(room, f"the fleet cannot be made: {error}")
            return False
        if self.refusal:
            log.info("fleet_accepted", room=room.metadata.name, namespace=room.metadata.namespace)
        self.refusal = ""
        return True

    def _refused(self, room: AudioRoom, refusal: str) -> None:
        if refusal != self.refusal:
            log.warning("fleet_refused", room=room.metadata.name, namespace=room.metadata.namespace, error=refusal)
        self.refusal = refusal

    async def keep(self, room: AudioRoom, *, held: bool = False, away: bool = False) -> None:
        """Make the fleet what the room says.

        Args:
            room: whose fleet it is.
            held: make only what is missing, also what has no pods, and leave the rest as it is.
            away: without pods.

        Raises:
            ClusterError: when the API refuses. Conflict when an object of that name belongs to somebody else.
        """
        wanted = (*manifests.account(room), *manifests.manifests(room, self._images, away=away))
        for manifest in wanted:
            kind, name = _KINDS[manifest["kind"]], manifest["metadata"]["name"]
            owned = await self._owned(kind, room, name)
            if owned is None or owned.get("spec", {}).get("replicas") == 0 or not held:
                await self._client.apply(kind, manifest)
        if room.spec.program.host is Host.EXTERNAL and not held:
            for kind in (DEPLOYMENT, ROLE_BINDING, SERVICE_ACCOUNT):
                await self._dismiss(kind, room, names.host(room))
        if room.spec.listeners.crowd is None and not held:
            await self._dismiss(STATEFUL_SET, room, names.crowd(room))

    async def _dismiss(self, kind: Kind, room: AudioRoom, name: str) -> None:
        """Delete what the room wants no more: its own object, not another's that only has the same name."""
        try:
            body = await self._owned(kind, room, name)
        except Conflict:
            return
        if body is not None:
            await self._client.delete(kind, room.metadata.namespace, name, uid=body["metadata"]["uid"])

    async def _owned(self, kind: Kind, room: AudioRoom, name: str) -> dict[str, Any] | None:
        """The room's own object of that name, or None if there is none.

        Raises:
            Conflict: when it is another's: a forced apply would take it over.
        """
        try:
            body = await self._client.get(kind, room.metadata.namespace, name)
        except NotFound:
            return None
        if any(owner["uid"] == room.metadata.uid for owner in body["metadata"].get("ownerReferences", ())):
            return body
        raise Conflict(
            f"{kind.name} {room.metadata.namespace}/{name} exists and is not this room's; delete it, or give the room "
            "another name",
            status=409,
        )
