"""The client against a real API server: what comes back, and what each refusal is called."""

import asyncio
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client, selector
from showstopper.cluster.kinds import EXPERIMENT_RUN, LEASE, NAMESPACE
from showstopper.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound, SettingsError, Unavailable
from tests.cluster.wires import wired

pytestmark = pytest.mark.apiserver


def lease(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    """A small object that any API server takes."""
    return {
        "apiVersion": LEASE.group_version,
        "kind": LEASE.name,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"holderIdentity": "a"},
    }


async def test_what_is_created_is_read_listed_and_deleted(client: Client, namespace: str) -> None:
    made = await client.create(LEASE, lease(namespace, "one", kind="listed"))
    assert (await client.get(LEASE, namespace, "one"))["metadata"]["uid"] == made["metadata"]["uid"]
    (listed,) = await client.list(LEASE, namespace, labels={"kind": "listed"})
    assert listed["metadata"]["name"] == "one"
    await client.delete(LEASE, namespace, "one", uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        await client.get(LEASE, namespace, "one")


async def test_a_delete_of_another_uid_is_a_conflict(client: Client, namespace: str) -> None:
    await client.create(LEASE, lease(namespace, "uid"))
    with pytest.raises(Conflict):
        await client.delete(LEASE, namespace, "uid", uid="another")


async def test_a_second_create_is_a_conflict(client: Client, namespace: str) -> None:
    await client.create(LEASE, lease(namespace, "twice"))
    with pytest.raises(Conflict):
        await client.create(LEASE, lease(namespace, "twice"))


async def test_a_json_patch_whose_test_fails_is_a_conflict_and_a_wrong_one_is_invalid(
    client: Client, namespace: str
) -> None:
    await client.create(LEASE, lease(namespace, "patched"))
    stale = {"op": "test", "path": "/metadata/resourceVersion", "value": "1"}
    with pytest.raises(Conflict, match="changed meanwhile"):
        await client.patch(LEASE, namespace, "patched", [stale])
    wrong = {"op": "add", "path": "/spec/leaseDurationSeconds", "value": -1}
    with pytest.raises(Invalid, match="greater than 0"):
        await client.patch(LEASE, namespace, "patched", [wrong])


async def test_apply_takes_over_and_refuses_unknown_fields(client: Client, namespace: str) -> None:
    await client.create(LEASE, lease(namespace, "applied"))
    body = lease(namespace, "applied") | {"spec": {"holderIdentity": "b"}}
    assert (await client.apply(LEASE, body))["spec"]["holderIdentity"] == "b"
    with pytest.raises(Invalid, match="hodler"):
        await client.apply(LEASE, body | {"spec": {"hodler": "b"}})


async def test_who_may_not_is_forbidden(server: ApiServer) -> None:
    async with await Client.connect(server.user("nobody")) as client:
        with pytest.raises(Forbidden, match="cannot list"):
            await client.list(NAMESPACE)


async def test_an_unknown_kind_is_not_found(client: Client, namespace: str) -> None:
    with pytest.raises(NotFound):
        await client.get(EXPERIMENT_RUN, namespace, "none")


async def test_nobody_answering_is_unavailable() -> None:
    from kubernetes.aio.client.configuration import Configuration

    configuration = Configuration()
    configuration.host = "http://127.0.0.1:9"
    async with Client(configuration) as client:
        with pytest.raises(Unavailable, match="no answer from the API server"):
            await client.create(LEASE, lease("show", "unsent"))


async def test_no_kubeconfig_is_one_clear_error(tmp_path: Any) -> None:
    with pytest.raises(SettingsError, match="--kubeconfig"):
        await Client.connect(tmp_path / "none")


async def test_a_listing_of_metadata_comes_in_pages_and_holds_nothing_else(client: Client, namespace: str) -> None:
    for number in range(3):
        await client.create(LEASE, lease(namespace, f"paged-{number}", kind="paged"))
    query = {"labelSelector": selector({"kind": "paged"})}
    pages = [page async for page in client.pages(LEASE, namespace, query, size=2, metadata_only=True)]
    assert [len(page["items"]) for page in pages] == [2, 1]
    items = [item for page in pages for item in page["items"]]
    assert [item["metadata"]["name"] for item in items] == ["paged-0", "paged-1", "paged-2"]
    assert not any("spec" in item for item in items)


async def test_a_listing_of_nothing_is_one_page_without_items(client: Client, namespace: str) -> None:
    pages = [page async for page in client.pages(EXPERIMENT_RUN, namespace, size=2, metadata_only=True)]
    assert [page["items"] for page in pages] == [[]]


async def test_one_watch_request_tells_what_changes_and_ends(client: Client, namespace: str) -> None:
    made = await client.create(LEASE, lease(namespace, "before", kind="watched"))
    await client.create(LEASE, lease(namespace, "after", kind="watched"))
    await client.create(LEASE, lease(namespace, "other", kind="unwatched"))
    await client.delete(LEASE, namespace, "before")
    query = {"labelSelector": selector({"kind": "watched"})}
    version = made["metadata"]["resourceVersion"]
    events = [
        event
        async for event in client.watch_once(
            LEASE, namespace, query, version=version, seconds=1, begin_timeout=10, end_timeout=30
        )
    ]
    changes = [(event["type"], event["object"]["metadata"]["name"]) for event in events if event["type"] != "BOOKMARK"]
    assert changes == [("ADDED", "after"), ("DELETED", "before")]


async def test_a_watch_request_that_does_not_begin_in_time_is_unavailable(server: ApiServer) -> None:
    async with wired(server) as (wire, client):
        await client.list(LEASE, "show")
        wire.cut()
        events = client.watch_once(LEASE, "show", {}, version="1", seconds=30, begin_timeout=0.2, end_timeout=30)
        with pytest.raises(Unavailable, match="not begun"):
            await asyncio.wait_for(anext(events), 60)


async def test_a_watch_request_from_a_version_that_is_too_old_is_an_error_with_its_status(client: Client) -> None:
    # A custom resource's watch cache begins with its CRD: what was before is forgotten.
    with pytest.raises(ClusterError) as raised:
        async for _ in client.watch_once(
            EXPERIMENT_RUN, "show", {}, version="1", seconds=1, begin_timeout=10, end_timeout=30
        ):
            pass
    assert raised.value.status == 410


def test_a_selector_asks_for_values_or_for_presence() -> None:
    assert selector({"a": "1", "b": ""}) == "a=1,b"
