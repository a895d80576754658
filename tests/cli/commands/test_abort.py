"""`showstopper abort` against a real API server: what it ends, what it waits for, and what it says when it cannot."""

import json
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.reasons import Reason
from showstopper.cli.exit_codes import ExitCode
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import Kind
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.cli.days import Day
from tests.cli.stand_ins import Operator, Person, ended

pytestmark = pytest.mark.apiserver


def under_way(server: ApiServer, name: str) -> Operator:
    operator = Operator(server, name)
    operator.apply()
    operator.make_run(f"{name}-1")
    return operator


def aborted(server: ApiServer, kind: str, name: str) -> bool:
    body: dict[str, Any] = json.loads(server.kubectl("-n", "show", "get", kind, name, "-o", "json"))
    return bool(body["spec"].get("abort"))


@pytest.mark.parametrize("by", ["experiment", "run"])
def test_a_run_is_ended_by_its_name_or_its_experiments(server: ApiServer, by: str) -> None:
    name = f"abort-by-{by}"
    under_way(server, name)
    asked = name if by == "experiment" else f"{name}-1"
    code, out, err = Person(server).call("abort", asked, "--no-wait")
    assert (code, out, err) == (0, f"experimentrun/{name}-1 aborted\n", "")
    assert aborted(server, "exprun", f"{name}-1")


def test_an_experiment_stands_for_the_run_that_injects_and_for_the_one_that_waits(server: ApiServer) -> None:
    operator = Operator(server, "abort-both")
    operator.apply()
    operator.judge(operator.make_run("abort-both-1"), "Passed")
    runs = [operator.make_run(f"abort-both-{number}") for number in (2, 3)]
    process = Person(server).start("abort", "abort-both")
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in runs] == [f"experimentrun/{run.metadata.name} aborted\n" for run in runs]
    assert all(aborted(server, "exprun", run.metadata.name) for run in runs)
    assert not aborted(server, "exprun", "abort-both-1"), "it is over"
    operator.judge(runs[1], "Aborted", "AbortRequested")
    assert process.poll() is None, "the one that injects goes on"
    operator.judge(runs[0], "Aborted", "AbortRequested")
    assert ended(process) == (0, "Aborted (AbortRequested): so it is\n" * 2, "")


@pytest.mark.parametrize("answered", [False, True])
def test_a_run_that_was_requested_and_waits_for_these_never_comes(server: ApiServer, *, answered: bool) -> None:
    """A request that has its run stays: whether it is there tells what was asked for last."""
    operator = under_way(server, f"abort-request-{answered}".lower())
    server.kubectl("-n", "show", "annotate", "experiment", operator.name, f"{RUN_REQUESTED}=later")
    if answered:
        operator.make_run(f"{operator.name}-2")
    code, out, err = Person(server).call("abort", operator.name, "--no-wait")
    assert (code, err) == (0, "")
    assert f"experimentrun/{operator.name}-1 aborted" in out
    assert operator.requested() == ("later" if answered else "")


