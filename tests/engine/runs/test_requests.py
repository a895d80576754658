"""When an experiment asks for a run, and what that run is called."""

from typing import Any

import pytest

from showstopper.api.experiment import Experiment
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.support import build


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "2"},
        {"roomRef": {"name": "other"}},
        {"timing": {"baseline": "16s"}},
        {"faults": [build.fault("other")]},
        {"expect": [{"indicator": "AudibleRatio", "min": "71%"}]},
        {"abortIf": [{"indicator": "AudibleRatio", "below": "10%"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_what_is_run_asks_for_a_run(change: dict[str, Any]) -> None:
    assert requests.wanted(build.experiment(**change)) != requests.wanted(build.experiment())


@pytest.mark.parametrize("change", [{"suspend": True}, {"historyLimit": 3}, {"dryRun": True}])
def test_a_change_of_anything_else_asks_for_nothing(change: dict[str, Any]) -> None:
    assert requests.wanted(build.experiment(**change)) == requests.wanted(build.experiment())


def test_durations_that_mean_the_same_ask_for_nothing() -> None:
    assert requests.wanted(build.experiment(timing={"recovery": "60s"})) == requests.wanted(
        build.experiment(timing={"recovery": "1m"})
    )


def test_the_annotation_asks_for_a_run() -> None:
    asked = build.experiment(metadata={"annotations": {RUN_REQUESTED: "now"}})
    assert requests.wanted(asked).run_request == "now"
    assert requests.wanted(asked) != requests.wanted(build.experiment())


def test_a_run_answers_the_request_it_was_made_for_even_if_no_status_says_so() -> None:
    experiment = build.experiment()
    made = build.run(experiment={"hash": requests.wanted(experiment).hash})
    assert requests.handled(experiment, made) == requests.wanted(experiment)


def test_a_deleted_run_is_remembered_by_the_status() -> None:
    wanted = requests.wanted(build.experiment())
    experiment = build.experiment(status={"lastHash": wanted.hash})
    assert requests.handled(experiment, None) == wanted


def test_nothing_was_handled_at_first() -> None:
    assert requests.handled(build.experiment(), None) is None


def name(experiment: Experiment) -> str:
    return requests.run_name(experiment, requests.wanted(experiment))


def test_the_same_request_has_the_same_name() -> None:
    assert name(build.experiment()) == name(build.experiment())


@pytest.mark.parametrize("metadata", [{"generation": 3}, {"uid": "another"}])
def test_a_spec_that_came_back_and_a_recreated_experiment_have_runs_of_their_own(metadata: dict[str, Any]) -> None:
    assert name(build.experiment()) != name(build.experiment(metadata=metadata))


def test_a_long_name_stays_a_label() -> None:
    assert len(name(build.experiment(metadata={"name": "x" * 63}))) <= 63


def test_the_same_request_chooses_by_the_same_seed_and_another_by_another() -> None:
    first, second = build.experiment(), build.experiment(revision="2")
    assert requests.seed(first, requests.wanted(first)) == requests.seed(first, requests.wanted(first))
    assert requests.seed(first, requests.wanted(first)) != requests.seed(second, requests.wanted(second))
    assert 0 <= requests.seed(first, requests.wanted(first)) < 2**53


def test_of_two_runs_of_one_second_the_newest_is_the_one_that_was_made_later() -> None:
    """Else the older would pass for the newest, and the newer would be asked for again and again."""
    older = build.run("z", experiment={"askedAt": "2026-01-01T00:00:00.100000Z"})
    newer = build.run("a", experiment={"askedAt": "2026-01-01T00:00:00.200000Z"})
    assert requests.newest_of(build.experiment(), [newer, older]) is newer


def test_the_newest_run_is_of_this_very_experiment() -> None:
    old, new = build.run("a"), build.run("b", created="2026-01-02T00:00:00Z")
    foreign = build.run("c", created="2026-01-03T00:00:00Z", experiment={"uid": "recreated"})
    assert requests.newest_of(build.experiment(), [new, old, foreign]) is new
