"""Components: the pods of a room's components, looked up now and then, and at once when an unknown one serves."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog

from showstopper.api.room import AudioRoom, Component, ComponentImage
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD, SERVICE
from showstopper.engine.rooms import pods
from showstopper.errors import Forbidden, InvalidResource, ShowstopperError

log = structlog.get_logger()

EVERY_SECONDS = 10.0
LEAST_SECONDS = 2.0
MOST_CHANGES = 64


class Components:
    """What the components of one room run now, and since when.

    Attributes:
        release: their images.
        changes: when they were first seen to run others (Unix seconds), and which, the newest last.
        problem: what is wrong with how the room describes them.
        refusal: why the room cannot be one as it describes them. Empty if it can.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self.release: tuple[ComponentImage, ...] = ()
        self.changes: deque[tuple[float, tuple[ComponentImage, ...]]] = deque(maxlen=MOST_CHANGES)
        self.problem = ""
        self.refusal = ""
        self._client = client
        self._clock = clock
        self._pods: dict[str, list[dict[str, Any]]] = {}
        self._exposed = pods.Exposed()
        self._unknown: frozenset[pods.MediaAddress] = frozenset()
        self._look = asyncio.Event()

    async def run(self, room: Callable[[], AudioRoom]) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look(room())
            except ShowstopperError as error:
                log.warning("components_not_seen", room=room().metadata.name, error=str(error))
            await asyncio.sleep(LEAST_SECONDS)
            self._look.clear()
            try:
                async with asyncio.timeout(EVERY_SECONDS - LEAST_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def look(self, room: AudioRoom) -> None:
        """Look once."""
        selections = {component.name: await self._select(room, component) for component in room.spec.components}
        self._pods = {name: list(selection.running) for name, selection in selections.items()}
        await self._expose(room)
        self.refusal = next(
            (
                pods.selects_fleet(component, [pod["metadata"]["name"] for pod in fleet])
                for component in room.spec.components
                if (fleet := selections[component.name].fleet)
            ),
            "",
        )
        before = self.release
        try:
            self.release, self.problem = tuple(pods.images(room, self._pods)), ""
        except InvalidResource as error:
            self.release, self.problem = (), str(error)
        if self.release != before:
            self.changes.append((self._clock.now(), self.release))

    async def _select(self, room: AudioRoom, component: Component) -> pods.Selection:
        labels = component.selector.match_labels
        return pods.select(component, await self._client.list(POD, room.metadata.namespace, labels=labels))

    async def _expose(self, room: AudioRoom) -> None:
        """Look for the Services of addresses that no pod has. Without the right to list them there are none."""
        owned = pods.behind(room, self._unknown, self._pods, pods.Exposed())
        if self._unknown == owned.keys():
            return
        namespace = room.metadata.namespace
        try:
            services, everyone = await asyncio.gather(
                self._client.list(SERVICE, namespace), self._client.list(POD, namespace)
            )
        except Forbidden:
            return
        self._exposed = pods.Exposed(services, everyone)

    def serving(self, room: AudioRoom, addresses: frozenset[pods.MediaAddress]) -> tuple[str, ...]:
        """The names of the pods behind these addresses. A new address makes it look for its pod at once."""
        known = pods.behind(room, addresses, self._pods, self._exposed)
        unknown = addresses - known.keys()
        if unknown - self._unknown:
            self._look.set()
        self._unknown = frozenset(unknown)
        return tuple(pods.serving(room, known, self._pods, self._exposed))
