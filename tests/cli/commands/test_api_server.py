"""The commands against a real API server: what they ask for, what they wait for, and how they end."""

import json
import signal
from pathlib import Path

import pytest
import yaml

from dev.cluster import apiserver, waiting
from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from tests.cli.stand_ins import Operator, Person, ended, manifest

pytestmark = pytest.mark.apiserver


def written(folder: Path, name: str, **spec: object) -> str:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(manifest(name, **spec)))
    return str(file)


def test_a_file_is_applied_and_its_run_watched_to_the_verdict(server: ApiServer, tmp_path: Path) -> None:
    operator = Operator(server, "fresh")
    process = Person(server).start("run", written(tmp_path, "fresh"))
    operator.await_experiment()
    operator.judge(operator.make_run("fresh-1"), "Passed", "ExpectationsMet")
    code, out, err = ended(process)
    assert (code, err) == (0, "")
    assert out.startswith("run show/fresh-1\n")
    assert "Passed (ExpectationsMet)" in out
    managers = {entry["manager"] for entry in operator.experiment()["metadata"].get("managedFields", [])}
    assert not operator.requested(), "a new experiment asks for a run by itself"
    assert managers <= {"showstopper-cli", "kubectl"}


def test_the_same_file_again_asks_for_another_run_and_waits_for_that_one(server: ApiServer, tmp_path: Path) -> None:
    operator = Operator(server, "again")
    file = written(tmp_path, "again")
    first = Person(server).start("run", file)
    operator.await_experiment()
    operator.judge(operator.make_run("again-1"), "Passed")
    assert ended(first)[0] == 0
    second = Person(server).start("run", file)
    operator.await_request()
    operator.judge(operator.make_run("again-2"), "Failed", "ExpectationMissed")
    code, out, _ = ended(second)
    assert code == 1
    assert out.startswith("run show/again-2\n")


def test_a_changed_file_asks_by_its_change(server: ApiServer, tmp_path: Path) -> None:
    operator = Operator(server, "changed")
    first = Person(server).start("run", written(tmp_path, "changed"))
    operator.await_experiment()
    operator.judge(operator.make_run("changed-1"), "Passed")
    assert ended(first)[0] == 0
    second = Person(server).start("run", written(tmp_path, "changed", revision="2"))
    waiting.until(
        lambda: operator.experiment()["metadata"]["generation"] == 2, "the change was not applied", seconds=60
    )
    operator.judge(operator.make_run("changed-2"), "Failed")
    assert ended(second)[0] == 1
    assert not operator.requested()


def test_a_new_file_with_a_schedule_is_asked_for_by_annotation(server: ApiServer, tmp_path: Path) -> None:
    """By itself it would wait for its hour; its owner wants it now."""
    operator = Operator(server, "scheduled")
    process = Person(server).start("run", written(tmp_path, "scheduled", schedule="0 3 * * *"))
    operator.await_experiment()
    operator.await_request()
    operator.judge(operator.make_run("scheduled-1"), "Passed")
    assert ended(process)[0] == 0


def test_an_experiment_that_waits_for_its_hour_has_no_verdict_and_says_when_it_will(server: ApiServer) -> None:
    operator = Operator(server, "waiting")
    operator.apply(schedule="0 3 * * *")
    operator.show(conditions.idle(Reason.SCHEDULED, "has not run yet; its first run is at 2026-06-01T03:00:00Z"))
    code, _, err = Person(server).call("verdict", "waiting")
    assert code == 2
    assert "its first run is at 2026-06-01T03:00:00Z" in err


def test_a_name_asks_by_annotation_and_other_runs_are_not_taken_for_its_own(server: ApiServer) -> None:
    operator = Operator(server, "named")
    operator.apply()
    operator.judge(operator.make_run("named-old"), "Passed")
    process = Person(server).start("run", "named", "-o", "json")
    operator.await_request()
    operator.judge(operator.make_run("named-other", request="somebody-else"), "Passed")
    operator.judge(operator.make_run("named-own"), "Inconclusive", "FaultNotProven")
    code, out, err = ended(process)
    assert code == 2
    body = json.loads(out)
    assert (body["kind"], body["metadata"]["name"]) == ("ExperimentRun", "named-own")
    assert "run show/named-own" in err, "stdout belongs to whoever reads the JSON"


