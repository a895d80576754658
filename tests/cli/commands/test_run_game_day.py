"""`showstopper run` and `preview` of game days against a real API server: what they ask for, wait for, and show."""

import json
import signal
from pathlib import Path

import pytest
import yaml

from dev.cluster import waiting
from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.reasons import Reason
from tests.api.build import room
from tests.cli.days import Day, manifest
from tests.cli.stand_ins import SECONDS, Person, ended

pytestmark = pytest.mark.apiserver


def written(folder: Path, name: str) -> str:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(manifest(name)))
    return str(file)


def await_day(day: Day) -> None:
    waiting.until(day.exists, "nothing was applied", seconds=SECONDS)


def await_request(day: Day) -> None:
    waiting.until(lambda: bool(day.requested()), "no performance was asked for", seconds=SECONDS)


def test_a_file_is_applied_and_its_performance_watched_to_the_verdict(server: ApiServer, tmp_path: Path) -> None:
    day = Day(server, "opening", applied=False)
    process = Person(server).start("run", written(tmp_path, "opening"))
    await_day(day)
    day.judge("Passed", "AllActsPassed")
    code, out, err = ended(process)
    assert (code, err) == (0, "")
    assert "AllActsPassed: Passed: so it is" in out
    assert not day.requested(), "a new game day is performed by itself"


def test_the_same_file_again_asks_for_another_performance_and_waits_for_that_one(
    server: ApiServer, tmp_path: Path
) -> None:
    day = Day(server, "encore", applied=False)
    file = written(tmp_path, "encore")
    first = Person(server).start("run", file)
    await_day(day)
    day.judge("Passed", "AllActsPassed")
    assert ended(first)[0] == 0
    second = Person(server).start("run", file)
    await_request(day)
    day.judge("Failed", "ActNotPassed", performance=2)
    code, out, _ = ended(second)
    assert code == 1
    assert "AllActsPassed" not in out, "what stood there was the performance before"


def test_a_name_asks_for_another_performance_and_its_verdict_is_in_a_junit_report(
    server: ApiServer, tmp_path: Path
) -> None:
    day, junit = Day(server, "by-name"), tmp_path / "junit.xml"
    day.judge("Passed", "AllActsPassed")
    process = Person(server).start("run", "by-name", "--junit", str(junit))
    await_request(day)
    day.judge("Failed", "ActNotPassed", performance=2)
    assert ended(process)[0] == 1
    assert "the verdict of the day" in junit.read_text()


def test_a_refusal_ends_with_2_and_its_reason(server: ApiServer, tmp_path: Path) -> None:
    day = Day(server, "roomless-day", applied=False)
    process = Person(server).start("run", written(tmp_path, day.name))
    await_day(day)
    day.show(conditions.refused(Reason.ROOM_NOT_FOUND, "apply the room"), performance=0)
    code, _, err = ended(process)
    assert code == 2
    assert "RoomNotFound: apply the room" in err


def test_ctrl_c_says_how_to_abort_the_day(server: ApiServer) -> None:
    day = Day(server, "left")
    day.hold()
    process = Person(server).start("run", "left")
    await_request(day)
    assert process.stdout is not None
    assert "AwaitingApproval" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert "showstopper -n show abort left" in err


def test_preview_shows_the_plan_of_each_act_and_why_it_would_be_refused(server: ApiServer, tmp_path: Path) -> None:
    """The acts' room and the experiment that one of them names are in the same file, and not in the cluster."""
    day = manifest("previewed-day")
    inline = day["spec"]["acts"][1]["experiment"]
    named = {**day, "kind": "Experiment", "metadata": {"name": "kill", "namespace": "show"}, "spec": inline}
    place = room({"metadata.name": inline["roomRef"]["name"]})
    file = tmp_path / "day.yaml"
    file.write_text(yaml.safe_dump_all([place, named, day]))
    code, out, err = Person(server).call("preview", str(file))
    assert (code, err) == (2, "")
    assert "act 1 of 2, kill" in out
    assert "act 2 of 2, loss" in out
    assert out.count("NamespaceNotAllowed") == 2
    code, out, _ = Person(server).call("preview", str(file), "-o", "json")
    body = json.loads(out)
    assert (code, body["wouldRun"], [act["act"] for act in body["acts"]]) == (2, False, ["kill", "loss"])


def test_preview_of_an_act_whose_experiment_is_not_there(server: ApiServer, tmp_path: Path) -> None:
    day = manifest("nameless")
    day["spec"]["acts"][0]["experimentRef"] = {"name": "never-written"}
    file = tmp_path / "nameless.yaml"
    file.write_text(yaml.safe_dump(day))
    code, _, err = Person(server).call("preview", str(file))
    assert code == 4
    assert 'no Experiment "never-written" in namespace show' in err
