"""Data: the shape that programs rely on."""

import itertools
import json
from typing import Any

from showstopper.api.verdicts import Verdict
from showstopper.report import data
from showstopper.report.record import NOT_KNOWN
from tests.report import build, golden


def read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_golden() -> None:
    golden.assert_same("failed.json", data.of_run(build.record(Verdict.FAILED)))


def test_spans_are_seconds_from_the_begin_without_a_hole() -> None:
    found = read(data.of_run(build.record()))
    spans = next(one for one in found["heard"] if one["listener"] == "main-stage-listeners-0/0")["spans"]
    assert spans[0]["from"] == 0.0
    assert spans[-1]["to"] == build.END
    assert all(before["to"] == after["from"] for before, after in itertools.pairwise(spans))
    assert [span["state"] for span in spans] == ["Live", "NoMedia", "Offline", "Joining", "Live"]


def test_what_is_not_known_is_left_out_and_said() -> None:
    found = read(data.of_run(build.silent()))
    assert "heard" not in found
    assert found["note"] == NOT_KNOWN


def test_the_release_is_the_one_that_was_tested() -> None:
    found = read(data.of_run(build.record(release=[build.image("sha256:new")])))
    assert [image["digest"] for image in found["release"]] == ["sha256:new"]


def test_a_day_holds_its_runs() -> None:
    found = read(data.of_day(build.day()))
    assert (found["shape"], found["kind"], found["verdict"]) == (data.SHAPE, "GameDayReport", "Failed")
    assert [act.get("run", {}).get("verdict") for act in found["acts"]] == ["Passed", "Failed", None]
    assert found["acts"][1]["approver"] == "ada"
