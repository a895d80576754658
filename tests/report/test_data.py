"""Data: the shape that programs rely on."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.verdicts import Verdict
from showstopper.report import data
from showstopper.report.record import NOT_KNOWN
from tests.report import build, golden


def read(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document


def test_golden() -> None:
    golden.assert_same("failed.json", data.of_run(build.record(Verdict.FAILED)))


def test_spans_are_seconds_from_the_begin_without_a_hole() -> None:
    document = read(data.of_run(build.record()))
    spans = next(track for track in document["heard"] if track["listener"] == "main-stage-listeners-0/0")["spans"]
    assert spans[0]["from"] == 0.0
    assert spans[-1]["to"] == build.END
    assert all(before["to"] == after["from"] for before, after in itertools.pairwise(spans))
    assert [span["state"] for span in spans] == ["Live", "NoMedia", "Offline", "Joining", "Live"]


def test_what_is_not_known_is_left_out_and_said() -> None:
    document = read(data.of_run(build.silent()))
    assert "heard" not in document
    assert document["note"] == NOT_KNOWN


def test_the_release_is_the_one_that_was_tested() -> None:
    document = read(data.of_run(build.record(release=[build.image("sha256:new")])))
    assert [image["digest"] for image in document["release"]] == ["sha256:new"]


def test_a_day_holds_its_runs() -> None:
    document = read(data.of_day(build.day()))
    assert (document["shape"], document["kind"], document["verdict"]) == (data.SHAPE, "GameDayReport", "Failed")
    assert [act.get("run", {}).get("verdict") for act in document["acts"]] == ["Passed", "Failed", None]
    assert document["acts"][1]["approver"] == "ada"


def test_golden_of_a_crowd() -> None:
    golden.assert_same("crowd.json", data.of_run(build.with_crowd()))


def test_a_crowd_is_a_bounded_number_of_rows_however_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MOST_PIECES", 20)
    crowd = read(data.of_run(build.with_crowd(count=300)))["crowd"]
    assert (crowd["count"], len(crowd["heard"]), len(crowd["worst"])) == (300, 20, 5)
    assert crowd["heard"][0]["from"] == 0.0
    assert crowd["heard"][-1]["to"] == build.END
    for before, after in itertools.pairwise(crowd["heard"]):
        assert before["to"] == after["from"]
        assert sum(after["listeners"].values()) == pytest.approx(300, abs=0.01)


def test_a_room_without_a_crowd_has_none_and_one_that_told_nothing_only_its_record() -> None:
    assert "crowd" not in read(data.of_run(build.record()))
    crowd = read(data.of_run(replace(build.with_crowd(), crowd=None)))["crowd"]
    assert "heard" not in crowd
    assert "worst" not in crowd
    assert crowd["starts"] == [{"after": "2s", "fleetLater": "3.1ms"}]


def test_newcomers_of_a_crowd_are_counted_where_it_has_any() -> None:
    assert read(data.of_run(build.with_newcomers()))["crowd"]["newcomers"] == {"called": 3, "heard": 2}
    assert "newcomers" not in read(data.of_run(build.with_crowd()))["crowd"]
