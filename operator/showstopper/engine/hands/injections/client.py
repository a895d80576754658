"""Injections at the API server: made, lifted, pointed at other peers, and removed."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Sequence

from showstopper.api.injection import Injection
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import INJECTION, LEASE, Kind
from showstopper.engine.hands.injections.cache import InjectionCache
from showstopper.engine.planning import peers
from showstopper.errors import Conflict, NotFound


class InjectionClient:
    """Writes Injections. What agents make of them is in their statuses, which `injections` knows."""

    def __init__(self, client: Client, injections: InjectionCache) -> None:
        self._client = client
        self.injections = injections

    async def start(self, bodies: Iterable[Object]) -> None:
        """Make Injections, all at once. Those that exist already are left as they are."""
        await asyncio.gather(*(self._start(body) for body in bodies))

    async def lift(self, injections: Iterable[Injection]) -> None:
        """Ask the agents to end these faults now."""
        await asyncio.gather(*(self._lift(injection) for injection in injections if not injection.spec.lift))

    async def set_peers(self, injection: Injection, addresses: Sequence[str]) -> None:
        """Replace the addresses of an Injection's peers."""
        await self._patch(injection, {"op": "add", "path": "/spec/peers", "value": list(addresses)})

    async def delete(self, run: ExperimentRun, injections: Sequence[Injection]) -> None:
        """Delete what has been lifted, and the run's Lease."""
        gone = (self._delete(INJECTION, *each.key, uid=each.metadata.uid) for each in injections)
        await asyncio.gather(*gone, self._delete(LEASE, *run.key))

    async def addresses(self, room: AudioRoom, components: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The addresses that these components of a room have now."""
        return await peers.addresses(self._client, room, components)

    async def _start(self, body: Object) -> None:
        with contextlib.suppress(Conflict):
            self.injections.learn(await self._client.create(INJECTION, body))

    async def _lift(self, injection: Injection) -> None:
        await self._patch(injection, {"op": "add", "path": "/spec/lift", "value": True})

    async def _patch(self, injection: Injection, change: Object) -> None:
        operations: list[Object] = [{"op": "test", "path": "/metadata/uid", "value": injection.metadata.uid}, change]
        with contextlib.suppress(NotFound, Conflict):  # whoever deletes an Injection ends it too
            self.injections.learn(await self._client.patch(INJECTION, *injection.key, operations))

    async def _delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        with contextlib.suppress(NotFound, Conflict):  # gone already, or another object of that name
            await self._client.delete(kind, namespace, name, uid=uid)
