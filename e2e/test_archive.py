"""The archive: what was heard in a run is told when the run is gone, also if the archive was away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dev import stage
from showstopper.archive import reading
from showstopper.archive.reading import Record
from showstopper.availability import coverage
from showstopper.cluster.client import Client
from showstopper.errors import ArchiveError
from tests.support.staged_room import LONG, Object, Show, condition, eventually, experiment, told

pytestmark = [pytest.mark.cluster, pytest.mark.alone]

DEPLOYMENT = f"/apis/apps/v1/namespaces/{stage.SYSTEM}/deployments/showstopper-archive"


@pytest.fixture
def archive(show: Show) -> Iterator[Show]:
    """The room, with an archive that is ready when the test begins and when it is over."""
    eventually("the archive is ready", LONG, lambda: is_archived(show))
    yield show
    scale(show, 1)


def scale(show: Show, replicas: int) -> None:
    show.api.merge(DEPLOYMENT, {"spec": {"replicas": replicas}})


def is_archived(show: Show) -> bool:
    room = show.api.get(show.path("audiorooms", stage.ROOM))
    return any(entry["type"] == "Archived" and entry["status"] == "True" for entry in room["status"]["conditions"])


async def ask(show: Show, uid: str) -> Record | None:
    """The record, when the run's verdict is in it."""
    async with await Client.connect(show.cluster.kubeconfig) as client:
        try:
            record = await reading.record(client, uid)
        except ArchiveError:
            return None
    return record if record.run.finished and record.told else None


def record(show: Show, run: Object) -> Record:
    return eventually("the record", 60, lambda: asyncio.run(ask(show, run["metadata"]["uid"])), every=0.5)


def test_a_record_outlives_its_run_and_an_archive_that_was_away(archive: Show) -> None:
    show = archive
    scale(show, 0)
    show.apply(experiment("archived"))
    _, run = show.verdict("archived")
    assert run["status"]["verdict"] == "Passed", told(run)

    def is_named() -> bool:
        room = show.api.get(show.path("audiorooms", stage.ROOM))
        archived = condition(room, "Archived")
        return (archived["status"], archived["reason"]) == ("False", "ArchiveUnavailable")

    eventually("the archive that does not answer is named", 120, is_named)
    assert condition(show.api.get(show.path("audiorooms", stage.ROOM)), "Ready")["status"] == "True"

    scale(show, 1)
    kept = record(show, run)
    assert (kept.gone, kept.body["status"]["verdict"]) == (False, "Passed")
    show.cluster.run_kubectl("--namespace", show.namespace, "delete", "experimentrun", run["metadata"]["name"])
    eventually("the deletion is noted", 60, lambda: record(show, run).gone, every=0.5)

    kept = record(show, run)
    view = kept.timeline.view(kept.window, 2)
    assert coverage.of(view).unknown_share < 0.05
    assert {track.listener.rpartition("/")[0] for track in view.residents} == {
        f"{stage.ROOM}-listeners-0",
        f"{stage.ROOM}-listeners-1",
    }