@pytest.mark.parametrize(("verdict", "code"), [(str(verdict), verdict.exit_code) for verdict in Verdict])
def test_every_verdict_ends_with_its_code(server: ApiServer, verdict: str, code: int) -> None:
    operator = Operator(server, f"ends-{code}")
    operator.apply()
    operator.judge(operator.make_run(f"ends-{code}-1"), verdict)
    for words in (("verdict", operator.name), ("watch", operator.name), ("verdict", f"{operator.name}-1")):
        exit_code, out, _ = Person(server).call(*words)
        assert exit_code == code
        assert verdict in out


def test_a_refusal_ends_with_2_and_its_reason(server: ApiServer, tmp_path: Path) -> None:
    operator = Operator(server, "refused")
    process = Person(server).start("run", written(tmp_path, "refused"))
    operator.await_experiment()
    operator.show(conditions.refused(Reason.NAMESPACE_NOT_ALLOWED, "label the namespace"))
    code, _, err = ended(process)
    assert (code, err.count("\n")) == (2, 1)
    assert "NamespaceNotAllowed: label the namespace" in err


def test_an_old_refusal_is_not_the_answer_to_a_new_request(server: ApiServer) -> None:
    operator = Operator(server, "mended")
    operator.apply()
    operator.show(conditions.refused(Reason.ROOM_NOT_FOUND, "no such room"))
    process = Person(server).start("run", "mended")
    operator.await_request()
    operator.judge(operator.make_run("mended-1"), "Passed")
    assert ended(process)[0] == 0


def test_what_is_only_planned_says_so(server: ApiServer, tmp_path: Path) -> None:
    operator = Operator(server, "not-dryrun")
    process = Person(server).start("run", written(tmp_path, operator.name, dryRun=True))
    operator.await_experiment()
    operator.show(conditions.succeeded(Reason.PLANNED, "nothing is run"))
    code, _, err = ended(process)
    assert code == 2
    assert "nothing is run" in err


@pytest.mark.parametrize("by", ["file", "changed file", "name"])
def test_what_is_suspended_is_refused_whatever_ran_before(server: ApiServer, tmp_path: Path, by: str) -> None:
    """Such as the run of last week's game day, which is of this generation and answers no annotation, either."""
    operator = Operator(server, f"not-by-{by.replace(' ', '-')}")
    operator.apply(suspend=True)
    operator.judge(operator.make_run(f"{operator.name}-1"), "Passed")
    changed = {"revision": "2"} if by == "changed file" else {}
    words = operator.name if by == "name" else written(tmp_path, operator.name, suspend=True, **changed)
    code, out, err = Person(server).call("run", words, "--timeout", "20")
    assert (code, out) == (2, "")
    assert f"Experiment show/{operator.name} was not run: it is suspended" in err
    assert not operator.requested(), "it would run as soon as it is resumed"


def test_a_verdict_on_an_earlier_form_is_none(server: ApiServer) -> None:
    operator = Operator(server, "earlier")
    operator.apply()
    run = operator.make_run("earlier-1")
    code, _, err = Person(server).call("verdict", "earlier")
    assert code == 2
    assert "no verdict yet" in err
    operator.judge(run, "Passed")
    operator.apply(revision="2")
    code, out, err = Person(server).call("verdict", "earlier")
    assert (code, out) == (2, "")
    assert "experiment show/earlier has no verdict in its current form" in err


@pytest.mark.parametrize("command", ["verdict", "watch", "report"])
def test_a_verdict_whose_run_was_deleted_is_not_replaced_by_an_older_one(server: ApiServer, command: str) -> None:
    operator = Operator(server, f"deleted-{command}")
    operator.apply()
    operator.judge(operator.make_run(f"{operator.name}-1"), "Passed")
    newest = {"name": f"{operator.name}-2", "verdict": "Failed", "startedAt": "2099-01-01T00:00:00Z"}
    operator.show(conditions.failed(Reason.EXPECTATION_MISSED, "run 2: Failed"), run=newest)
    code, out, err = Person(server).call(command, operator.name)
    assert (code, out) == (2, "")
    assert f"run {operator.name}-2, the newest of experiment show/{operator.name}, was deleted" in err
    assert "ExpectationMissed: run 2: Failed" in err, "what came of it is still known"


