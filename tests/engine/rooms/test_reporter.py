"""Reporter: the status lands on the room that it was found for, and nowhere else."""

import asyncio
from typing import Any

import pytest

from showstopper.api.room import AudioRoom, AudioRoomStatus
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM
from showstopper.engine.rooms import status
from showstopper.engine.rooms.reporter import Reporter
from showstopper.engine.rooms.status import Figures
from showstopper.errors import NotFound
from tests.engine.rooms.storing import make_room
from tests.engine.rooms.test_status import NOW, WELL

pytestmark = pytest.mark.apiserver


def wanted(here: AudioRoom, audible: str = "100%") -> AudioRoomStatus:
    return status.compose(here, WELL, Figures(audible), NOW)


async def stored(client: Client, here: AudioRoom) -> dict[str, Any]:
    return await client.get(AUDIO_ROOM, *here.key)


async def test_a_status_is_written_whole_and_only_when_it_is_due(client: Client) -> None:
    here = await make_room(client)
    reporter = Reporter(client, here.status)
    await reporter.report(here, wanted(here), 1000.0)
    first = await stored(client, here)
    assert AudioRoom.parse(first).status == wanted(here) == reporter.written
    await reporter.report(here, wanted(here, "50%"), 1009.0)
    assert (await stored(client, here))["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    await reporter.report(here, wanted(here, "50%"), 1010.0)
    assert (await stored(client, here))["status"]["audible"] == "50%"


async def test_another_room_of_the_same_name_gets_no_status_of_the_old_one(client: Client) -> None:
    old = await make_room(client)
    await client.delete(AUDIO_ROOM, *old.key)
    with pytest.raises(NotFound):
        await stored(client, old)
    fresh = await client.create(
        AUDIO_ROOM,
        {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "AudioRoom",
            "metadata": {"name": old.metadata.name, "namespace": "show"},
            "spec": {
                "livekit": {"url": "ws://other:7880", "room": "r", "credentialsSecretRef": {"name": "keys"}},
                "components": [{"name": "relay", "selector": {"matchLabels": {"a": "b"}}}],
            },
        },
    )
    reporter = Reporter(client, old.status)
    await reporter.report(old, wanted(old), 1000.0)
    body = await stored(client, old)
    assert body["metadata"]["uid"] == fresh["metadata"]["uid"] != old.metadata.uid
    assert body["status"] == fresh["status"]
    assert reporter.written == old.status


async def test_a_status_of_a_room_that_is_gone_is_no_error(client: Client) -> None:
    here = await make_room(client)
    await client.delete(AUDIO_ROOM, *here.key)
    reporter = Reporter(client, here.status)
    await reporter.report(here, wanted(here), 1000.0)
    assert reporter.written == here.status


async def test_a_status_that_meets_another_writer_is_written_all_the_same(client: Client) -> None:
    here = await make_room(client)
    reporter = Reporter(client, here.status)

    async def annotate() -> None:
        for number in range(20):
            value = {"example.org/number": str(number)}
            await client.patch(AUDIO_ROOM, *here.key, [{"op": "add", "path": "/metadata/annotations", "value": value}])

    await asyncio.gather(annotate(), *(reporter.report(here, wanted(here), 1000.0 + second) for second in (0, 2, 4)))
    assert AudioRoom.parse(await stored(client, here)).status == wanted(here)
