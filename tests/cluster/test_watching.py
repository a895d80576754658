"""Watching against a real API server: what was listed, what happened, and what went while nobody looked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import pytest

from showstopper.cluster.client import Client
from showstopper.cluster.kinds import CONFIG_MAP
from showstopper.cluster.watching import Seen, changes

pytestmark = pytest.mark.apiserver
PATIENCE = 60


def config_map(namespace: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


async def next_of(watch: AsyncIterator[tuple[Seen, Any]]) -> tuple[Seen, str]:
    seen, body = await asyncio.wait_for(anext(watch), PATIENCE)
    return seen, body["metadata"]["name"] if body else ""


async def test_what_was_there_is_listed_and_what_happens_is_told(client: Client, namespace: str) -> None:
    await client.create(CONFIG_MAP, config_map(namespace, "one"))
    watch = changes(client, CONFIG_MAP, namespace, fields={"metadata.name": "one"})
    async with aclosing(cast("Any", watch)):
        assert await next_of(watch) == (Seen.LISTED, "one")
        assert await next_of(watch) == (Seen.SYNCED, "")
        await client.create(CONFIG_MAP, config_map(namespace, "other"))
        await client.patch(CONFIG_MAP, namespace, "one", [{"op": "add", "path": "/data", "value": {"a": "b"}}])
        assert await next_of(watch) == (Seen.CHANGED, "one")
        await client.delete(CONFIG_MAP, namespace, "one")
        assert await next_of(watch) == (Seen.DELETED, "one")


async def test_a_connection_that_is_silent_is_made_anew_and_what_went_meanwhile_is_told(
    client: Client, namespace: str
) -> None:
    await client.create(CONFIG_MAP, config_map(namespace, "going"))
    watch = changes(client, CONFIG_MAP, namespace, fields={"metadata.name": "going"}, silence=0.5)
    async with aclosing(cast("Any", watch)):
        assert await next_of(watch) == (Seen.LISTED, "going")
        assert await next_of(watch) == (Seen.SYNCED, "")
        assert await next_of(watch) == (Seen.LISTED, "going")  # the second connection's
        assert await next_of(watch) == (Seen.SYNCED, "")
        await client.delete(CONFIG_MAP, namespace, "going")
        told = [await next_of(watch)]
        while told[-1][0] is not Seen.DELETED:
            told.append(await next_of(watch))
        assert await next_of(watch) == (Seen.SYNCED, "")
        assert told[-1] == (Seen.DELETED, "going")
