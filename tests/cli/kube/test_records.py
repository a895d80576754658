"""Records of runs that are gone, or whose room is: the archive has them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.availability.spans import State
from showstopper.cli.kube import lookup, records
from showstopper.cluster.client import Client
from showstopper.errors import NotFound, NotRunYet, RunDeleted
from tests.archive.build import run
from tests.archive.proxied import Cluster, kept, proxied
from tests.availability.build import EPOCH, L, document
from tests.availability.build import spans as story
from tests.report import build as report

LISTED = {"uid": "kill-1-uid", "name": "kill-1"}


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[tuple[Cluster, Client]]:
    """No run, no room and no listener is there, only the archive."""
    async with proxied(tmp_path) as cluster_and_client:
        yield cluster_and_client


@pytest.mark.parametrize("filter_", ["name", "experiment"])
async def test_a_run_that_is_gone_is_found_by_its_name_or_its_experiment(
    cluster: tuple[Cluster, Client], filter_: str
) -> None:
    there, client = cluster
    heard = [span.shifted(-EPOCH) for span in story("main-stage-listeners-0/0", [(L, 20)])]
    kept(there, feeds=[{**document(heard, clock=40), "offset": EPOCH}])
    there.listed = {filter_: [LISTED]}
    gone_run = await records.find(client, "show", "kill-1")
    assert isinstance(gone_run, ExperimentRun)
    record = await records.of_run(client, gone_run)
    assert record.body == run()
    assert record.note == ""
    assert record.heard is not None
    states = {span.state for track in record.heard.tracks for span in track.spans}
    assert State.LIVE in states


def look_up(monkeypatch: pytest.MonkeyPatch, error: NotFound) -> None:
    """Have the cluster answer so to whoever asks for the experiment kill."""

    async def answer(*_: object) -> None:
        raise error

    monkeypatch.setattr(lookup, "run_or_game_day", answer)


async def test_the_newest_run_that_was_deleted_comes_from_the_archive_by_its_own_name(
    cluster: tuple[Cluster, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive may have a newer one of another experiment of that name."""
    there, client = cluster
    kept(there)
    there.listed = {"name": [LISTED], "experiment": [{"uid": "kill-0-uid", "name": "kill-0"}]}
    look_up(monkeypatch, RunDeleted("run kill-1 was deleted", run="kill-1"))
    assert (await records.find(client, "show", "kill")).metadata.name == "kill-1"
    assert "name=kill-1" in there.asked[0]


