"""What a room's components run, as a watch tells it: nobody lists their pods again and again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from showstopper.clock import Clock, from_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import POD, SERVICE, Kind
from showstopper.engine.rooms.components import Components
from showstopper.engine.rooms.pod_cache import PodCache
from tests.support import build, stored_objects
from tests.support.operator_harness import until

pytestmark = pytest.mark.apiserver


class Listing:
    """A client that notes what is listed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.listed: list[Kind] = []

    async def list(self, kind: Kind, namespace: str = "", **rest: Any) -> list[Object]:
        self.listed.append(kind)
        return await self._client.list(kind, namespace, **rest)


@pytest.fixture
async def pod_cache(client: Client, namespace: str) -> AsyncIterator[PodCache]:
    made = PodCache(client)
    yield made
    made.follow([])


async def test_the_pods_are_those_that_the_watch_told(client: Client, namespace: str, pod_cache: PodCache) -> None:
    room = build.room()
    room.metadata.namespace = namespace
    asked = Listing(client)
    components = Components(asked, Clock(), pod_cache)  # type: ignore[arg-type]
    pod_cache.add_observer(lambda _: components.changed())
    running = asyncio.create_task(components.run(lambda: room))
    await stored_objects.pod(client, namespace, "a")
    pod_cache.follow([namespace])

    async def runs(name: str) -> bool:
        return [image.image for image in components.release] == [name]

    await until(lambda: runs("livekit:1"), "the image of the pod that was there")
    (pod,) = components.staying
    assert (pod.component, pod.name) == ("relay", "a")
    assert abs(from_timestamp(pod.created) - Clock().now()) < 60
    await client.delete(POD, namespace, "a", grace_seconds=0)

    async def nothing() -> bool:
        return not components.release

    await until(nothing, "the end of it")
    assert not components.staying
    assert len(components.changes) == 2
    assert asked.listed == []
    address = frozenset({("198.18.9.9", 7882)})
    assert not components.behind(room, address), "no pod has it"

    async def looked() -> bool:
        return asked.listed == [SERVICE]

    await until(looked, "a look for the Service of an address that no pod has")
    running.cancel()
