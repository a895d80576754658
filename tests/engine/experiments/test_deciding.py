"""Where an experiment stands: pure decisions, by example."""

from dataclasses import replace
from typing import Any

import pytest

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.engine.experiments import deciding
from showstopper.engine.experiments.outcomes import ROOM_GRACE_SECONDS
from showstopper.engine.experiments.situation import BeginRun, Situation, WriteStatus
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.support import build


def situation(experiment: Experiment | None = None, newest: ExperimentRun | None = None) -> Situation:
    """An experiment whose room is there, just seen."""
    runs = [newest] if newest is not None else []
    return Situation(experiment or build.experiment(), runs, room_known=True, seen_seconds=0, now=0)


def run_of(
    experiment: Experiment, *, status: dict[str, Any] | None = None, name: str = "kill-1", **origin: Any
) -> ExperimentRun:
    """The run that this experiment asks for."""
    wanted = requests.wanted(experiment)
    return build.run(name, status=status, experiment={"hash": wanted.hash, "runRequest": wanted.run_request, **origin})


def shown(situation: Situation) -> Outlook:
    step = deciding.decide(situation)
    assert isinstance(step, WriteStatus)
    return step.outlook


def test_a_new_experiment_gets_its_run() -> None:
    assert deciding.decide(situation()) == BeginRun(requests.wanted(build.experiment()))


def test_a_dry_run_is_planned_whatever_ran_before() -> None:
    experiment = build.experiment(dryRun=True)
    assert isinstance(deciding.decide(situation(experiment, run_of(experiment))), BeginRun)


def test_an_annotation_asks_again_after_a_verdict() -> None:
    passed = run_of(build.experiment(), status={"verdict": "Passed"})
    asked = build.experiment(metadata={"annotations": {RUN_REQUESTED: "again"}})
    step = deciding.decide(situation(asked, passed))
    assert isinstance(step, BeginRun)
    assert step.request.run_request == "again"


def test_an_annotation_that_goes_away_asks_for_nothing() -> None:
    """A tool that applies the manifest afresh takes it away; nobody wants a fault for that."""
    passed = run_of(build.experiment(metadata={"annotations": {RUN_REQUESTED: "now"}}), status={"verdict": "Passed"})
    step = deciding.decide(situation(build.experiment(), passed))
    assert isinstance(step, WriteStatus)
    assert step.outlook.ready == "True"
    assert step.answered is not None
    assert step.answered.run_request == "now"


def test_an_annotation_that_comes_back_to_an_earlier_value_asks_for_another_run() -> None:
    asked = build.experiment(metadata={"annotations": {RUN_REQUESTED: "now"}})
    over = build.run(status={"verdict": "Passed"})
    first, second = deciding.decide(situation(asked)), deciding.decide(situation(asked, over))
    assert isinstance(first, BeginRun)
    assert isinstance(second, BeginRun)
    assert requests.run_name(asked, first.request) != requests.run_name(asked, second.request)


def test_a_run_under_way_is_mirrored() -> None:
    queued = conditions.conditions(conditions.in_progress(Reason.WAITING_FOR_ROOM, "waits"), generation=1, now="t")
    run = run_of(build.experiment(), status={"conditions": [dump(condition) for condition in queued]})
    outlook = shown(situation(newest=run))
    assert (outlook.reconciling, outlook.ready, outlook.reason) == (True, "Unknown", "WaitingForRoom")


@pytest.mark.parametrize("verdict", ["Failed", "Inconclusive", "Aborted", "Error", "Splendid"])
def test_only_passed_is_ready(verdict: str) -> None:
    outlook = shown(situation(newest=run_of(build.experiment(), status={"verdict": verdict, "reason": "NoEffect"})))
    assert (outlook.ready, outlook.stalled, outlook.finished, outlook.reason) == ("False", True, True, "NoEffect")


def test_passed_is_ready_and_over() -> None:
    outlook = shown(situation(newest=run_of(build.experiment(), status={"verdict": "Passed"})))
    assert (outlook.ready, outlook.stalled, outlook.finished) == ("True", False, True)


def test_suspended_before_any_verdict_waits_for_a_person() -> None:
    outlook = shown(situation(build.experiment(suspend=True)))
    assert (outlook.ready, outlook.suspended, outlook.finished) == ("False", True, False)


