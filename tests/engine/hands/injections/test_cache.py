"""The injection cache: answers to our own writes at once, what is watched as it happens, and each to its run."""

import asyncio
from typing import Any, cast

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.injection import LEASE_LABEL
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import INJECTION
from showstopper.engine.hands.injections.cache import InjectionCache
from showstopper.errors import Forbidden
from tests.api.build import injection
from tests.support import build

PATIENCE = 60


def run(uid: str) -> ExperimentRun:
    made = build.run("kill")
    made.metadata.uid = uid
    return made


def body(name: str, *, run: str = "u-3", version: int = 0, **spec: Any) -> Object:
    """An Injection of a run; with a version it is one that the API server has stored."""
    made = injection({"metadata.name": name, "spec.run.uid": run, **spec})
    made["metadata"]["labels"] = {LEASE_LABEL: "kill-1"}
    if version:
        made["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": str(version)}
    return made


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.count = 0
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self.count += 1
        self._rung.set()

    async def wait(self) -> None:
        """Wait until it is rung."""
        await asyncio.wait_for(self._rung.wait(), PATIENCE)
        self._rung.clear()


async def test_an_answer_is_known_at_once_and_told_to_its_run_only() -> None:
    cache = InjectionCache(cast("Client", None), Clock())
    own, other = Bell(), Bell()
    cache.subscribe(run("u-3"), own.ring)
    cache.subscribe(run("u-4"), other.ring)
    cache.learn(body("a", version=5))
    cache.learn(body("a", version=5))
    assert [each.metadata.name for each in cache.of("u-3")] == ["a"]
    assert cache.of("u-4") == []
    assert (own.count, other.count) == (1, 0)


async def test_a_run_that_has_ended_is_told_nothing() -> None:
    cache = InjectionCache(cast("Client", None), Clock())
    bell = Bell()
    cache.subscribe(run("u-3"), bell.ring).end()
    cache.learn(body("a", version=5))
    assert bell.count == 0


async def test_an_injection_is_silent_until_it_changes_and_again_when_it_no_longer_does() -> None:
    cache = InjectionCache(cast("Client", None), Clock())
    injections = cache.subscribe(run("u-3"), lambda: None)
    cache.learn(body("a", version=5))
    assert injections.silent(30) == []
    assert [each.metadata.name for each in injections.silent(-1)] == ["a"]


async def test_one_that_cannot_be_read_changes_nothing() -> None:
    cache = InjectionCache(cast("Client", None), Clock())
    cache.learn(body("a", version=5))
    cache.learn(body("a", version=6) | {"spec": {"nonsense": True}})
    assert [each.metadata.resource_version for each in cache.of("u-3")] == ["5"]


@pytest.mark.apiserver
async def test_what_others_do_wakes_the_run_that_waits_and_a_deletion_too(client: Client) -> None:
    cache = InjectionCache(client, Clock())
    bell = Bell()
    injections = cache.subscribe(run("u-3"), bell.ring)
    assert await asyncio.wait_for(injections.all(), PATIENCE) == []
    await client.create(INJECTION, body("a"))
    await bell.wait()
    assert [each.metadata.name for each in await injections.all()] == ["a"]
    await client.delete(INJECTION, "show", "a")
    await bell.wait()
    assert await injections.all() == []
    assert bell.count == 2


@pytest.mark.apiserver
async def test_who_may_not_list_them_is_refused(server: ApiServer) -> None:
    async with await Client.connect(server.user("nobody")) as client:
        with pytest.raises(Forbidden, match="cannot list"):
            await asyncio.wait_for(InjectionCache(client, Clock()).synced_or_failed(), PATIENCE)
