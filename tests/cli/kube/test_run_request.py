"""Which run answers a request, also where somebody else requests one before it is made."""

import asyncio
from typing import Any, cast

import pytest

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.cli.kube import run_request
from showstopper.cli.kube.run_request import RunRefused, RunRequest, await_run
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT, Kind
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.support import build

NOW = "2026-01-01T00:00:00Z"
WAITS = conditions.in_progress(Reason.WAITING_FOR_ROOM, "waits")
PASSED = conditions.succeeded(Reason.EXPECTATIONS_MET, "passed")


def experiment(asked: str, outlook: Outlook = WAITS) -> Experiment:
    known = build.experiment(metadata={"annotations": {RUN_REQUESTED: asked} if asked else {}})
    known.status.observed_generation = 1
    known.status.conditions = conditions.conditions(outlook, generation=1, now=NOW)
    return known


def run(name: str, asked: str, *, over: bool = False) -> ExperimentRun:
    status = {"verdict": "Passed"} if over else None
    made = build.run(name, status=status, experiment={"runRequest": asked})
    made.metadata.uid = name
    made.metadata.creation_timestamp = f"2026-01-01T00:00:0{name[-1]}Z"
    return made


class ApiServer:
    """An experiment and its runs, and what becomes of them: from one look to the next."""

    def __init__(self, *looks: tuple[Experiment, list[ExperimentRun]]) -> None:
        self._looks = list(looks)

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        assert kind is EXPERIMENT
        if len(self._looks) > 1:
            self._looks.pop(0)
        return dump(self._looks[0][0])

    async def list(self, *_: object, **__: Any) -> list[Object]:
        return [dump(each) for each in self._looks[0][1]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_request, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(run_request, "SETTLE_SECONDS", 0.05)


async def answer(*looks: tuple[Experiment, list[ExperimentRun]]) -> str:
    """The name of the run that answers the request `mine`."""
    server = cast("Client", ApiServer(looks[0], *looks))
    async with asyncio.timeout(5):
        return (await await_run(server, RunRequest(experiment("mine"), "mine"))).metadata.name


async def test_the_run_that_was_made_for_it_answers_whatever_is_asked_for_since() -> None:
    assert await answer((experiment("later"), [run("kill-1", "mine", over=True), run("kill-2", "later")])) == "kill-1"


async def test_the_run_of_a_later_request_answers_an_earlier_one_that_got_none() -> None:
    """Two pipelines at one experiment whose run waits for its turn: one run is made for both."""
    before, waiting = run("kill-1", "later", over=True), run("kill-2", "")
    assert (
        await answer(
            (experiment("mine"), [before, waiting]),
            (experiment("later"), [before, waiting]),
            (experiment("later"), [before, waiting, run("kill-3", "later")]),
        )
        == "kill-3"
    )


@pytest.mark.parametrize("instead", ["", "later"])
async def test_a_request_that_is_taken_back_before_its_run_is_made_is_refused(instead: str) -> None:
    before, waiting = run("kill-1", "later", over=True), run("kill-2", "")
    with pytest.raises(RunRefused, match="was not run: its annotation"):
        await answer(
            (experiment("mine"), [before, waiting]),
            (experiment(instead), [before, waiting]),
            (experiment(instead, PASSED), [before, run("kill-2", "", over=True)]),
        )
