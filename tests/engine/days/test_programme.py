"""What a run of an act answers of what its experiment was asked for before."""

import pytest

from showstopper.api.game_day import GameDay
from showstopper.engine.days import programme
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.support import build


@pytest.mark.parametrize(
    ("reason", "answered"), [("ExpectationMissed", True), ("AbortRequested", True), ("Superseded", False)]
)
def test_the_run_of_an_act_answers_what_was_answered_before_and_nothing_else(reason: str, answered: bool) -> None:
    """Who asked for a run that ended before it began, unwanted, gets one after the day."""
    experiment = build.experiment(metadata={"annotations": {RUN_REQUESTED: "now"}})
    asked = requests.wanted(experiment)
    before = build.run(
        experiment={"hash": asked.hash, "runRequest": "now"}, status={"verdict": "Inconclusive", "reason": reason}
    )
    day = GameDay.parse(
        {
            "metadata": {"name": "day", "namespace": "show", "uid": "day-uid", "generation": 1},
            "spec": {"acts": [{"name": "one", "experimentRef": {"name": "kill"}}]},
        }
    )
    request = programme.request(day, day.spec.acts[0], 1, experiment, [before])
    assert (request.hash, request.run_request) == (asked.hash, "now" if answered else "")
    assert asked.is_answered_by(request) is answered
