"""The operator is killed with SIGKILL in every step of a run. Whatever it was doing, the run ends true, and hits once.

Five of the steps last long enough to be met by looking: as soon as the run's record says the step, the process dies.
The two halves of `Injecting` last milliseconds. There the test itself writes the record, and does the deed, up to
exactly the place where the operator would have died, while there is none. Then a new operator finds it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.operator_process import Operator
from tests.support.staged_room import PASSED, Object, Show, eventually, experiment, finished, stands, steps, told

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.usefixtures("hit_once"), pytest.mark.matrix("killed")]

NAME, AHEAD = "killed", "ahead"
RECOVERY = "10s"


@pytest.fixture
def hit_once(show: Show) -> Iterator[None]:
    """After the test: exactly one relay was deleted for each run, the one on its record, and there is no second run."""
    moment = show.moment()
    yield
    runs = [run for name in (AHEAD, NAME) for run in show.runs(name)]
    targets = [target["uid"] for run in runs for target in run["status"]["targets"]]
    assert sorted(run["spec"]["experiment"]["name"] for run in runs) in ([NAME], [AHEAD, NAME])
    assert len(targets) == len(runs)
    assert sorted(show.deleted_since(moment)) == sorted(targets)


def passes(show: Show) -> Object:
    """The run, over and passed, and so the experiment says."""
    resource, run = show.verdict(NAME)
    assert run["status"]["verdict"] == "Passed", told(run)
    assert steps(run) == ["Baseline", "Injecting", "Recovering", "Judged"]
    assert stands(resource) == stands(run) == PASSED
    return run


def kill_at(show: Show, what: str, reached: Callable[[Object], Any]) -> None:
    operator = Operator(show)
    show.apply(experiment(NAME, recovery=RECOVERY))
    show.at(NAME, what, reached)
    operator.kill()


def test_while_queued(show: Show) -> None:
    """The run is planned, and waits for another that holds the room. Both end."""
    operator = Operator(show)
    show.apply(experiment(AHEAD, recovery=RECOVERY))
    show.at(AHEAD, "its baseline", lambda status: status.get("step") == "Baseline")
    show.apply(experiment(NAME, recovery=RECOVERY))
    show.at(NAME, "queued", lambda status: reason(status) == "WaitingForRoom")
    operator.kill()
    run = passes(show)
    _, ahead = show.verdict(AHEAD)
    assert ahead["status"]["verdict"] == "Passed", told(ahead)
    if not show.was_asked_again(AHEAD):  # whose second run comes after the other one
        assert ahead["status"]["finishedAt"] < run["status"]["startedAt"]


def test_in_the_baseline(show: Show) -> None:
    """What listeners heard meanwhile is in their own rings: the baseline is whole."""
    kill_at(show, "its baseline", lambda status: status.get("step") == "Baseline")
    passes(show)


def test_before_the_effect(show: Show) -> None:
    """The note is written, the pod is untouched: the new operator sees that, and hits it now."""
    with _stopped_after_the_baseline(show) as run:
        _note(show, run, _relay_that_rests(show))
    run = passes(show)
    assert run["status"]["targets"][0]["answeredAt"]


def test_after_the_call(show: Show) -> None:
    """The note is written, the pod deleted, the answer not noted: whoever did it, the run did not certainly.

    The pod that came in its place is left alone.
    """
    with _stopped_after_the_baseline(show) as run:
        pod = _relay_that_rests(show)
        _note(show, run, pod)
        path = f"/api/v1/namespaces/{show.namespace}/pods/{pod['metadata']['name']}"
        show.api.delete(path, {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}})
    _, run = show.verdict(NAME)
    status = run["status"]
    assert (status["verdict"], status["reason"]) == ("Inconclusive", "KillUncertain"), told(run)
    (target,) = status["targets"]
    assert "answeredAt" not in target
    assert target["reason"] == "KillUncertain"


def test_in_the_recovery(show: Show) -> None:
    """The fault is in, and the room is watched."""
    kill_at(show, "its recovery", lambda status: status.get("step") == "Recovering")
    passes(show)


def test_between_effect_and_proof(show: Show) -> None:
    """The pod is gone, on the record. Whether its media stopped is asked of the listeners, by the new operator."""

    def gone(status: Object) -> bool:
        return any(target.get("goneAt") for target in status.get("targets", []))

    kill_at(show, "its target gone", gone)
    assert passes(show)["status"]["faults"][0]["proven"]


def test_once_judged(show: Show) -> None:
    """The verdict is on the run's record, not yet on the experiment: the new operator brings it there."""
    operator = Operator(show)
    show.apply(experiment(NAME, recovery=RECOVERY))
    show.at(NAME, "its recovery", lambda status: status.get("step") == "Recovering")
    path = show.path("experiments", NAME)

    def shown() -> Object | None:
        status: Object = show.api.get(path)["status"]
        return status if reason(status) == "Recovering" else None

    before = eventually("the experiment shows the recovery", 60, shown)
    show.at(NAME, "its verdict", lambda status: status.get("verdict"))
    with operator.away():
        # Whether the mirror was quicker than the kill or not: it was not.
        show.api.merge(f"{path}/status", {"status": {**before, "verdict": None}})
        assert finished(show.run(NAME))
    passes(show)


def reason(status: Object) -> str:
    reasons = [each["reason"] for each in status.get("conditions", []) if each["type"] == "Ready"]
    return str(reasons[0]) if reasons else ""


@contextmanager
def _stopped_after_the_baseline(show: Show) -> Iterator[Object]:
    """A run whose operator died just after the baseline: in the block there is none, after it a new one."""
    operator = Operator(show)
    show.apply(experiment(NAME, recovery=RECOVERY))
    run = show.at(NAME, "its baseline", lambda status: status.get("step") == "Baseline")
    (step,) = run["status"]["steps"]
    over = datetime.fromisoformat(step["startedAt"]) + timedelta(seconds=5)
    with operator.away():
        eventually("the baseline's time is over", 30, lambda: datetime.now(UTC) > over)
        yield run


def _relay_that_rests(show: Show) -> Object:
    """The relay that serves nobody, as the room said last."""
    serving = show.api.get(show.path("audiorooms", show.room))["status"]["serving"]
    (relay,) = [pod for pod in show.pods() if pod["metadata"]["name"] not in serving]
    return relay


def _note(show: Show, run: Object, pod: Object) -> None:
    """What the operator writes before its call."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    (baseline,) = run["status"]["steps"]
    target = {
        "fault": "kill",
        "pod": pod["metadata"]["name"],
        "uid": pod["metadata"]["uid"],
        "node": pod["spec"]["nodeName"],
        "address": pod["status"]["podIP"],
        "serving": False,
        "requestedAt": now,
        "proven": False,
    }
    status = {
        "step": "Injecting",
        "steps": [
            {**baseline, "completedAt": now},
            {"name": "Injecting", "startedAt": now, "message": "before the call"},
        ],
        "targets": [target],
        "faults": [{"name": "kill", "kind": "podKill", "targets": 1, "proven": False, "reverted": False}],
    }
    show.api.merge(f"{show.path('experimentruns', run['metadata']['name'])}/status", {"status": status})
