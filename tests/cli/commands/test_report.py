"""`showstopper report` and `run --junit` against a real API server: what is written, and how it ends."""

import json
from pathlib import Path

import pytest
from junitparser import Error, JUnitXml

from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.reasons import Reason
from tests.cli.days import Day
from tests.cli.stand_ins import Operator, Person, ended

pytestmark = pytest.mark.apiserver


def judged(server: ApiServer, name: str, verdict: str = "Passed") -> Operator:
    operator = Operator(server, name)
    operator.apply()
    operator.judge(operator.make_run(f"{name}-1"), verdict)
    return operator


def results(file: Path) -> list[type]:
    """What came of each case."""
    return [
        type(case.result[0]) if case.result else type(None) for suite in JUnitXml.fromfile(str(file)) for case in suite
    ]


@pytest.mark.parametrize(
    ("form", "begin"), [("md", "## ✗ Failed"), ("junit", "<?xml"), ("json", "{"), ("html", "<!DOCTYPE html>")]
)
def test_a_report_is_written_to_stdout_and_ends_with_the_verdicts_code(
    server: ApiServer, form: str, begin: str
) -> None:
    judged(server, f"told-{form}", "Failed")
    code, out, _ = Person(server).call("report", f"told-{form}", "-o", form)
    assert code == 1
    assert out.startswith(begin)
    if form in {"md", "html"}:
        assert "listener" in out
        assert "not available" in out or "no listener pods" in out, "nobody tells anything of this room"


def test_a_report_is_written_to_a_file_and_knows_what_is_there(server: ApiServer, tmp_path: Path) -> None:
    judged(server, "kept")
    file = tmp_path / "report.json"
    code, out, err = Person(server).call("report", "kept-1", "-o", "json", "-f", str(file))
    assert (code, out) == (0, "")
    assert err == f"wrote {file}: Passed, run show/kept-1\n"
    report = json.loads(file.read_text())
    assert report["note"]
    assert report["versions"]["Kubernetes (now)"].startswith("v1.")


def test_a_file_that_cannot_be_written(server: ApiServer, tmp_path: Path) -> None:
    judged(server, "nowhere")
    code, _, err = Person(server).call("report", "nowhere", "-f", str(tmp_path / "none" / "r.md"))
    assert code == 4
    assert "cannot write" in err
    assert "No such file" in err


def test_a_run_without_a_verdict_has_no_report(server: ApiServer) -> None:
    operator = Operator(server, "early")
    operator.apply()
    operator.make_run("early-1")
    code, out, err = Person(server).call("report", "early")
    assert (code, out) == (2, "")
    assert "no verdict yet" in err


def test_a_report_on_an_earlier_form_is_no_pass_of_this_one(server: ApiServer) -> None:
    operator = judged(server, "outdated")
    operator.apply(revision="2")
    code, out, err = Person(server).call("report", "outdated", "-o", "junit")
    assert code == 2
    assert "outdated-1" in out, "it is written, and names its run"
    assert "experiment show/outdated has no verdict in its current form" in err
    assert Person(server).call("report", "outdated-1", "-o", "junit")[0] == 0


def test_junit_beside_a_run_that_passes(server: ApiServer, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    operator = Operator(server, "beside")
    operator.apply()
    operator.judge(operator.make_run("beside-old"), "Passed")
    process = Person(server).start("run", "beside", "--junit", str(file))
    operator.await_request()
    assert results(file) == [Error], "until there is a verdict there is none in the file"
    operator.judge(operator.make_run("beside-1"), "Failed")
    assert ended(process)[0] == 1
    assert results(file) == [Error], "the record has no measured expectation: that is no pass"
    assert "beside-1" in file.read_text()


def test_junit_of_a_refusal_says_why(server: ApiServer, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    operator = Operator(server, "refused-junit")
    operator.apply()
    process = Person(server).start("run", "refused-junit", "--junit", str(file))
    operator.await_request()
    operator.show(conditions.refused(Reason.NO_TARGETS, "no pod matches"), lastHandledRunRequest=operator.requested())
    assert ended(process)[0] == 2
    assert results(file) == [Error]
    assert "no pod matches" in file.read_text()


def test_junit_of_lost_patience_is_no_pass(server: ApiServer, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text("<testsuites/>")
    operator = Operator(server, "slow-junit")
    operator.apply()
    process = Person(server).start("run", "slow-junit", "--junit", str(file), "--timeout", "6")
    operator.await_request()
    operator.make_run("slow-junit-1")
    assert ended(process)[0] == 2
    assert results(file) == [Error]


def test_a_junit_file_that_cannot_be_written_is_known_before_anything_is_broken(
    server: ApiServer, tmp_path: Path
) -> None:
    operator = Operator(server, "unwritten")
    operator.apply()
    code, _, err = Person(server).call("run", "unwritten", "--junit", str(tmp_path / "none" / "junit.xml"))
    assert code == 4
    assert "cannot write" in err
    assert not operator.requested()


@pytest.mark.parametrize(("form", "begin"), [("md", "## ✗ Failed"), ("junit", "<?xml"), ("json", "{"), ("html", "<!D")])
def test_a_game_day_has_a_report_of_all_its_acts(server: ApiServer, form: str, begin: str) -> None:
    day, name = Day(server, f"day-{form}"), f"kill-of-{form}"
    judged(server, name, "Failed")
    day.judge("Failed", "ActNotPassed", run=f"{name}-1")
    code, out, _ = Person(server).call("report", day.name, "-o", form)
    assert code == 1
    assert out.startswith(begin)
    if form == "junit":
        whole, kill, loss = JUnitXml.fromstring(out.encode())
        assert (whole.tests, kill.name, loss.name) == (1, f"{day.name}: kill", f"{day.name}: loss")
    else:
        assert f"{name}-1" in out, "the run of its first act"


def test_a_game_day_that_is_not_over_has_no_report(server: ApiServer) -> None:
    day = Day(server, "day-early")
    day.hold()
    code, out, err = Person(server).call("report", day.name)
    assert (code, out) == (2, "")
    assert "game day day-early has no verdict yet: showstopper gameday watch day-early" in err
