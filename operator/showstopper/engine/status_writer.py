"""The status writer: writes a resource's status, all of it at once, and never over somebody else's change."""

from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import API_VERSION, dump
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import Kind
from showstopper.errors import Conflict, NotFound, Unavailable

log = structlog.get_logger()
T = TypeVar("T", AudioRoom, Experiment, ExperimentRun, GameDay, ReleaseGate)

WRITE_RETRY_SECONDS = 30.0
"""Retries of a write while the API server is away. A run that cannot be recorded for longer ends by its own
deadline."""


class StatusWriter(Generic[T]):
    """The status of one object. `resource` is the newest form that is known of it."""

    def __init__(self, client: Client, kind: Kind, resource: T, written: Callable[[T], None] = lambda _: None) -> None:
        self._client = client
        self._kind = kind
        self._written: Callable[[T], None] = written
        self.resource: T = resource

    async def write(self, change: Callable[[T], None]) -> None:
        """Apply a change to the status and write it. The change may be asked for again on a fresh object.

        Raises:
            NotFound: the object is gone.
            ClusterError: it could not be written.
        """
        attempts = AsyncRetrying(
            retry=retry_if_exception_type((Unavailable, Conflict)),
            stop=stop_after_delay(WRITE_RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.02, max=1),
            reraise=True,
        )
        fresh = False
        async for attempt in attempts:
            with attempt:
                if fresh:
                    await self.refresh()
                fresh = True
                await self._write(change)

    async def write_for(self, generation: int, change: Callable[[T], None]) -> bool:
        """The same, but only while its spec is that of this generation. Returns whether it is.

        Raises:
            NotFound, ClusterError: as `write`.
        """

        def change_if_decided_for(resource: T) -> None:
            if resource.metadata.generation == generation:
                change(resource)

        await self.write(change_if_decided_for)
        return self.resource.metadata.generation == generation

    async def refresh(self) -> None:
        """Read the object again: its spec may say abort by now.

        Raises:
            NotFound: it is gone, also where another one has its name now.
        """
        namespace, name = self.resource.key
        fresh = type(self.resource).parse(await self._client.get(self._kind, namespace, name))
        if fresh.metadata.uid != self.resource.metadata.uid:
            raise NotFound(f"{self._kind.name} {namespace}/{name} was deleted, and made anew", status=404)
        self.resource = fresh
        self._written(fresh)  # it may hold what was written already: then only the answer was lost

    async def _write(self, change: Callable[[T], None]) -> None:
        # Only what changes is copied: a whole run takes half a millisecond, on the way to every write.
        status, metadata = self.resource.status.model_copy(deep=True), self.resource.metadata.model_copy()
        draft = self.resource.model_copy(update={"status": status, "metadata": metadata})
        change(draft)
        if draft.status == self.resource.status:
            return
        namespace, name = draft.key
        versioned = {"uid": metadata.uid, "resourceVersion": metadata.resource_version}
        written = {
            "apiVersion": API_VERSION,
            "kind": draft.kind,
            "metadata": {"namespace": namespace, "name": name, **versioned},
            "status": dump(draft.status),
        }
        answer = (await self._client.replace_status(self._kind, written))["metadata"]
        draft.metadata.resource_version = answer["resourceVersion"]
        draft.metadata.generation = answer.get("generation", draft.metadata.generation)
        # An abort may have been told while the answer was on its way. Nobody tells it again.
        draft.spec = self.resource.spec
        self.resource = draft
        self._written(draft)


class StatusWriters(Generic[T]):
    """A recorder for each object of a kind, which keeps the newest form that is known of it."""

    def __init__(self, client: Client, kind: Kind) -> None:
        self._client = client
        self._kind = kind
        self._by_uid: dict[str, StatusWriter[T]] = {}

    def of(self, resource: T) -> StatusWriter[T]:
        """The one that writes this object, also where it has written what the watch has not told yet."""
        recorder = self._by_uid.get(resource.metadata.uid)
        if recorder is None:
            recorder = self._by_uid[resource.metadata.uid] = StatusWriter(self._client, self._kind, resource)
        elif recorder.resource.metadata.version < resource.metadata.version:
            recorder.resource = resource
        return recorder

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._by_uid.pop(uid, None)
