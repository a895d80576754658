"""The status of an experiment: whole, for one generation, and what of it is news."""

import pytest

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType, find
from showstopper.api.experiment import ExperimentStatus
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.cluster.events import Announcement
from showstopper.engine.experiments import outcomes, status
from showstopper.engine.experiments.situation import WriteStatus
from showstopper.engine.experiments.timetable import Timetable
from showstopper.engine.planning.plan import Plan, PlannedFault, Snapshot
from showstopper.engine.runs import requests
from tests.support import build

FIGURES = {
    "audible": "89.9%",
    "deadAir": "11.09s",
    "recovery": "13.69s",
    "message": "all met",
    "reason": "ExpectationsMet",
}


def show(run: ExperimentRun) -> WriteStatus:
    return WriteStatus(outcomes.of_run(run), run=run, answered=requests.of_run(run))


def test_conditions_and_generation_are_written_together_and_for_the_same() -> None:
    experiment = build.experiment(metadata={"generation": 4})
    written = status.status_of(experiment, show(build.run(status={"verdict": "Passed"})), "t")
    assert written.observed_generation == 4
    assert {condition.observed_generation for condition in written.conditions} == {4}
    assert [condition.type for condition in written.conditions] == list(ConditionType)


def test_a_verdict_comes_with_its_figures_and_answers_the_request() -> None:
    run = build.run(status={"verdict": "Passed", **FIGURES}, experiment={"hash": "h", "runRequest": "now"})
    written = status.status_of(build.experiment(), show(run), "t")
    assert (written.verdict, written.audible, written.dead_air, written.recovery) == (
        "Passed",
        "89.9%",
        "11.09s",
        "13.69s",
    )
    assert (written.last_hash, written.last_handled_run_request) == ("h", "now")
    assert (written.run and written.run.name, written.faults) == ("kill-1", "podKill")


def test_a_new_run_clears_the_figures_of_the_one_before() -> None:
    before = status.status_of(build.experiment(), show(build.run(status={"verdict": "Passed", **FIGURES})), "t")
    experiment = build.experiment(status=dump(before))
    written = status.status_of(experiment, show(build.run("kill-2")), "u")
    assert (written.verdict, written.audible, written.message) == (None, None, None)


def test_a_refusal_keeps_what_was_handled_and_shows_no_verdict() -> None:
    before = status.status_of(build.experiment(), show(build.run(status={"verdict": "Passed", **FIGURES})), "t")
    experiment = build.experiment(status=dump(before), metadata={"generation": 2})
    written = status.status_of(experiment, WriteStatus(conditions.refused(Reason.ROOM_NOT_FOUND, "none")), "u")
    assert (written.verdict, written.last_hash, written.run and written.run.name) == (None, "h", "kill-1")
    ready = find(written.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.last_transition_time) == ("False", "u")


def test_the_figures_of_a_deleted_run_stay() -> None:
    before = status.status_of(build.experiment(), show(build.run(status={"verdict": "Passed", **FIGURES})), "t")
    experiment = build.experiment(status=dump(before))
    kept = WriteStatus(conditions.succeeded(Reason.EXPECTATIONS_MET, "so"), answered=requests.Request("h", ""))
    written = status.status_of(experiment, kept, "u")
    assert (written.verdict, written.audible, written.message) == ("Passed", "89.9%", "all met")


def test_a_verdict_is_told_once() -> None:
    passed = show(build.run(status={"verdict": "Passed", **FIGURES}))
    assert status.announcements(ExperimentStatus(), passed) == [
        Announcement(Reason.EXPECTATIONS_MET, "run kill-1: Passed: all met", "Judge", False)
    ]
    after = status.status_of(build.experiment(), passed, "t")
    assert status.announcements(after, passed) == []
    assert status.announcements(after, show(build.run("kill-2", status={"verdict": "Failed"})))


def test_a_run_under_way_is_no_news() -> None:
    assert status.announcements(ExperimentStatus(), show(build.run())) == []


def test_a_refusal_is_told_when_its_reason_is_new() -> None:
    refused = WriteStatus(conditions.refused(Reason.ROOM_NOT_FOUND, "there is none"))
    assert status.announcements(ExperimentStatus(), refused) == [
        Announcement(Reason.ROOM_NOT_FOUND, "there is none", "Refuse", warning=True)
    ]
    after = status.status_of(build.experiment(), refused, "t")
    assert status.announcements(after, refused) == []
    assert status.announcements(after, WriteStatus(conditions.refused(Reason.NO_TARGETS, "")))


@pytest.mark.parametrize(
    "outlook", [conditions.in_progress(Reason.HELD, ""), conditions.waiting_for_person(Reason.SUSPENDED, "")]
)
def test_waiting_is_no_news(outlook: conditions.Outlook) -> None:
    assert status.announcements(ExperimentStatus(), WriteStatus(outlook)) == []


def test_a_firing_without_a_run_is_told_once() -> None:
    idle = WriteStatus(
        conditions.idle(Reason.SCHEDULED, ""), table=Timetable().refused(0, Reason.RUN_STILL_ACTIVE, "still on")
    )
    (told,) = status.announcements(ExperimentStatus(), idle)
    assert (told.reason, told.note, told.warning) == (
        Reason.RUN_STILL_ACTIVE,
        "no run for 1970-01-01T00:00:00Z: still on",
        True,
    )
    assert status.announcements(status.status_of(build.experiment(), idle, "t"), idle) == []


def test_a_firing_that_was_refused_is_told_by_the_refusal_alone() -> None:
    table = Timetable().refused(0, Reason.NAMESPACE_NOT_ALLOWED, "label it")
    refused = WriteStatus(conditions.refused(Reason.NAMESPACE_NOT_ALLOWED, "label it"), table=table)
    (told,) = status.announcements(ExperimentStatus(), refused)
    assert told.action == "Refuse"


def test_a_plan_for_show_has_as_many_targets_as_a_status_takes() -> None:
    pods = tuple(build.pod(f"p{number}") for number in range(status.MOST_TARGETS + 1))
    snapshot = Snapshot("show", "main-stage", build.room().spec, {}, {}, {})
    fault = build.experiment().spec.faults[0]
    shown = status.planned(Plan(snapshot, (PlannedFault(fault, pods, pods),), 1))
    assert (shown.outlook.reason, shown.outlook.ready) == ("Planned", "True")
    assert [target.pod for target in shown.targets] == [pod.name for pod in pods[: status.MOST_TARGETS]]
    assert shown.targets[0].fault == "kill"
