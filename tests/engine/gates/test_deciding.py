"""Deciding: a gate opens for the images that passed, and for no others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api import conditions
from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.schema.base import dump
from showstopper.engine.experiments import memory
from showstopper.engine.gates import deciding
from showstopper.engine.gates.deciding import Answer, Situation
from showstopper.engine.rooms.releases import DeployedReleases
from showstopper.engine.runs import requests
from tests.support import build
from tests.support.gate_build import HOUR, NOW, gate, image, run, situation


def stands(situation: Situation) -> str:
    """Ready and its reason; and what kstatus makes of it."""
    outlook = deciding.decide(situation).outlook
    way = "Failed" if outlook.stalled else "InProgress" if outlook.reconciling or outlook.ready != "True" else "Current"
    return f"{way} {outlook.reason}"


def test_a_pass_with_the_images_that_are_deployed_opens_it() -> None:
    answer = deciding.decide(situation(run("kill-1", "good")))
    assert answer.open
    assert answer.outlook.message == "this release has passed kill"
    (requirement,) = answer.requirements
    assert (requirement.state, requirement.run, requirement.verdict) == ("Passed", "kill-1", "Passed")
    assert [image.component for image in answer.images] == ["relay"]


@pytest.mark.parametrize("verdict", ["Failed", "Aborted"])
def test_a_release_that_did_not_pass_closes_it_for_good(verdict: str) -> None:
    assert stands(situation(run("kill-1", "good", verdict))) == "Failed ExperimentNotPassed"


def test_a_pass_of_another_image_is_none() -> None:
    assert stands(situation(run("kill-1", "bad"))) == "Failed RunMissing"


def test_an_image_changed_after_the_run_closes_it() -> None:
    passed = run("kill-1", "good")
    assert stands(situation(passed)) == "Current Passed"
    assert stands(situation(passed, digest="newer")) == "Failed RunMissing"


def test_a_component_that_is_not_named_may_change() -> None:
    assert stands(situation(run("kill-1", "good"), images=(image("good"), image("other", "store")))) == "Current Passed"
    every = situation(run("kill-1", "good"), gate=gate(components=[]), images=(image("good"), image("other", "store")))
    assert stands(every) == "Failed RunMissing"


def test_a_rollout_is_no_release() -> None:
    both = situation(run("kill-1", "good"), images=(image("good"), image("newer")))
    assert stands(both) == "Failed SeveralReleases", "nothing moves, and has not for two minutes"
    starting = situation(run("kill-1", ""), images=(image(""),))
    assert stands(starting) == "InProgress RolloutUnderWay"


def test_the_newest_verdict_counts() -> None:
    old, new = run("kill-1", "good", finished=NOW - 2 * HOUR), run("kill-2", "good", "Failed")
    assert stands(situation(old, new)) == "Failed ExperimentNotPassed"
    again = run("kill-3", "good", finished=NOW - 60)
    assert stands(situation(old, new, again)) == "Current Passed"


def test_a_run_that_is_under_way_is_waited_for_and_takes_no_fresh_pass_away() -> None:
    failed, under_way = run("kill-1", "good", "Failed"), run("kill-2", "good", None)
    assert stands(situation(failed, under_way)) == "InProgress WaitingForRuns"
    assert stands(situation(run("kill-1", "good"), under_way)) == "Current Passed"


def test_a_pass_gets_old() -> None:
    aged = situation(run("kill-1", "good", finished=NOW - 3 * HOUR), gate=gate(maxAge="3h"))
    assert stands(aged) == "Failed PassExpired"
    assert (
        stands(situation(run("kill-1", "good", finished=NOW - 3 * HOUR + 1), gate=gate(maxAge="3h")))
        == "Current Passed"
    )
    asking = situation(run("kill-1", "good", finished=NOW - 3 * HOUR), gate=gate(maxAge="3h", requestRuns=True))
    assert stands(asking) == "InProgress WaitingForRuns"
    assert deciding.decide(asking).requests["kill"].endswith("kill-1")


def test_a_missing_run_is_asked_for_once() -> None:
    asking = situation(gate=gate(requestRuns=True))
    value = deciding.decide(asking).requests["kill"]
    annotated = build.experiment(metadata={"annotations": {requests.RUN_REQUESTED: value}})
    asked = situation(gate=gate(requestRuns=True), experiments={"kill": annotated})
    assert stands(asked) == "InProgress WaitingForRuns"
    assert not deciding.decide(asked).requests
    # Its run came, but its release changed underway: it counts for neither, and is not asked for again.
    spoilt = run("kill-1", "other", "Inconclusive", runRequest=value)
    assert (
        stands(situation(spoilt, gate=gate(requestRuns=True), experiments={"kill": annotated})) == "Failed RunMissing"
    )
    newer = situation(spoilt, digest="newer", gate=gate(requestRuns=True), experiments={"kill": annotated})
    assert deciding.decide(newer).requests["kill"] != value


@pytest.mark.parametrize("spec", [{"schedule": "0 3 * * *"}, {"runOn": ["ReleaseChange"]}])
def test_what_runs_by_itself_is_waited_for(spec: dict[str, Any]) -> None:
    assert stands(situation(experiments={"kill": build.experiment(**spec)})) == "InProgress WaitingForRuns"
    suspended = situation(experiments={"kill": build.experiment(suspend=True, **spec)})
    assert stands(suspended) == "Failed RunMissing"


def test_a_recreated_experiment_keeps_its_earlier_runs_and_a_changed_one_does_not() -> None:
    anew = build.experiment(metadata={"uid": "another-uid"})
    assert stands(situation(run("kill-1", "good"), experiments={"kill": anew})) == "Current Passed"
    looser = build.experiment(expect=[{"indicator": "AudibleRatio", "min": "1%"}])
    assert stands(situation(run("kill-1", "good"), experiments={"kill": looser})) == "Failed RunMissing"


def test_what_is_named_wrongly_is_refused() -> None:
    assert stands(situation(experiments={})) == "Failed RunMissing"
    assert stands(situation(gate=gate(components=["relai"]))) == "Failed UnknownComponent"
    assert stands(situation(room=None)) == "Failed RoomNotFound"
    assert stands(situation(room=None, seen_seconds=1)) == "InProgress WaitingForRoom"
    assert stands(situation(images=())) == "Failed NoImage"
    assert stands(situation(images=(), seen_seconds=1)) == "InProgress WaitingForImages"
    assert stands(situation(run("kill-1", "good"), gate=gate(suspend=True))) == "InProgress Suspended"


def test_an_image_that_is_not_deployed_is_answered_for_by_its_runs() -> None:
    there = situation(run("kill-1", "good"), run("kill-2", "bad", "Failed"), digest="third")
    good, bad, unknown = (deciding.for_image(there, digest) for digest in ("good", "bad", "never-run"))
    assert good is not None
    assert good.open
    assert bad is not None
    assert not bad.open
    assert unknown is None


VERDICTS = st.sampled_from([None, "Passed", "Failed", "Inconclusive", "Aborted", "Error"])
RUNS = st.lists(st.tuples(st.sampled_from(["good", "bad", ""]), VERDICTS, st.integers(0, 400)), max_size=6)


@given(RUNS, st.sampled_from(["good", "bad"]), st.booleans())
def test_it_is_never_open_without_a_fresh_pass_of_exactly_these_images(
    told: list[tuple[str, str | None, int]], digest: str, request: bool
) -> None:
    runs = [run(f"kill-{n}", of, verdict, finished=NOW - age * HOUR) for n, (of, verdict, age) in enumerate(told)]
    answer: Answer = deciding.decide(situation(*runs, digest=digest, gate=gate(requestRuns=request)))
    fresh = any(of == digest and verdict == "Passed" and age < 168 for of, verdict, age in told)
    assert fresh or not answer.open
    assert not (answer.outlook.reconciling and answer.outlook.stalled)


# What an image is asked by


def test_an_image_is_answered_for_by_its_newest_run_in_the_whole_release() -> None:
    """Not by any combination that ever passed."""
    older = run("kill-1", "good", finished=NOW - 2 * HOUR)
    newest = run("kill-2", "good", "Failed", others=(image("store-2", "store"),))
    every = situation(older, newest, gate=gate(components=[]))
    answer = deciding.for_image(every, "good")
    assert answer is not None
    assert answer.outlook.reason == "ExperimentNotPassed"


def test_an_image_that_was_tested_beside_another_one_is_not_released() -> None:
    both = run("kill-1", "stable", others=(image("canary"), image("store", "store")))
    answer = deciding.for_image(situation(both), "canary")
    assert answer is not None
    assert answer.outlook.reason == "SeveralReleases"
    assert "runs relay:1 stable" in answer.outlook.message
    assert "runs relay:1 canary" in answer.outlook.message


def test_a_suspended_gate_lets_no_image_pass_and_no_digest_is_none() -> None:
    answer = deciding.for_image(situation(run("kill-1", "good"), gate=gate(suspend=True)), "good")
    assert answer is not None
    assert answer.outlook.reason == "Suspended"
    assert deciding.for_image(situation(run("kill-1", "")), "") is None


def test_a_component_that_no_run_knew_is_not_passed() -> None:
    room = build.room(components=[*dump(build.room().spec)["components"], EDGE])
    answer = deciding.for_image(situation(run("kill-1", "good"), room=room, gate=gate(components=[])), "good")
    assert answer is None, "its runs were of the room before"


# The room


EDGE = {"name": "edge", "selector": {"matchLabels": {"app": "edge"}}}


def test_a_pass_in_another_room_or_in_the_room_as_it_was_is_none() -> None:
    passed = run("kill-1", "good")
    elsewhere = passed.model_copy(deep=True)
    elsewhere.spec = elsewhere.spec.model_copy(
        update={"room": elsewhere.spec.room.model_copy(update={"name": "rehearsal-room"})}
    )
    assert stands(situation(elsewhere)) == "Failed RunMissing"
    smaller = build.room(listeners={"count": 1})
    assert stands(situation(passed, room=smaller)) == "Failed RunMissing"


# What is no release


def test_a_rollout_closes_it_and_one_that_waits_for_a_person_does_not_progress_for_ever() -> None:
    passed = run("kill-1", "good")
    moving = DeployedReleases((image("good"),), moving="Deployment relay is being rolled out")
    assert stands(situation(passed, deployed=moving)) == "InProgress RolloutUnderWay"
    none_yet = DeployedReleases((), moving="Deployment relay is being rolled out")
    assert stands(situation(passed, deployed=none_yet)) == "InProgress RolloutUnderWay"
    held = DeployedReleases((image("good"),), held="DaemonSet relay: its updateStrategy is OnDelete")
    assert stands(situation(passed, deployed=held)) == "Failed RolloutHeld"
    two = (image("good"), image("newer"))
    assert stands(situation(passed, images=two, quiet_seconds=5)) == "InProgress RolloutUnderWay"
    assert stands(situation(passed, deployed=None)) == "InProgress WaitingForImages"


def test_a_changed_template_is_another_release_unless_the_gate_is_about_images() -> None:
    before, after = (image("good").model_copy(update={"template": template}) for template in ("t1", "t2"))
    passed = run("kill-1", "good", others=(), template="t1")
    assert stands(situation(passed, images=(before,))) == "Current Passed"
    assert stands(situation(passed, images=(after,))) == "Failed RunMissing"
    assert stands(situation(passed, images=(after,), gate=gate(release="Images"))) == "Current Passed"


# Runs without a verdict, and runs that are gone


def test_an_inconclusive_run_is_asked_for_again_three_times_at_most() -> None:
    runs = [run(f"kill-{n}", "good", "Inconclusive", finished=NOW - HOUR + n) for n in (1, 2, 3)]
    asking = gate(requestRuns=True)
    values = set()
    for tried in (1, 2):
        answer = deciding.decide(situation(*runs[:tried], gate=asking))
        assert (answer.outlook.reconciling, answer.outlook.reason) == (True, "WaitingForRuns")
        values.add(answer.requests["kill"])
    assert len(values) == 2, "each is another request"
    answer = deciding.decide(situation(*runs, gate=asking))
    assert (answer.outlook.stalled, answer.outlook.reason) == (True, "RunsInconclusive")
    assert "3 of 3 runs gave no verdict, the last of them kill-3" in answer.outlook.message
    assert (
        "kubectl -n show annotate --overwrite experiment kill showstopper.dev/run-requested=TEXT"
        in answer.outlook.message
    )
    assert not answer.requests


@pytest.mark.parametrize("reason", ["Superseded", "Suspended"])
def test_a_run_that_nobody_wanted_any_more_is_no_attempt(reason: str) -> None:
    ended = run("kill-1", "good", "Inconclusive")
    ended.status.reason = reason
    assert stands(situation(ended)) == "Failed RunMissing"
    assert stands(situation(ended, run("kill-0", "good", finished=NOW - 2 * HOUR))) == "Current Passed"


@pytest.mark.parametrize("reason", ["Superseded", "Suspended"])
def test_what_was_asked_for_and_wanted_no_more_for_a_while_still_comes(reason: str) -> None:
    asking = gate(requestRuns=True)
    value = deciding.decide(situation(gate=asking)).requests["kill"]
    annotated = build.experiment(metadata={"annotations": {requests.RUN_REQUESTED: value}})
    ended = run("kill-1", "good", "Inconclusive", runRequest=value)
    ended.status.reason = reason
    wanted_again = situation(ended, gate=asking, experiments={"kill": annotated})
    assert stands(wanted_again) == "InProgress WaitingForRuns"
    assert not deciding.decide(wanted_again).requests, "the experiment has been asked"


def test_without_a_gate_that_asks_an_inconclusive_run_says_at_once_what_does() -> None:
    answer = deciding.decide(situation(run("kill-1", "good", "Inconclusive")))
    assert (answer.outlook.stalled, answer.outlook.reason) == (True, "RunsInconclusive")
    assert "run-requested=TEXT asks for a run" in answer.outlook.message


def test_a_run_without_a_verdict_takes_no_fresh_pass_away() -> None:
    passed = run("kill-1", "good", finished=NOW - 2 * HOUR)
    assert stands(situation(passed, run("kill-2", "good", "Inconclusive"))) == "Current Passed"
    assert stands(situation(passed, run("kill-2", "good", "Aborted"))) == "Failed ExperimentNotPassed"


def test_a_failed_run_that_is_deleted_still_counts_until_a_newer_pass() -> None:
    passed, failed = run("kill-1", "good", finished=NOW - 2 * HOUR), run("kill-2", "good", "Failed")
    closed = situation(passed, failed)
    remembering = gate()
    remembering.status.verdicts = list(deciding.decide(closed).notes)
    answer = deciding.decide(situation(passed, gate=remembering))
    assert (answer.outlook.stalled, answer.outlook.reason) == (True, "ExperimentNotPassed")
    assert "run kill-2: its verdict was Failed, and counts though the run was deleted" in answer.outlook.message
    again = run("kill-3", "good", finished=NOW - 60)
    assert stands(situation(passed, again, gate=remembering)) == "Current Passed"
    assert stands(situation(run("kill-4", "newer"), digest="newer", gate=remembering)) == "Current Passed"


def test_a_new_gate_asks_the_experiment_what_became_of_deleted_runs() -> None:
    passed, failed = run("kill-1", "good", finished=NOW - 2 * HOUR), run("kill-2", "good", "Failed")
    remembering = build.experiment()
    remembering.status.verdicts = memory.remember([], [passed, failed])
    known = {"kill": remembering}
    answer = deciding.decide(situation(passed, experiments=known))
    assert (answer.outlook.stalled, answer.outlook.reason) == (True, "ExperimentNotPassed")
    assert "run kill-2: its verdict was Failed, and counts though the run was deleted" in answer.outlook.message
    assert stands(situation(passed, run("kill-3", "good", finished=NOW - 60), experiments=known)) == "Current Passed"
    assert stands(situation(run("kill-4", "newer"), digest="newer", experiments=known)) == "Current Passed"
    assert deciding.decide(situation(experiments=known)).notes[0].verdict == "Failed"


def test_a_deleted_pass_opens_nothing() -> None:
    remembering = build.experiment()
    remembering.status.verdicts = memory.remember([], [run("kill-1", "good")])
    assert stands(situation(experiments={"kill": remembering})) == "Failed RunMissing"


def test_attempts_are_counted_though_their_runs_are_trimmed() -> None:
    remembering = gate(requestRuns=True)
    for n in (1, 2, 3):
        only = run(f"kill-{n}", "good", "Inconclusive", finished=NOW - HOUR + n)
        answer = deciding.decide(situation(only, gate=remembering))
        remembering.status.verdicts = list(answer.notes)
    assert answer.outlook.reason == "RunsInconclusive"


def test_no_run_is_asked_for_while_a_pod_of_the_release_before_drains() -> None:
    draining = DeployedReleases(
        (image("good"),), draining="pod relay-old has not ended yet: it does by 2026-11-23T20:00:00Z"
    )
    answer = deciding.decide(situation(gate=gate(requestRuns=True), deployed=draining))
    assert (answer.outlook.reconciling, answer.requests) == (True, {})
    assert "a run is asked for when this is over: pod relay-old has not ended yet" in answer.outlook.message


# What never comes


def asked_of(value: str, **status: Any) -> Experiment:
    """The experiment with a gate's request, and its status, as it is declared now."""
    return build.experiment(
        metadata={"annotations": {requests.RUN_REQUESTED: value}, "generation": 1},
        status={"observedGeneration": 1, **status},
    )


