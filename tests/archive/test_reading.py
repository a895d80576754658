"""Reading through the API server's service proxy; here a small HTTP server in its place: no node runs in tests."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from showstopper.archive import reading
from showstopper.availability.spans import State
from showstopper.cluster.client import Client
from showstopper.errors import ArchiveError
from tests.archive.build import run
from tests.archive.proxied import HERE, Cluster, kept, proxied
from tests.availability.build import EPOCH, L, U, document, window
from tests.availability.build import spans as story


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[tuple[Cluster, Client]]:
    async with proxied(tmp_path) as cluster_and_client:
        yield cluster_and_client


async def test_a_record_is_the_run_and_what_its_room_told(cluster: tuple[Cluster, Client]) -> None:
    there, client = cluster
    kept(there)
    record = await reading.record(client, "kill-1-uid")
    assert record.run.status.verdict == "Passed"
    assert record.body == run()
    assert (record.gone, record.told, record.window) == (False, True, window(0, 30))
    (track,) = record.timeline.view(record.window, ["pod-0/0"]).residents
    assert [span.state for span in track.spans] == [State.LIVE, U]
    assert there.asked[0] == f"/api/v1/namespaces/{HERE}/services/showstopper-archive:http/proxy/v1/runs/kill-1-uid"


async def test_what_was_told_long_ago_is_not_forgotten(cluster: tuple[Cluster, Client]) -> None:
    there, client = cluster
    old = {**document([span.shifted(-EPOCH) for span in story("pod-0/0", [(L, 20)])], clock=10**6), "offset": EPOCH}
    kept(there, feeds=[old, {**old, "boot": "newer", "spans": []}])
    record = await reading.record(client, "kill-1-uid")
    (track,) = record.timeline.view(window(0, 20), ["pod-0/0"]).residents
    assert [span.state for span in track.spans] == [State.LIVE]


async def test_runs_are_asked_for_by_what_is_given(cluster: tuple[Cluster, Client]) -> None:
    there, client = cluster
    there.answers["v1/runs"] = {"runs": [{"name": "kill-1"}]}
    assert await reading.runs(client, of="show", experiment="kill", limit=5, namespace="else") == [{"name": "kill-1"}]
    assert there.asked == [
        "/api/v1/namespaces/else/services/showstopper-archive:http/proxy/v1/runs?namespace=show&experiment=kill&limit=5"
    ]


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        (404, 'services "showstopper-archive" not found', "archive.enabled=true"),
        (403, "services is forbidden", "you may not read the archive in namespace showstopper-system"),
        (503, "no endpoints available", "does not answer: no endpoints available"),
    ],
)
async def test_it_says_what_hinders(cluster: tuple[Cluster, Client], status: int, message: str, says: str) -> None:
    there, client = cluster
    there.refusal = status, message
    with pytest.raises(ArchiveError, match=says):
        await reading.record(client, "kill-1-uid")


async def test_a_run_that_is_not_kept_is_another_thing_than_no_archive(cluster: tuple[Cluster, Client]) -> None:
    with pytest.raises(ArchiveError, match="no run x is kept"):
        await reading.record(cluster[1], "another")


@pytest.mark.parametrize(
    "changed", [{"feeds": None}, {"from": "noon"}, {"feeds": [{"offset": 1}]}, {"feeds": [document()]}], ids=str
)
async def test_an_answer_that_cannot_be_read_is_none(cluster: tuple[Cluster, Client], changed: dict[str, Any]) -> None:
    there, client = cluster
    kept(there, **changed)
    with pytest.raises(ArchiveError, match="cannot be read"):
        await reading.record(client, "kill-1-uid")
    there.answers["v1/runs/kill-1-uid"] = "<html>"
    with pytest.raises(ArchiveError, match="does not answer"):
        await reading.record(client, "kill-1-uid")


async def test_the_namespace_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWSTOPPER_NAMESPACE", "mine")
    assert reading.system_namespace() == "mine"
    monkeypatch.delenv("SHOWSTOPPER_NAMESPACE")
    assert reading.system_namespace() == HERE
