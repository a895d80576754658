"""Reporting: the status of one Injection to the API server, newest first, without ever holding up the fault's work."""

import asyncio

import structlog

from showstopper.api.injection import InjectionStatus
from showstopper.api.schema.base import dump
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import INJECTION
from showstopper.cluster.watch import Key
from showstopper.errors import ClusterError, Conflict, NotFound

log = structlog.get_logger()

PACE_SECONDS = 1.0
AGAIN_SECONDS = 0.5


class Reporter:
    """Writes what it is told in one patch each: what is urgent at once, the rest at most once a second."""

    def __init__(self, client: Client, key: Key, uid: str) -> None:
        self._client, self._key, self._uid = client, key, uid
        self._newest: InjectionStatus | None = None
        self._written: InjectionStatus | None = None
        self._rung = asyncio.Event()
        self._urgent = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._gone = False

    def tell(self, status: InjectionStatus, *, urgent: bool = False) -> None:
        """Have this written, unless something newer comes first."""
        if self._gone:
            return
        self._newest = status
        self._idle.clear()
        self._rung.set()
        if urgent:
            self._urgent.set()

    async def told(self) -> None:
        """Return when everything is written, or the object is gone."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until the object is gone. What cannot be written now is tried again, with what is newest then."""
        while not self._gone:
            await self._rung.wait()
            self._rung.clear()
            self._urgent.clear()
            status = self._newest
            if status is None or not await self._write(status):
                await asyncio.sleep(AGAIN_SECONDS)
                self._rung.set()
                continue
            if status is self._newest:
                self._idle.set()
            try:
                async with asyncio.timeout(PACE_SECONDS):
                    await self._urgent.wait()
            except TimeoutError:
                continue
        self._idle.set()

    async def _write(self, status: InjectionStatus) -> bool:
        operations: list[Object] = [
            {"op": "test", "path": "/metadata/uid", "value": self._uid},
            {"op": "add", "path": "/status", "value": dump(status)},
        ]
        namespace, name = self._key
        try:
            await self._client.patch(INJECTION, namespace, name, operations, subresource="status")
        except (NotFound, Conflict):  # deleted, or another one of that name
            self._gone = True
        except ClusterError as error:
            log.warning("status_not_written", injection=name, error=str(error))
            return False
        return True
