"""The stop switch on the room that is heard: every fault is lifted at once, with the operator and without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from dev import stage
from tests.support.operator_process import Operator
from tests.support.staged_room import (
    HEARD_AT_ALL,
    Object,
    Show,
    condition,
    eventually,
    experiment,
    finished,
    proven,
    told,
)

pytestmark = [pytest.mark.cluster, pytest.mark.alone]

WHY = "the real show has begun"
SWITCHES = f"/api/v1/namespaces/{stage.AGENTS}/configmaps"
VERDICT = ("verdict", "reason", "message", "finishedAt")
PROMISED, BOUND = 1.0, 4.0
"""All is lifted within a second. That a machine is busy with all of a cluster is no defect, so the bound is wider."""


@contextmanager
def thrown(show: Show) -> Iterator[datetime]:
    """The switch, thrown for the time of the block, since when."""
    body = {"metadata": {"name": "stop-switch"}, "data": {"reason": WHY}}
    since = datetime.now(UTC)
    show.api.create(SWITCHES, {"apiVersion": "v1", "kind": "ConfigMap", **body})
    try:
        yield since
    finally:
        show.api.delete(f"{SWITCHES}/stop-switch")


def loss() -> Object:
    """Half of what the serving relay sends, for as long as nobody ends it."""
    target = {"component": "relay", "serving": True, "max": 1}
    dose = {"percent": "50%", "direction": "Egress", "ports": ["media"]}
    return {"name": "loss", "target": target, "duration": "10m", "packetLoss": dose}


def injection(show: Show) -> Object:
    (stored,) = show.api.get(show.path("injections"))["items"]
    return dict(stored)


def lifted_after(since: datetime, target: Object) -> float:
    """Seconds until the agent had it out of the kernel, by its own clock: all nodes are on one machine."""
    seconds = (datetime.fromisoformat(target["liftedAt"]) - since).total_seconds()
    print(f"lifted {seconds * 1000:.0f} ms after the switch was thrown (promised: {PROMISED:g} s)")
    return seconds


def test_a_fault_is_lifted_at_once_its_run_aborted_and_nothing_begins(show: Show) -> None:
    show.apply(experiment("stopped", faults=[loss()], expect=HEARD_AT_ALL))
    show.at("stopped", "the fault is proven", proven)
    with thrown(show) as since:
        _, run = show.verdict("stopped")
        assert (run["status"]["verdict"], run["status"]["reason"]) == ("Aborted", "Stopped"), told(run)
        assert WHY in run["status"]["message"]
        (target,) = run["status"]["targets"]
        assert lifted_after(since, target) < BOUND
        assert run["status"]["faults"][0]["reverted"]
        show.apply(experiment("late", baseline="0s", target={"minReady": 0}))
        _, late = show.verdict("late")
        assert (late["status"]["verdict"], late["status"]["reason"]) == ("Aborted", "Stopped"), told(late)
        assert not late["status"].get("targets")
    assert not show.api.get(show.path("injections"))["items"]
    assert len(show.runs("stopped")) == len(show.runs("late")) == 1


def test_without_an_operator_too(show: Show) -> None:
    show.apply(experiment("orphan", faults=[loss()], expect=HEARD_AT_ALL))
    run = show.at("orphan", "the fault is active", lambda status: status.get("step") == "Active")

    def is_over() -> Object | None:
        stored = injection(show)
        return stored if condition(stored, "Stalled")["reason"] == "Stopped" else None

    with Operator(show).away(), thrown(show) as since:
        over = eventually("the agent says that it was stopped", 30, is_over, every=0.02)
        (target,) = over["status"]["targets"]
        assert target["state"] == "Lifted"
        assert lifted_after(since, target) < BOUND
    path = show.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", 60, lambda: finished(show.api.get(path)))
    run = show.api.get(path)
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Aborted", "Stopped"), told(run)


def test_an_aborted_run_stays_aborted_when_its_operator_dies_before_the_verdict(show: Show) -> None:
    """The switch is released, too, before a new operator comes: only the run's record still knows why it ended."""
    operator = Operator(show)
    show.apply(experiment("unjudged", faults=[loss()], expect=HEARD_AT_ALL))
    show.at("unjudged", "the fault is proven", proven)
    with thrown(show):
        _, run = show.verdict("unjudged")
        operator.freeze()
    with operator.away():
        steps = [step for step in run["status"]["steps"] if step["name"] != "Judged"]
        status = {**dict.fromkeys(VERDICT), "steps": steps, "step": "Reverting"}
        show.api.merge(f"{show.path('experimentruns', run['metadata']['name'])}/status", {"status": status})
    run = show.at("unjudged", "its verdict once more", lambda status: status.get("verdict"))
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Aborted", "Stopped"), told(run)
    assert run["status"]["endedEarly"]["reason"] == "Stopped"
