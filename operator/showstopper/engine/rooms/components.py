"""Components: the pods of a room's components as they are remembered, which of them serve, and what they run."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from showstopper.api.room import AudioRoom, ComponentImage
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import SERVICE
from showstopper.engine.rooms import pods
from showstopper.engine.rooms.pod_cache import PodCache
from showstopper.errors import Forbidden, InvalidResource, ShowstopperError

log = structlog.get_logger()

UNKNOWN_SECONDS = 10.0
"""So often the Services of an address are looked for that no pod has."""
LEAST_SECONDS = 2.0
"""A rollout changes a pod many times a second, and its release is shown to people."""
MOST_CHANGES = 64


@dataclass(frozen=True, slots=True)
class ComponentPod:
    """A pod of a component that nobody has told to end.

    Attributes:
        created: when the API server made it (RFC 3339, whole seconds).
    """

    component: str
    name: str
    uid: str
    created: str


class Components:
    """What the components of one room run now, and since when.

    Attributes:
        release: their images.
        changes: when they were first seen to run others (Unix seconds), and which, the newest last.
        staying: their pods that nobody has told to end, at the last look.
        problem: what is wrong with how the room describes them.
        refusal: why the room cannot be one as it describes them. Empty if it can.
    """

    def __init__(self, client: Client, clock: Clock, pod_cache: PodCache) -> None:
        self.release: tuple[ComponentImage, ...] = ()
        self.changes: deque[tuple[float, tuple[ComponentImage, ...]]] = deque(maxlen=MOST_CHANGES)
        self.staying: tuple[ComponentPod, ...] = ()
        self.problem = ""
        self.refusal = ""
        self._client = client
        self._clock = clock
        self._pod_cache = pod_cache
        self._by_component: dict[str, list[Object]] = {}
        self._exposed = pods.ServicesAndPods()
        self._unknown: frozenset[pods.MediaAddress] = frozenset()
        self._look = asyncio.Event()

    def changed(self) -> None:
        """A pod of the room's namespace changed, or the room did: look again."""
        self._look.set()

    @property
    def all(self) -> list[Object]:
        """The pods of all components, at the last look."""
        return [pod for group in self._by_component.values() for pod in group]

    async def run(self, room: Callable[[], AudioRoom]) -> None:
        """Look for ever, whenever something has changed."""
        await self._pod_cache.pods_synced(room().metadata.namespace)
        while True:
            self._look.clear()
            try:
                await self.look(room())
            except ShowstopperError as error:
                log.warning("components_not_seen", room=room().metadata.name, error=str(error))
            await asyncio.sleep(LEAST_SECONDS)
            try:
                async with asyncio.timeout(UNKNOWN_SECONDS - LEAST_SECONDS if self._unknown else None):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def look(self, room: AudioRoom) -> None:
        """Look once."""
        everyone = self._pod_cache.of(room.metadata.namespace)
        selections = {component.name: pods.select(component, everyone) for component in room.spec.components}
        self._by_component = {name: list(selection.running) for name, selection in selections.items()}
        self.staying = tuple(self._staying())
        self.refusal = next(
            (
                pods.selects_fleet(component, [pod["metadata"]["name"] for pod in fleet])
                for component in room.spec.components
                if (fleet := selections[component.name].fleet)
            ),
            "",
        )
        release = self.release
        try:
            self.release, self.problem = tuple(pods.images(room, self._by_component)), ""
        except InvalidResource as error:
            self.release, self.problem = (), str(error)
        if self.release != release:
            self.changes.append((self._clock.now(), self.release))
        await self._expose(room, everyone)

    def _staying(self) -> Iterator[ComponentPod]:
        for component, group in self._by_component.items():
            for metadata in (pod["metadata"] for pod in group if pods.is_live(pod)):
                created = metadata.get("creationTimestamp", "")
                yield ComponentPod(component, metadata["name"], metadata["uid"], created)

    async def _expose(self, room: AudioRoom, everyone: Sequence[Object]) -> None:
        """Look for the Services of addresses that no pod has. Without the right to list them there are none."""
        owned = pods.behind(room, self._unknown, self._by_component, pods.ServicesAndPods())
        if self._unknown == owned.keys():
            return
        try:
            self._exposed = pods.ServicesAndPods(await self._client.list(SERVICE, room.metadata.namespace), everyone)
        except Forbidden:
            return

    def behind(self, room: AudioRoom, addresses: frozenset[pods.MediaAddress]) -> Mapping[pods.MediaAddress, pods.Pod]:
        """The pods behind these addresses. A new address of no known pod makes it look at once."""
        known = pods.behind(room, addresses, self._by_component, self._exposed)
        unknown = addresses - known.keys()
        if unknown - self._unknown:
            self._look.set()
        self._unknown = frozenset(unknown)
        return known

    def serving(self, room: AudioRoom, addresses: frozenset[pods.MediaAddress]) -> frozenset[str]:
        """The components that have a pod behind one of these addresses."""
        uids = {pod["metadata"]["uid"] for pod in self.behind(room, addresses).values()}
        return frozenset(
            name for name, group in self._by_component.items() if any(pod["metadata"]["uid"] in uids for pod in group)
        )