def test_suspended_after_a_verdict_shows_it() -> None:
    experiment = build.experiment(suspend=True)
    assert shown(situation(experiment, run_of(experiment, status={"verdict": "Passed"}))).ready == "True"


def test_a_room_may_come_later_but_not_for_ever() -> None:
    waits = replace(situation(), room_known=False)
    assert shown(waits).reconciling
    late = replace(waits, seen_seconds=ROOM_GRACE_SECONDS)
    assert (shown(late).stalled, shown(late).reason) == (True, "RoomNotFound")
    step = deciding.decide(late)
    assert isinstance(step, WriteStatus)
    assert step.again is not None, "it may still come"


def handled(**status: Any) -> Experiment:
    """An experiment whose request has been answered by a run that somebody has deleted."""
    return build.experiment(status={"lastHash": requests.wanted(build.experiment()).hash, **status})


def test_what_a_deleted_run_found_stands() -> None:
    outlook = shown(situation(handled(run={"name": "gone", "verdict": "Failed", "reason": "NoEffect"}, message="so")))
    assert (outlook.reason, outlook.message, outlook.stalled) == ("NoEffect", "run gone: Failed: so", True)


@pytest.mark.parametrize("began", ["2026-01-01T00:10:00.5Z", None], ids=["begun", "queued"])
def test_a_deleted_run_is_not_run_again_because_an_older_one_is_still_there(began: str | None) -> None:
    """The older one was of another revision."""
    gone = {"name": "gone", "verdict": "Failed", "reason": "NoEffect", "startedAt": began}
    older = build.run("older", status={"verdict": "Passed"}, experiment={"hash": "another"})
    older.metadata.creation_timestamp = "2026-01-01T00:00:00Z"
    outlook = shown(situation(handled(run=gone, message="so"), older))
    assert (outlook.reason, outlook.message) == ("NoEffect", "run gone: Failed: so")


def test_a_run_that_the_status_does_not_know_yet_is_newer_than_the_one_it_shows() -> None:
    known = {"name": "known", "verdict": "Failed", "reason": "NoEffect", "startedAt": "2026-01-01T00:00:00.5Z"}
    newer = run_of(build.experiment(), status={"verdict": "Passed", "reason": "ExpectationsMet"}, name="newer")
    newer.metadata.creation_timestamp = "2026-01-01T00:10:00Z"
    assert shown(situation(handled(run=known), newer)).reason == "ExpectationsMet"


def test_a_run_that_is_deleted_before_its_verdict_is_no_pass_and_not_waited_for() -> None:
    outlook = shown(situation(handled(run={"name": "gone"})))
    assert (outlook.reason, outlook.stalled, outlook.finished) == ("RunDeleted", True, False)
    assert RUN_REQUESTED in outlook.message


ON_RELEASE: dict[str, Any] = {"runOn": ["ReleaseChange"]}


def released(
    release: str | None, *runs: ExperimentRun, seen: str | None = "first", **spec: Any
) -> WriteStatus | BeginRun:
    """The step of an experiment that has run, saw a release, and whose room has another one now."""
    experiment = build.experiment(**{**ON_RELEASE, **spec}, status={"lastRelease": seen} if seen else {})
    own = run_of(experiment, status={"verdict": "Passed", "reason": "ExpectationsMet"})
    return deciding.decide(Situation(experiment, [own, *runs], room_known=True, seen_seconds=0, now=0, release=release))


def test_a_new_release_asks_for_a_run_and_the_first_that_is_seen_does_not() -> None:
    step = released("second")
    assert isinstance(step, BeginRun)
    assert step.request.released == "second"
    first = released("first", seen=None)
    assert isinstance(first, WriteStatus)
    assert first.release == "first"


def test_a_release_that_has_not_settled_or_had_its_run_asks_for_none() -> None:
    assert isinstance(released(None), WriteStatus)
    assert isinstance(released("first"), WriteStatus)
    done = run_of(build.experiment(**ON_RELEASE), name="kill-2", status={"verdict": "Failed"}, released="second")
    assert isinstance(released("second", done), WriteStatus)
    assert isinstance(released("first", done), BeginRun), "a release that comes back is another change"


def test_who_does_not_ask_for_releases_or_is_suspended_gets_no_run_of_them() -> None:
    assert isinstance(released("second", runOn=[]), WriteStatus)
    assert isinstance(released("second", suspend=True), WriteStatus)