def handled(value: str) -> dict[str, Any]:
    """The status of an experiment that has had a run for this request."""
    return {"lastHash": requests.wanted(build.experiment()).hash, "lastHandledRunRequest": value}


def stalled(reason: Reason, message: str) -> dict[str, Any]:
    outlook = conditions.refused(reason, message)
    return {"conditions": [dump(each) for each in conditions.conditions(outlook, generation=1, now="t")]}


def test_a_pass_that_was_asked_for_and_deleted_is_asked_for_again() -> None:
    asking = gate(requestRuns=True)
    value = deciding.decide(situation(gate=asking)).requests["kill"]
    known = {"kill": asked_of(value, **handled(value))}
    answer = deciding.decide(situation(run("kill-1", "good", runRequest=value), gate=asking, experiments=known))
    assert answer.open
    asking.status.verdicts = list(answer.notes)
    deleted = situation(gate=asking, experiments=known)
    again = deciding.decide(deleted).requests["kill"]
    assert again != value
    assert stands(deleted) == "InProgress WaitingForRuns"
    anew = situation(gate=asking, experiments={"kill": asked_of(again, **handled(value))})
    assert (stands(anew), deciding.decide(anew).requests) == ("InProgress WaitingForRuns", {})


def test_a_run_that_was_asked_for_and_deleted_without_a_verdict_is_not_waited_for() -> None:
    asking = gate(requestRuns=True)
    value = deciding.decide(situation(gate=asking)).requests["kill"]
    not_yet = situation(gate=asking, experiments={"kill": asked_of(value)})
    assert stands(not_yet) == "InProgress WaitingForRuns"
    gone = {**handled(value), **stalled(Reason.RUN_DELETED, "run kill-1 was deleted before it had a verdict")}
    deleted = situation(gate=asking, experiments={"kill": asked_of(value, **gone)})
    assert stands(deleted) == "Failed RunMissing"
    assert "the run that this gate asked for did not count" in deciding.decide(deleted).outlook.message


