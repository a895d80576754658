"""Components: the pods of a room's components as they are remembered, which of them serve, and what they run."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
MOST_GONE = 256


@dataclass(frozen=True, slots=True)
class GonePod:
    """A pod of a component that ended, or was told to.

    Attributes:
        at: when that was seen, in Unix seconds.
    """

    at: float
    component: str
    name: str
    uid: str


class Components:
    """What the components of one room run now, and since when.

    Attributes:
        release: their images.
        changes: when they were first seen to run others (Unix seconds), and which, the newest last.
        gone: their pods that went, the newest last.
        problem: what is wrong with how the room describes them.
        refusal: why the room cannot be one as it describes them. Empty if it can.
    """

    def __init__(self, client: Client, clock: Clock, pod_cache: PodCache) -> None:
        self.release: tuple[ComponentImage, ...] = ()
        self.changes: deque[tuple[float, tuple[ComponentImage, ...]]] = deque(maxlen=MOST_CHANGES)
        self.gone: deque[GonePod] = deque(maxlen=MOST_GONE)
        self.problem = ""
        self.refusal = ""
        self._client = client
        self._clock = clock
        self._pod_cache = pod_cache
        self._by_component: dict[str, list[Object]] = {}
        self._exposed = pods.Exposed()
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
        before, now = self._staying(), self._clock.now()
        self._by_component = {name: list(selection.running) for name, selection in selections.items()}
        staying = self._staying()
        self.gone.extend(GonePod(now, *pod, uid) for uid, pod in before.items() if uid not in staying)
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

    def _staying(self) -> dict[str, tuple[str, str]]:
        """By UID, component and name of the pods that nobody has told to end, at the last look."""
        return {
            pod["metadata"]["uid"]: (component, pod["metadata"]["name"])
            for component, group in self._by_component.items()
            for pod in group
            if pod["metadata"].get("deletionTimestamp") is None
        }

    def gone_since(self, moment: float) -> tuple[GonePod, ...]:
        """The pods that were seen to go since then. One that is there after all was only not told of for a while."""
        staying = self._staying()
        return tuple(pod for pod in self.gone if pod.at >= moment and pod.uid not in staying)

    async def _expose(self, room: AudioRoom, everyone: Sequence[Object]) -> None:
        """Look for the Services of addresses that no pod has. Without the right to list them there are none."""
        owned = pods.behind(room, self._unknown, self._by_component, pods.Exposed())
        if self._unknown == owned.keys():
            return
        try:
            self._exposed = pods.Exposed(await self._client.list(SERVICE, room.metadata.namespace), everyone)
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
