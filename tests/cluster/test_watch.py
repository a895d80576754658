"""The watch against a real API server: what was listed, what has just happened, and how long a dead wire is trusted."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import AUDIO_ROOM, CONFIG_MAP
from showstopper.cluster.watch import WatchEvent, watch
from showstopper.errors import ClusterError
from tests.api.build import room
from tests.cluster.wires import wired

pytestmark = pytest.mark.apiserver
PATIENCE = 60
NUMBERS = itertools.count()
LISTING, LISTED, SYNCED = WatchEvent.LISTING, WatchEvent.LISTED, WatchEvent.SYNCED
CHANGED, DELETED = WatchEvent.CHANGED, WatchEvent.DELETED


@pytest.fixture
def group() -> str:
    """A value of the label `group` that no other test uses."""
    return f"watch-{next(NUMBERS)}"


def config_map(name: str, group: str) -> dict[str, Any]:
    metadata = {"name": f"{group}-{name}", "namespace": "show", "labels": {"group": group}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def change(value: str) -> list[Object]:
    return [{"op": "add", "path": "/data", "value": {"a": value}}]


async def next_of(events: AsyncGenerator[tuple[WatchEvent, Object], None]) -> tuple[WatchEvent, str]:
    """The next event, and the last part of the object's name."""
    event, body = await asyncio.wait_for(anext(events), PATIENCE)
    return event, body.get("metadata", {}).get("name", "").rpartition("-")[2]


async def test_what_was_there_is_listed_and_what_happens_is_told(client: Client, group: str) -> None:
    await client.create(CONFIG_MAP, config_map("a", group))
    name = f"{group}-a"
    async with aclosing(watch(client, CONFIG_MAP, "show", fields={"metadata.name": name})) as events:
        assert await next_of(events) == (LISTING, "")
        assert await next_of(events) == (LISTED, "a")
        assert await next_of(events) == (SYNCED, "")
        await client.create(CONFIG_MAP, config_map("b", group))
        await client.patch(CONFIG_MAP, "show", name, change("b"))
        assert await next_of(events) == (CHANGED, "a")
        await client.delete(CONFIG_MAP, "show", name)
        assert await next_of(events) == (DELETED, "a")


async def test_it_lists_page_by_page(client: Client, group: str) -> None:
    for name in ("a", "b", "c"):
        await client.create(CONFIG_MAP, config_map(name, group))
    async with aclosing(watch(client, CONFIG_MAP, labels={"group": group}, page=2)) as events:
        seen = [await next_of(events) for _ in range(5)]
    assert seen == [(LISTING, ""), (LISTED, "a"), (LISTED, "b"), (LISTED, "c"), (SYNCED, "")]


async def test_a_request_that_the_server_ends_goes_on_without_another_listing(client: Client, group: str) -> None:
    async with aclosing(watch(client, CONFIG_MAP, labels={"group": group}, silence=2.7)) as events:
        assert [await next_of(events) for _ in range(2)] == [(LISTING, ""), (SYNCED, "")]
        waiting = asyncio.ensure_future(anext(events))
        done, _ = await asyncio.wait({waiting}, timeout=5)  # the server ends each request after two seconds
        assert not done
        await client.create(CONFIG_MAP, config_map("a", group))
        event, body = await asyncio.wait_for(waiting, PATIENCE)
        assert (event, body["metadata"]["name"]) == (CHANGED, f"{group}-a")


async def test_a_connection_that_has_fallen_silent_is_noticed_and_everything_is_listed_again(
    server: ApiServer, client: Client, group: str
) -> None:
    failures: list[ClusterError] = []
    async with wired(server) as (wire, far):
        events = watch(far, CONFIG_MAP, labels={"group": group}, silence=2.7, on_failure=failures.append)
        async with aclosing(events):
            assert [await next_of(events) for _ in range(2)] == [(LISTING, ""), (SYNCED, "")]
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.wait({waiting}, timeout=0.5)  # the watch request is under way
            wire.silence()
            await client.create(CONFIG_MAP, config_map("a", group))
            began = asyncio.get_running_loop().time()
            assert (await asyncio.wait_for(waiting, PATIENCE))[0] is LISTING
            assert asyncio.get_running_loop().time() - began < 2.7 + 2
            # Not CHANGED: nobody knows how old it is.
            assert await next_of(events) == (LISTED, "a")
    assert failures


class Forgetful(Client):
    """Has the first watch begin at a version that the API server has forgotten: it is older than the object's CRD."""

    asked = 0

    async def watch_once(self, *arguments: Any, version: str, **settings: Any) -> AsyncGenerator[Object, None]:
        self.asked += 1
        async for event in super().watch_once(*arguments, version="1" if self.asked == 1 else version, **settings):
            yield event


async def test_a_version_that_is_too_old_is_no_failure_but_everything_is_listed_again(
    server: ApiServer, group: str
) -> None:
    failures: list[ClusterError] = []
    async with await Forgetful.connect(server.kubeconfig) as client:
        events = watch(client, AUDIO_ROOM, labels={"group": group}, on_failure=failures.append)
        async with aclosing(events):
            assert [await next_of(events) for _ in range(4)] == [(LISTING, ""), (SYNCED, "")] * 2
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.wait({waiting}, timeout=0.5)
            await client.create(AUDIO_ROOM, room({"metadata.name": group, "metadata.labels": {"group": group}}))
            assert (await asyncio.wait_for(waiting, PATIENCE))[0] is CHANGED
    assert not failures


async def test_who_may_not_list_is_told_so_and_asks_again(server: ApiServer) -> None:
    failures: list[ClusterError] = []
    async with (
        await Client.connect(server.user("nobody")) as client,
        aclosing(watch(client, CONFIG_MAP, on_failure=failures.append)) as events,
    ):
        assert [await next_of(events) for _ in range(2)] == [(LISTING, ""), (LISTING, "")]
    assert "cannot list" in str(failures[0])