def test_an_experiment_that_refuses_says_so_at_its_gate() -> None:
    asking, refusal = gate(requestRuns=True), stalled(Reason.NAMESPACE_NOT_ALLOWED, "label namespace show")
    value = deciding.decide(situation(gate=asking, experiments={"kill": asked_of("", **refusal)})).requests["kill"]
    refused = situation(gate=asking, experiments={"kill": asked_of(value, **refusal)})
    assert stands(refused) == "Failed RunMissing"
    assert "Experiment kill starts no run: label namespace show" in deciding.decide(refused).outlook.message
    scheduled = build.experiment(schedule="0 3 * * *", metadata={"generation": 1})
    scheduled.status = asked_of("", **refusal).status
    assert stands(situation(experiments={"kill": scheduled})) == "Failed RunMissing"
    older = asked_of(value, **refusal)
    older.metadata.generation = 2
    assert stands(situation(gate=asking, experiments={"kill": older})) == "InProgress WaitingForRuns", "it was changed"


def test_a_room_that_was_changed_since_is_asked_for_again() -> None:
    asking = gate(requestRuns=True)
    value = deciding.decide(situation(gate=asking)).requests["kill"]
    known = {"kill": asked_of(value, **handled(value))}
    smaller = build.room(listeners={"count": 1})
    changed = situation(run("kill-1", "good", runRequest=value), gate=asking, experiments=known, room=smaller)
    assert deciding.decide(changed).requests["kill"] != value


def test_what_a_gate_asks_is_kept_whole_by_the_run() -> None:
    asking = gate(requestRuns=True)
    asking.metadata.name = "n" * 253
    expired = run("r" * 63, "good", finished=NOW - 1000 * HOUR)
    assert len(deciding.decide(situation(expired, gate=asking)).requests["kill"]) <= 256


def test_a_release_that_had_its_run_gets_no_other_by_itself() -> None:
    by_itself = build.experiment(runOn=["ReleaseChange"])
    had = run("kill-1", "good")
    smaller = build.room(listeners={"count": 1})
    assert stands(situation(had, room=smaller, experiments={"kill": by_itself})) == "Failed RunMissing"
    remembering = gate()
    remembering.status.verdicts = list(deciding.decide(situation(had, experiments={"kill": by_itself})).notes)
    assert stands(situation(gate=remembering, experiments={"kill": by_itself})) == "Failed RunMissing"