def test_a_run_that_is_deleted_meanwhile_keeps_no_other_from_being_ended(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = under_way(server, "abort-deleted")
    operator.make_run("abort-deleted-2")
    patch = Client.patch

    async def late(client: Client, kind: Kind, namespace: str, name: str, *words: Any) -> Object:
        if name == "abort-deleted-1":
            server.kubectl("-n", "show", "delete", "exprun", name)
        return await patch(client, kind, namespace, name, *words)

    monkeypatch.setattr(Client, "patch", late)
    code, out, err = Person(server).call("abort", "abort-deleted", "--no-wait")
    assert (code, out) == (0, "experimentrun/abort-deleted-2 aborted\n")
    assert "experimentrun/abort-deleted-1 was deleted meanwhile" in err


def test_it_waits_until_the_run_is_over(server: ApiServer) -> None:
    operator = Operator(server, "abort-waits")
    operator.apply()
    run = operator.make_run("abort-waits-1")
    process = Person(server).start("abort", "abort-waits")
    assert process.stdout is not None
    process.stdout.readline()
    operator.judge(run, "Aborted", "AbortRequested")
    code, out, err = ended(process)
    assert (code, err) == (0, "")
    assert out == "Aborted (AbortRequested): so it is\n"


def test_a_game_day_is_ended_as_a_whole(server: ApiServer) -> None:
    day = Day(server, "abort-day")
    day.show(conditions.in_progress(Reason.ACT_UNDER_WAY, "act 1 of 2, kill"), act="kill")
    code, out, _ = Person(server).call("abort", day.name, "--no-wait")
    assert (code, out) == (0, f"gameday/{day.name} aborted\n")
    assert aborted(server, "gd", day.name)


FAULT = {"name": "kill", "kind": "podKill", "targets": 1, "proven": True}


@pytest.mark.parametrize("reverted", [True, False])
def test_a_game_day_says_which_fault_of_its_runs_is_left(server: ApiServer, *, reverted: bool) -> None:
    operator, day = Operator(server, f"left-{reverted}".lower()), Day(server, f"abort-left-{reverted}".lower())
    operator.apply()
    run = operator.make_run(f"{operator.name}-1")
    day.show(conditions.in_progress(Reason.ACT_UNDER_WAY, "act 1 of 2, kill"), act="kill")
    process = Person(server).start("abort", day.name)
    assert process.stdout is not None
    process.stdout.readline()
    operator.judge(run, "Error", "LeftOver", faults=[{**FAULT, "reverted": reverted, "message": "a rule is left"}])
    day.judge("Error", "AbortRequested", run=run.metadata.name)
    code, out, err = ended(process)
    assert out == "Error (AbortRequested): so it is\n"
    said = f"error: not known to be reverted: kill of experimentrun show/{run.metadata.name}: a rule is left\n"
    assert (code, err) == ((0, "") if reverted else (ExitCode.ERROR, said))


@pytest.mark.parametrize(("reason", "code"), [("ExpectationsMet", 0), ("RunDeleted", ExitCode.ERROR)])
def test_of_a_run_that_was_deleted_under_way_nobody_knows_what_is_left(
    server: ApiServer, reason: str, code: int
) -> None:
    """One that was judged may go: its act has noted how it ended."""
    day = Day(server, f"abort-{reason.lower()}")
    day.show(conditions.in_progress(Reason.ACT_UNDER_WAY, "act 1 of 2, kill"), act="kill")
    process = Person(server).start("abort", day.name)
    assert process.stdout is not None
    process.stdout.readline()
    act = {"name": "kill", "run": "gone-1", "verdict": "Inconclusive", "reason": reason, "message": "run gone-1"}
    told = {"verdict": "Aborted", "reason": "AbortRequested", "message": "so it is"}
    day.show(conditions.failed(Reason.ABORT_REQUESTED, "so it is"), act, **told)
    exit_code, _, err = ended(process)
    assert exit_code == code
    assert ("not known to be reverted: the faults of act kill: run gone-1" in err) is bool(code)


def test_what_cannot_be_ended_is_one_line(server: ApiServer) -> None:
    operator = Operator(server, "abort-over")
    operator.apply()
    operator.judge(operator.make_run("abort-over-1"), "Passed")
    under_way(server, "abort-forbidden")
    under_way(server, "abort-late")
    for words, code, said in (
        (
            ["abort", "abort-over"],
            ExitCode.INCONCLUSIVE,
            "nothing to abort: experimentrun/abort-over-1 is over: Passed",
        ),
        (["abort", "nothing"], ExitCode.ERROR, 'no Experiment "nothing"'),
        (["--as", "eve", "abort", "abort-forbidden"], ExitCode.ERROR, 'User "eve" cannot'),
        (["abort", "abort-late", "--timeout", "0.5"], ExitCode.INCONCLUSIVE, "within 0.5 s"),
        (["abort"], ExitCode.USAGE, "NAME"),
    ):
        exit_code, _, err = Person(server).call(*words)
        assert (exit_code, err.count("\n")) == (code, 1), err
        assert said in err
    assert not aborted(server, "exprun", "abort-forbidden-1")
