"""The scenarios of known truth: each is an experiment that the API takes, and names reasons that there are."""

from types import SimpleNamespace
from typing import cast

import pytest

from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from tests.support.known_truth.generated import EVERY_KIND, KINDS, scenarios
from tests.support.known_truth.scenario import Scenario
from tests.support.staged_room import Show, experiment

SEEDS = 8
CONFIGURATION = {"data": {"livekit.yaml": "logging: {level: info}"}}
ROOM = cast("Show", SimpleNamespace(namespace="show", api=SimpleNamespace(get=lambda _path: CONFIGURATION)))
"""As much of a room as a scenario asks before its experiment is written."""

ALL = [each for seed in range(SEEDS) for each in scenarios(seed, len(EVERY_KIND), EVERY_KIND)]


@pytest.mark.parametrize("scenario", ALL, ids=[each.kind for each in ALL])
def test_the_api_takes_it(scenario: Scenario) -> None:
    written = experiment("truth", **{**scenario.spec, **scenario.there(ROOM)})
    parsed = Experiment.parse({**written, "metadata": {**written["metadata"], "namespace": "show"}})
    assert len(parsed.spec.faults) == 1


@pytest.mark.parametrize("scenario", ALL, ids=[each.kind for each in ALL])
def test_its_verdicts_and_reasons_are_some_that_there_are(scenario: Scenario) -> None:
    assert scenario.right
    assert scenario.right.keys() <= {str(verdict) for verdict in Verdict}
    assert {reason for reasons in scenario.right.values() for reason in reasons} <= {str(reason) for reason in Reason}


def test_every_kind_comes_once_before_any_comes_again() -> None:
    kinds = [each.kind for each in scenarios(1, 2 * len(EVERY_KIND), EVERY_KIND)]
    first, second = kinds[: len(EVERY_KIND)], kinds[len(EVERY_KIND) :]
    assert sorted(first) == sorted(second)
    assert len(set(first)) == len(EVERY_KIND) >= 30
    assert len({each.kind for each in scenarios(1, len(KINDS))}) == len(KINDS)
