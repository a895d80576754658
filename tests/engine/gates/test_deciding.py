"""Deciding: a gate opens for the images that passed, and for no others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.engine.gates import deciding
from showstopper.engine.gates.deciding import Answer, Situation
from showstopper.engine.runs import requests
from tests.support import build
from tests.support.gate_build import HOUR, NOW, gate, image, run, situation


def stands(found: Situation) -> str:
    """Ready and its reason; and what kstatus makes of it."""
    outlook = deciding.decide(found).outlook
    way = "Failed" if outlook.stalled else "InProgress" if outlook.reconciling or outlook.ready != "True" else "Current"
    return f"{way} {outlook.reason}"


def test_a_pass_with_the_images_that_are_deployed_opens_it() -> None:
    answer = deciding.decide(situation(run("kill-1", "good")))
    assert answer.open
    assert answer.outlook.message == "these images have passed kill"
    (found,) = answer.requirements
    assert (found.state, found.run, found.verdict) == ("Passed", "kill-1", "Passed")
    assert [one.component for one in answer.images] == ["relay"]


@pytest.mark.parametrize("verdict", ["Failed", "Inconclusive", "Aborted", "Error"])
def test_every_other_verdict_closes_it_for_good(verdict: str) -> None:
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
    assert stands(both) == "InProgress RolloutUnderWay"
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
