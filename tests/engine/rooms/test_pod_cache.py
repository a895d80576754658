"""The pod cache: the pods of the namespaces that are followed, slimmed to what a plan reads."""

import asyncio
from collections.abc import Callable

import pytest

from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.engine.rooms.pod_cache import PodCache, slim
from tests.engine.rooms import build
from tests.support import stored_objects

PATIENCE = 60


def test_what_no_plan_reads_is_left_out() -> None:
    pod = build.pod("relay-0", labels={"app": "relay"})
    pod["metadata"] |= {"annotations": {"a": "b" * 1000}, "managedFields": [{}]}
    slimmed = slim(pod)
    assert slimmed["metadata"] == {key: pod["metadata"][key] for key in ("name", "namespace", "uid", "labels")}
    assert set(slimmed["spec"]) <= {"hostNetwork", "nodeName", "containers"}
    assert set(slimmed["status"]) == {"phase", "podIP", "hostIP", "conditions", "containerStatuses"}


async def until(holds: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never came: {what}")


@pytest.mark.apiserver
async def test_it_knows_the_pods_of_the_namespaces_that_it_follows_and_of_no_others(client: Client) -> None:
    for namespace in ("followed", "other"):
        await stored_objects.namespace(client, namespace)
        await stored_objects.pod(client, namespace, "a")
    cache = PodCache(client)
    cache.follow(["followed"])
    await until(lambda: [pod["metadata"]["name"] for pod in cache.of("followed")] == ["a"], "the pod")
    assert cache.labels["followed"]
    assert cache.of("other") == []
    await client.delete(POD, "followed", "a", grace_seconds=0)
    await until(lambda: cache.of("followed") == [], "its deletion")
    cache.follow([])
    assert "followed" not in cache.labels
