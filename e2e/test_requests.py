"""What asks for a run, what does not, and what ends one early."""

from __future__ import annotations

import pytest

from tests.support.staged_room import (
    LONG,
    NOT_PASSED,
    PASSED,
    Show,
    condition,
    eventually,
    experiment,
    stands,
    steps,
    told,
)

pytestmark = pytest.mark.cluster


def test_a_changed_spec_asks_for_a_run_and_the_same_does_not(show: Show) -> None:
    """A new revision is a new release. The same manifest again, or another historyLimit, is nothing new."""
    show.apply(experiment("release", revision="1"))
    _, first = show.verdict("release")
    assert first["status"]["verdict"] == "Passed", told(first)

    before = show.experiment("release")
    assert "unchanged" in show.apply(experiment("release", revision="1"))
    show.apply(experiment("release", revision="1", historyLimit=7))

    def seen() -> bool:
        resource = show.experiment("release")
        return bool(resource["status"]["observedGeneration"] == before["metadata"]["generation"] + 1)

    eventually("the new generation is seen", 60, seen)
    assert stands(show.experiment("release")) == PASSED
    assert [run["metadata"]["uid"] for run in show.runs("release")] == [first["metadata"]["uid"]]

    show.wait_until_well()
    show.apply(experiment("release", revision="2", historyLimit=7))
    resource, second = show.verdict("release")
    assert [run["metadata"]["uid"] for run in show.runs("release")] == [
        first["metadata"]["uid"],
        second["metadata"]["uid"],
    ]
    assert second["spec"]["experiment"]["revision"] == "2"
    assert second["status"]["verdict"] == "Passed", told(second)
    assert stands(resource) == PASSED


def test_abort_ends_a_run_at_once(show: Show) -> None:
    """spec.abort on the run, as a person sets it. It cannot be taken back."""
    show.apply(experiment("abort", baseline="10m", deadline="15m"))
    run = show.at("abort", "its baseline", lambda status: status.get("step") == "Baseline")
    path = show.path("experimentruns", run["metadata"]["name"])
    show.api.merge(path, {"spec": {"abort": True}})
    resource, run = show.verdict("abort")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Aborted", "AbortRequested"), told(run)
    assert steps(run) == ["Baseline", "Judged"]
    assert stands(resource) == NOT_PASSED


def test_deleting_the_experiment_aborts_its_run(show: Show) -> None:
    """The run outlives it, as the record of what happened."""
    show.apply(experiment("deleted", recovery="10m", deadline="15m"))
    run = show.at("deleted", "its recovery", lambda status: status.get("step") == "Recovering")
    show.api.delete(show.path("experiments", "deleted"))
    path = show.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", LONG, lambda: show.api.get(path)["status"].get("verdict"))
    status = show.api.get(path)["status"]
    assert (status["verdict"], status["reason"]) == ("Aborted", "ExperimentDeleted"), told(show.api.get(path))


def test_a_run_ends_by_its_deadline(show: Show) -> None:
    """Whatever it waits for."""
    show.apply(experiment("deadline", recovery="10m", deadline="12s"))
    resource, run = show.verdict("deadline")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Aborted", "DeadlineExceeded"), told(run)
    assert steps(run)[-1] == "Judged"
    assert stands(resource) == NOT_PASSED


def test_abort_if_ends_a_run_early(show: Show) -> None:
    """The serving relay is killed. The listeners' silence ends the run long before its recovery would."""
    stop = [{"indicator": "AudibleRatio", "below": "90%", "for": "1s"}]
    show.apply(experiment("stop", serving=True, recovery="10m", deadline="15m", abortIf=stop))
    resource, run = show.verdict("stop")
    assert run["status"]["verdict"] == "Aborted", told(run)
    assert "AudibleRatio" in run["status"]["message"]
    assert condition(resource, "Stalled")["status"] == "True"
