"""The client against a real API server: what comes back, and what each refusal is called."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client, selector
from showstopper.cluster.kinds import EXPERIMENT_RUN, LEASE, NAMESPACE
from showstopper.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound, SettingsError, Unavailable
from tests.cluster.wires import wired

pytestmark = pytest.mark.apiserver


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    async with await Client.connect(server.kubeconfig) as found:
        yield found


def lease(name: str, **labels: str) -> dict[str, Any]:
    """A small object that any API server takes."""
    return {
        "apiVersion": LEASE.group_version,
        "kind": LEASE.name,
        "metadata": {"name": name, "namespace": "show", "labels": labels},
        "spec": {"holderIdentity": "a"},
    }


async def test_what_is_created_is_read_listed_and_deleted(client: Client) -> None:
    made = await client.create(LEASE, lease("one", kind="listed"))
    assert (await client.get(LEASE, "show", "one"))["metadata"]["uid"] == made["metadata"]["uid"]
    assert [item["metadata"]["name"] for item in await client.list(LEASE, "show", labels={"kind": "listed"})] == ["one"]
    await client.delete(LEASE, "show", "one", uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        await client.get(LEASE, "show", "one")


async def test_a_delete_of_another_uid_is_a_conflict(client: Client) -> None:
    await client.create(LEASE, lease("uid"))
    with pytest.raises(Conflict):
        await client.delete(LEASE, "show", "uid", uid="another")


async def test_a_second_create_is_a_conflict(client: Client) -> None:
    await client.create(LEASE, lease("twice"))
    with pytest.raises(Conflict):
        await client.create(LEASE, lease("twice"))


async def test_a_json_patch_whose_test_fails_is_a_conflict_and_a_wrong_one_is_invalid(client: Client) -> None:
    await client.create(LEASE, lease("patched"))
    stale = {"op": "test", "path": "/metadata/resourceVersion", "value": "1"}
    with pytest.raises(Conflict, match="changed meanwhile"):
        await client.patch(LEASE, "show", "patched", [stale])
    wrong = {"op": "add", "path": "/spec/leaseDurationSeconds", "value": -1}
    with pytest.raises(Invalid, match="greater than 0"):
        await client.patch(LEASE, "show", "patched", [wrong])


async def test_apply_takes_over_and_refuses_unknown_fields(client: Client) -> None:
    await client.create(LEASE, lease("applied"))
    body = lease("applied") | {"spec": {"holderIdentity": "b"}}
    assert (await client.apply(LEASE, body))["spec"]["holderIdentity"] == "b"
    with pytest.raises(Invalid, match="hodler"):
        await client.apply(LEASE, body | {"spec": {"hodler": "b"}})


async def test_who_may_not_is_forbidden(server: ApiServer) -> None:
    async with await Client.connect(server.user("nobody")) as client:
        with pytest.raises(Forbidden, match="cannot list"):
            await client.list(NAMESPACE)


async def test_an_unknown_kind_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        await client.get(EXPERIMENT_RUN, "show", "none")


async def test_nobody_answering_is_unavailable() -> None:
    from kubernetes.aio.client.configuration import Configuration

    configuration = Configuration()
    configuration.host = "http://127.0.0.1:9"
    async with Client(configuration) as client:
        with pytest.raises(Unavailable, match="no answer from the API server"):
            await client.create(LEASE, lease("unsent"))


async def test_no_kubeconfig_is_one_clear_error(tmp_path: Any) -> None:
    with pytest.raises(SettingsError, match="--kubeconfig"):
        await Client.connect(tmp_path / "none")


async def test_a_listing_of_metadata_comes_in_pages_and_holds_nothing_else(client: Client) -> None:
    for number in range(3):
        await client.create(LEASE, lease(f"paged-{number}", kind="paged"))
    query = {"labelSelector": selector({"kind": "paged"})}
    pages = [page async for page in client.pages(LEASE, "show", query, size=2, metadata_only=True)]
    assert [len(page["items"]) for page in pages] == [2, 1]
    items = [item for page in pages for item in page["items"]]
    assert [item["metadata"]["name"] for item in items] == ["paged-0", "paged-1", "paged-2"]
    assert not any("spec" in item for item in items)


async def test_a_listing_of_nothing_is_one_page_without_items(client: Client) -> None:
    pages = [page async for page in client.pages(EXPERIMENT_RUN, size=2, metadata_only=True)]
    assert [page["items"] for page in pages] == [[]]


async def test_one_watch_request_tells_what_changes_and_ends(client: Client) -> None:
    made = await client.create(LEASE, lease("before", kind="watched"))
    await client.create(LEASE, lease("after", kind="watched"))
    await client.create(LEASE, lease("other", kind="unwatched"))
    await client.delete(LEASE, "show", "before")
    query = {"labelSelector": selector({"kind": "watched"})}
    version = made["metadata"]["resourceVersion"]
    events = [
        event
        async for event in client.watch_once(
            LEASE, "show", query, version=version, seconds=1, begin_timeout=10, end_timeout=30
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