async def test_a_deleted_run_that_no_archive_has_is_told_as_deleted(
    cluster: tuple[Cluster, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, client = cluster
    there.refusal = (503, "no endpoints")
    look_up(monkeypatch, RunDeleted("run kill-1 was deleted", run="kill-1"))
    with pytest.raises(RunDeleted, match="kill-1 was deleted"):
        await records.find(client, "show", "kill")


async def test_an_experiment_without_a_run_is_not_told_of_by_that_of_another_one(
    cluster: tuple[Cluster, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, client = cluster
    kept(there)
    there.listed = {"experiment": [LISTED]}
    look_up(monkeypatch, NotRunYet("experiment show/kill has not run yet"))
    with pytest.raises(NotRunYet):
        await records.find(client, "show", "kill")


async def test_a_report_right_after_its_run_asks_listeners_for_what_the_archive_has_not_yet(
    cluster: tuple[Cluster, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, client = cluster
    listener = "main-stage-listeners-0/0"
    heard = [span.shifted(-EPOCH) for span in story(listener, [(L, 28)])]
    kept(there, feeds=[{**document(heard, clock=28), "offset": EPOCH}])
    # The pod's own clock is wrong, and no reason to move what the archive has.
    later = [span.shifted(28) for span in (each.shifted(-EPOCH) for each in story(listener, [(L, 12)]))]
    there.pods = {"pod-0": document(later, clock=40, wall=EPOCH + 40.4, first=2)}
    monkeypatch.setattr("showstopper.clock.Clock.now", lambda _: EPOCH + 41)
    record = await records.of_run(client, ExperimentRun.parse(run()))
    assert record.heard is not None
    track = next(track for track in record.heard.tracks if track.listener == listener)
    assert [(span.state, round(span.start - EPOCH, 3), round(span.end - EPOCH, 3)) for span in track.spans] == [
        (State.LIVE, 0.0, 30.0)
    ]


def with_crowd() -> dict[str, Any]:
    """A run of a room with a crowd of two."""
    body = run()
    body["spec"]["room"]["spec"]["listeners"]["crowd"] = {"count": 2, "perPod": 2}
    return body


KEPT_CROWD = {
    "boot": "boot-c",
    "room": "main-stage",
    "pod": "main-stage-crowd-0",
    "offset": EPOCH,
    "clock": {"monotonic": 32.0, "wall": EPOCH + 32.0},
    "until": 27.0,
    "changes": {"0": [[-50.0, "Live"]], "1": [[-50.0, "Live"], [10.0, "NoMedia"], [12.0, "Live"]]},
}


async def test_a_crowd_is_in_the_record_beside_the_listeners_and_is_completed_by_its_pods(
    cluster: tuple[Cluster, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, client = cluster
    kept(there, crowd=[KEPT_CROWD])
    there.pods = {
        "main-stage-crowd-0": {
            **{name: KEPT_CROWD[name] for name in ("boot", "room", "pod")},
            "clock": {"monotonic": 40.0, "wall": EPOCH + 40.4},
            "size": 2,
            "settledUntil": 35.0,
            "next": 7,
            "lost": 3,
            "changes": [{"slot": 0, "at": 28.0, "state": "Hold"}],
            "newest": [{"slot": 0, "at": 28.0, "state": "Hold"}, {"slot": 1, "at": 12.0, "state": "Live"}],
            "refusals": {},
            "instrument": {"kernelDrops": 0, "stalls": []},
        }
    }
    monkeypatch.setattr("showstopper.clock.Clock.now", lambda _: EPOCH + 41)
    record = await records.of_run(client, ExperimentRun.parse(with_crowd()))
    assert record.crowd is not None
    told = {
        track.listener: [(span.state, round(span.start - EPOCH), round(span.end - EPOCH)) for span in track.spans]
        for track in record.crowd.residents
    }
    assert told == {
        "main-stage-crowd-0/0": [(State.LIVE, 0, 27), (State.UNKNOWN, 27, 28), (State.HOLD, 28, 30)],
        "main-stage-crowd-0/1": [(State.LIVE, 0, 10), (State.NO_MEDIA, 10, 12), (State.LIVE, 12, 30)],
    }


@pytest.mark.parametrize("body", [run(), with_crowd()], ids=["no crowd", "nothing told of it"])
async def test_without_a_crowd_the_record_has_none(cluster: tuple[Cluster, Client], body: dict[str, Any]) -> None:
    there, client = cluster
    kept(there)
    assert (await records.of_run(client, ExperimentRun.parse(body))).crowd is None


def test_the_versions_are_those_of_the_release_that_was_tested() -> None:
    run = report.run(release=[report.image("sha256:new"), report.image("sha256:late")])
    tested = "r/livekit:v1.9.13 sha256:new, r/livekit:v1.9.13 sha256:late"
    assert records.versions(run, "")["relay/livekit"] == tested


async def test_what_no_archive_heard_is_not_known(cluster: tuple[Cluster, Client]) -> None:
    there, client = cluster
    kept(there, feeds=[])
    record = await records.of_run(client, ExperimentRun.parse(run()))
    assert record.heard is None
    assert record.note


@pytest.mark.parametrize("away", [False, True])
async def test_what_nobody_knows_is_not_there(cluster: tuple[Cluster, Client], *, away: bool) -> None:
    """Whether the archive knows it not, or does not answer: the message is about what was asked for."""
    there, client = cluster
    there.refusal = (503, "no endpoints") if away else None
    with pytest.raises(NotFound, match='no Experiment "kill-1" in namespace show'):
        await records.find(client, "show", "kill-1")