def test_watching_shows_no_verdict_on_an_earlier_form(server: ApiServer) -> None:
    operator = Operator(server, "watched-late")
    operator.apply()
    operator.judge(operator.make_run("watched-late-1"), "Passed")
    operator.apply(revision="2")
    code, out, err = Person(server).call("watch", "watched-late")
    assert (code, out) == (2, "")
    assert "experiment show/watched-late has no verdict in its current form" in err
    assert Person(server).call("watch", "watched-late-1")[0] == 0, "the run itself has its verdict"


@pytest.mark.parametrize(("revision", "code"), [("1", 0), ("2", 2)])
def test_a_run_that_is_watched_to_its_end_is_no_verdict_on_a_newer_form(
    server: ApiServer, revision: str, code: int
) -> None:
    """The experiment was changed while the run was under way: another one follows."""
    operator = Operator(server, f"watched-{code}")
    operator.apply(revision="1")
    run = operator.make_run(f"watched-{code}-1")
    operator.apply(revision=revision)
    process = Person(server).start("watch", operator.name)
    assert process.stdout is not None
    process.stdout.readline()
    operator.judge(run, "Passed")
    ended_with, out, err = ended(process)
    assert ended_with == code, err
    assert "Passed" in out
    assert ("has no verdict in its current form" in err) is (code != 0)


@pytest.mark.parametrize("command", ["verdict", "watch", "report", "abort"])
def test_an_experiment_that_never_ran_has_no_verdict(server: ApiServer, command: str) -> None:
    operator = Operator(server, "never")
    operator.apply()
    code, out, err = Person(server).call(command, "never")
    assert (code, out) == (2, "")
    assert "has not run yet" in err


@pytest.mark.parametrize("field", ["suspend", "dryRun"])
def test_an_experiment_that_is_not_to_run_has_no_verdict(server: ApiServer, field: str) -> None:
    operator = Operator(server, f"held-{field.lower()}")
    operator.apply(**{field: True})
    waits = conditions.waiting_for_person(Reason.SUSPENDED, "nothing is run")
    operator.show(waits if field == "suspend" else conditions.succeeded(Reason.PLANNED, "nothing is run"))
    code, _, err = Person(server).call("verdict", operator.name)
    assert (code, err.count("\n")) == (2, 1)
    assert "nothing is run" in err


@pytest.mark.parametrize(("verdict", "code"), [(str(verdict), verdict.exit_code) for verdict in Verdict])
@pytest.mark.parametrize("words", ["verdict", "report -o json", "report -o junit"])
def test_a_reader_that_leaves_changes_no_exit_code(server: ApiServer, verdict: str, code: int, words: str) -> None:
    operator = Operator(server, f"piped-{code}")
    operator.apply()
    if f"{operator.name}-1" not in server.kubectl("-n", "show", "get", "exprun", "-o", "name"):
        operator.judge(operator.make_run(f"piped-{code}-1"), verdict)
    process = Person(server).start(*words.split()[:1], operator.name, *words.split()[1:])
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == code
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_patience_ends_without_a_verdict(server: ApiServer) -> None:
    operator = Operator(server, "slow")
    operator.apply()
    process = Person(server).start("run", "slow", "--timeout", "6")
    operator.await_request()
    operator.make_run("slow-1")
    code, _, err = ended(process)
    assert code == 2
    assert "no verdict within 6 s" in err


def test_ctrl_c_stops_watching_and_nothing_else(server: ApiServer) -> None:
    operator = Operator(server, "watched")
    operator.apply()
    operator.make_run("watched-1")
    process = Person(server).start("watch", "watched")
    assert process.stdout is not None
    assert "no listener pods" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert "showstopper -n show abort watched-1" in err
    assert not json.loads(server.kubectl("-n", "show", "get", "exprun", "watched-1", "-o", "json"))["spec"].get("abort")