def test_a_release_waits_for_the_run_that_is_under_way() -> None:
    assert isinstance(released("second", run_of(build.experiment(**ON_RELEASE), name="kill-2")), WriteStatus)


# At most one run waits


def begun(run: ExperimentRun) -> ExperimentRun:
    steps = [{"name": "Baseline", "startedAt": "2026-01-01T00:00:00Z"}]
    return ExperimentRun.parse(
        {"metadata": run.metadata.model_dump(by_alias=True), "spec": dump(run.spec), "status": {"steps": steps}}
    )


def test_no_other_run_is_made_while_one_has_not_begun() -> None:
    waiting = run_of(build.experiment())
    for changed in (
        build.experiment(metadata={"annotations": {RUN_REQUESTED: "again"}}),
        build.experiment(metadata={"generation": 2}, revision="2"),
    ):
        step = deciding.decide(situation(changed, waiting))
        assert isinstance(step, WriteStatus)
        assert (step.run, step.outlook.reconciling, step.answered) == (waiting, True, requests.of_run(waiting))
        assert isinstance(deciding.decide(situation(changed, begun(waiting))), BeginRun)
        day = {"name": "day", "uid": "day-uid", "act": "one", "performance": 1, "hash": "h"}
        assert isinstance(deciding.decide(situation(changed, run_of(build.experiment(), gameDay=day))), BeginRun)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"revision": "2"}, "Superseded"),
        ({"revision": "2", "suspend": True}, "Superseded"),
        ({"suspend": True}, "Suspended"),
        ({"dryRun": True}, "Superseded"),
        ({"historyLimit": 3}, None),
    ],
    ids=str,
)
def test_a_run_that_waits_ends_when_nobody_wants_it_any_more(spec: dict[str, Any], reason: str | None) -> None:
    waiting = run_of(build.experiment())
    changed = build.experiment(metadata={"generation": 2}, **spec)
    finding = deciding.unwanted(changed, waiting)
    assert (finding and finding.reason) == reason
    assert finding is None or finding.verdict == "Inconclusive"
    assert deciding.unwanted(changed, begun(waiting)) is None
    assert deciding.unwanted(build.experiment(**spec), waiting) is None, "what was told last is older than the run"
    day = {"name": "day", "uid": "day-uid", "act": "one", "performance": 1, "hash": "h"}
    assert deciding.unwanted(changed, run_of(build.experiment(), gameDay=day)) is None


@pytest.mark.parametrize("schedule", [None, "0 3 * * *"])
@pytest.mark.parametrize("reason", ["Superseded", "Suspended"])
def test_what_was_wanted_no_more_before_it_began_is_run_when_it_is_wanted_again(
    reason: str, schedule: str | None
) -> None:
    """A dry run that is none any more, a change that was taken back before the next run was made, and a resumption."""
    ended = run_of(build.experiment(), status={"verdict": "Inconclusive", "reason": reason})
    again = build.experiment(metadata={"generation": 3}, schedule=schedule)
    again.status.last_hash = requests.wanted(again).hash
    step = deciding.decide(situation(again, ended))
    assert isinstance(step, BeginRun)
    assert requests.run_name(again, step.request) != requests.run_name(again, requests.wanted(again))
    day = {"name": "day", "uid": "day-uid", "act": "one", "performance": 1, "hash": "h"}
    of_day = run_of(build.experiment(), status={"verdict": "Aborted", "reason": reason}, gameDay=day)
    assert isinstance(deciding.decide(situation(again, of_day)), WriteStatus), "the day decides of its runs"


def test_a_run_that_suspend_has_ended_is_made_again_and_a_firing_is_not() -> None:
    over = {"verdict": "Inconclusive", "reason": "Suspended"}
    ended = run_of(build.experiment(), status=over)
    assert shown(situation(build.experiment(suspend=True), ended)).suspended
    resumed = deciding.decide(situation(build.experiment(), ended))
    assert isinstance(resumed, BeginRun)
    assert resumed.request.after == "kill-1"
    fired = run_of(build.experiment(), status=over, scheduledAt="2026-01-01T00:00:00Z")
    assert isinstance(deciding.decide(situation(build.experiment(), fired)), WriteStatus)
