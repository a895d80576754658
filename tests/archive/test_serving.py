from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Engine, text

from showstopper.archive import serving, writing
from showstopper.archive.feeds import Feeds, listener_pods
from showstopper.archive.keeper import Keeper
from showstopper.archive.reading import record_of
from showstopper.archive.runs import Runs
from showstopper.availability.spans import State
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from tests.archive.build import run, told
from tests.availability.build import EPOCH, H, L
from tests.availability.build import spans as story


class Archive:
    """An archive's parts, and a client of what it serves."""

    def __init__(self, database: Engine) -> None:
        self.keeper = Keeper(database, Clock())
        nobody = cast("Client", None)
        self.feeds = Feeds(listener_pods(nobody), self.keeper, Clock(), cast("ClientSession", None))
        self.runs = Runs(nobody, self.keeper, Clock())
        self.http = TestClient(TestServer(serving.application(self.keeper, self.feeds, self.runs)))

    async def get(self, path: str) -> tuple[int, Any]:
        answer = await self.http.get(path)
        return answer.status, await (answer.json() if answer.content_type == "application/json" else answer.text())


@pytest.fixture
async def archive(empty: Engine) -> AsyncIterator[Archive]:
    served_archive = Archive(empty)
    await served_archive.keeper.open()
    with empty.begin() as connection:
        writing.keep_runs(connection, [run(1), run(2, start=60, end=90), run(3, experiment="loss")], EPOCH + 100)
        writing.keep_feed(connection, told(story("pod-0/0", [(L, 20), (H, 10)]), clock=40))
    async with served_archive.http:
        yield served_archive
    await served_archive.keeper.close()


async def test_runs_are_listed_by_what_is_asked(archive: Archive) -> None:
    status, body = await archive.get("/v1/runs?namespace=show&experiment=kill&limit=5")
    assert status == 200
    assert [row["name"] for row in body["runs"]] == ["kill-2", "kill-1"]
    assert [row["name"] for row in (await archive.get("/v1/runs?before=kill-2-uid"))[1]["runs"]] == ["loss-3", "kill-1"]


async def test_a_record_is_read_from_what_is_served(archive: Archive) -> None:
    (_, kept), (_, heard) = await archive.get("/v1/runs/kill-1-uid"), await archive.get("/v1/runs/kill-1-uid/spans")
    record = record_of(kept, heard)
    (track,) = record.timeline.view(record.window, ["pod-0/0"]).residents
    assert [span.state for span in track.spans] == [State.LIVE, State.HOLD]


@pytest.mark.parametrize("path", ["/v1/runs/x", "/v1/runs/x/spans", "/v1/runs?before=x"])
async def test_a_run_that_is_not_kept_is_said_to_be_none(archive: Archive, path: str) -> None:
    status, said = await archive.get(path)
    assert (status, said["reason"]) == (404, "RunNotFound")
    assert "no run with the UID x is kept" in said["message"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=0", "from 1 to 10000"),
        ("limit=10001", "from 1 to 10000"),
        ("limit=x", "limit is 'x'"),
        ("limit=", "limit is ''"),
        ("verdict=Failed", "verdict: not known; there is before, experiment, limit, name, namespace"),
    ],
)
async def test_a_wrong_question_is_refused_with_what_to_write(archive: Archive, query: str, says: str) -> None:
    status, said = await archive.get(f"/v1/runs?{query}")
    assert status == 400
    assert says in said["message"]


async def test_nothing_is_changed_through_it(archive: Archive) -> None:
    for method in ("post", "put", "delete", "patch"):
        assert (await getattr(archive.http, method)("/v1/runs/kill-1-uid")).status == 405


async def test_words_in_a_question_are_words_and_no_statement(archive: Archive) -> None:
    status, body = await archive.get("/v1/runs?experiment=kill'%20OR%20'1'='1")
    assert (status, body) == (200, {"runs": []})


async def test_it_is_ready_when_the_runs_are_read_and_the_database_takes_them(archive: Archive) -> None:
    assert await archive.get("/readyz") == (503, "the runs are not read yet\n")
    archive.runs.followed = True
    assert await archive.get("/readyz") == (200, "ok\n")
    archive.keeper.trouble = "the database takes nothing: disk full"
    assert await archive.get("/readyz") == (503, "the database takes nothing: disk full\n")
    assert await archive.get("/healthz") == (200, "ok\n")
    _, figures = await archive.get("/metrics")
    assert "showstopper_archive_database_up 0.0" in figures


async def test_a_database_that_does_not_answer_is_said_so(archive: Archive, empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE runs"))
    for path in ("/v1/runs", "/v1/runs/kill-1-uid", "/v1/runs/kill-1-uid/spans"):
        status, said = await archive.get(path)
        assert (status, said["reason"]) == (503, "DatabaseUnavailable")