def test_a_run_that_is_deleted_while_it_is_watched(server: ApiServer) -> None:
    operator = Operator(server, "deleted")
    operator.apply()
    operator.make_run("deleted-1")
    process = Person(server).start("watch", "deleted")
    assert process.stdout is not None
    process.stdout.readline()
    server.kubectl("-n", "show", "delete", "exprun", "deleted-1")
    code, _, err = ended(process)
    assert code == 4
    assert "deleted-1" in err


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"expect": []}, "expect"),
        ({"expect": [{"indicator": "AudibleRatio", "min": "170%"}]}, "AudibleRatio is a share"),
        ({"expect": [{"indicator": "Applause", "min": "70%"}]}, "Applause"),
        ({"surprise": 1}, "surprise"),
        ({"timing": {"baseline": "soon"}}, "baseline"),
    ],
)
def test_what_the_api_refuses_is_one_line_that_names_it(
    server: ApiServer, tmp_path: Path, spec: dict[str, object], said: str
) -> None:
    code, _, err = Person(server).call("run", written(tmp_path, "wrong", **spec))
    assert (code, err.count("\n")) == (4, 1)
    assert said in err
    assert not Operator(server, "wrong").exists()


def test_who_may_not_is_told_so(server: ApiServer, tmp_path: Path) -> None:
    stranger = Person(server, server.user("stranger"))
    for words in (("run", written(tmp_path, "locked")), ("verdict", "locked"), ("preview", "locked")):
        code, _, err = stranger.call(*words)
        assert (code, err.count("\n")) == (4, 1)
        assert "forbidden" in err
    code, _, err = Person(server).call("--as", "stranger", "verdict", "locked")
    assert code == 4
    assert "forbidden" in err


def test_names_of_nothing(server: ApiServer) -> None:
    for command in ("run", "watch", "verdict", "preview"):
        code, _, err = Person(server).call(command, "nothing")
        assert (code, err.count("\n")) == (4, 1)
        assert 'no Experiment "nothing" in namespace show' in err


def test_preview_says_what_would_be_refused(server: ApiServer) -> None:
    """The namespace is not labelled, and there is no relay: the label is asked for first."""
    server.kubectl("-n", "show", "apply", "-f", "-", stdin=json.dumps(_room()))
    operator = Operator(server, "previewed")
    operator.apply()
    code, out, err = Person(server).call("preview", "previewed")
    assert (code, err) == (2, "")
    assert "NamespaceNotAllowed" in out


def test_preview_says_when_a_schedule_comes_and_that_one_never_does(server: ApiServer) -> None:
    server.kubectl("-n", "show", "apply", "-f", "-", stdin=json.dumps(_room()))
    operator = Operator(server, "yearly")
    operator.apply(schedule="@yearly")
    code, out, _ = Person(server).call("preview", "yearly")
    assert code == 2
    assert "the next scheduled run is at 2" in out
    assert "-01-01T00:00:00Z" in out
    operator.apply(schedule="0 3 30 2 *")
    code, out, _ = Person(server).call("preview", "yearly")
    assert code == 2
    assert 'InvalidSchedule: schedule "0 3 30 2 *" never fires' in out


def test_preview_of_a_room_that_is_not_there(server: ApiServer) -> None:
    operator = Operator(server, "roomless")
    operator.apply(roomRef={"name": "elsewhere"})
    code, _, err = Person(server).call("preview", "roomless")
    assert code == 4
    assert 'no AudioRoom "elsewhere"' in err


def test_a_cluster_without_our_resources() -> None:
    with apiserver.running() as bare:
        for words in (("verdict", "kill"), ("run", "kill"), ("run", "examples/relay-pod-kill.yaml")):
            code, _, err = (
                Person(bare).call(*words) if "/" not in words[-1] else Person(bare).call("-n", "show", *words)
            )
            assert (code, err.count("\n")) == (4, 1)
            assert "does not have Showstopper's resources" in err


def _room() -> dict[str, object]:
    from tests.support.build import ROOM_SPEC

    head = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "AudioRoom", "metadata": {"name": "main-stage"}}
    return {**head, "spec": ROOM_SPEC}
