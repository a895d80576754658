"""The truth table: what is known to be true of a room, and the verdict that has to come of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dev import stage
from tests.support import staged_room
from tests.support.staged_room import (
    LONG,
    NOT_PASSED,
    PASSED,
    Show,
    condition,
    eventually,
    experiment,
    finished,
    proven,
    stands,
    told,
)

pytestmark = pytest.mark.cluster

OPERATOR = f"system:serviceaccount:{stage.SYSTEM}:showstopper-operator"
AVAILABLE = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "relay", "condition": "Available"}
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/showstopper-operator"


def test_all_expectations_met_is_passed(show: Show) -> None:
    """The relay that serves is killed. The bounds are those that a stage with two relays meets when it is well."""
    relays, moment = show.relays(), show.moment()
    expect: list[dict[str, Any]] = [
        {"indicator": "AudibleRatio", "min": "30%"},
        {"indicator": "LongestDeadAir", "max": "20s"},
        {"indicator": "RecoveryTime", "max": "25s"},
        # One relay of two is missing until the next is ready: long enough to be seen, and not for long.
        {"kubernetes": AVAILABLE, "min": "20%"},
        {"kubernetes": AVAILABLE, "max": "99.9%"},
    ]
    show.apply(experiment("met", serving=True, recovery="35s", expect=expect))
    resource, run = show.verdict("met")
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == stands(run) == PASSED
    (target,) = run["status"]["targets"]
    assert target["proven"]
    assert target["serving"]
    assert show.deleted_since(moment) == [target["uid"]]
    assert target["uid"] in relays
    # A pass must not be one of a fault that nobody could hear.
    measured = {each["indicator"]: each["value"] for each in run["status"]["expectations"]}
    assert measured["LongestDeadAir"] != "0.00s", measured
    assert run["status"]["outages"]


def test_an_expectation_missed_is_failed(show: Show) -> None:
    """The same fault against bounds that no stage meets whose serving relay dies."""
    expect = [{"indicator": "LongestDeadAir", "max": "2s"}, {"indicator": "RecoveryTime", "max": "2s"}]
    show.apply(experiment("missed", serving=True, recovery="20s", expect=expect))
    resource, run = show.verdict("missed")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Failed", "ExpectationMissed"), told(run)
    assert stands(resource) == stands(run) == NOT_PASSED
    assert "LongestDeadAir" in condition(resource, "Stalled")["message"]


@pytest.mark.alone
def test_a_kill_forbidden_by_rbac_does_not_pass(show: Show) -> None:
    """The operator is told to kill and may not: nothing was tested, whatever listeners heard."""
    relays = show.relays()
    with _without_the_right_to_kill(show):
        show.apply(experiment("forbidden"))
        resource, run = show.verdict("forbidden")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Error", "InjectionForbidden"), told(run)
    assert [fault["proven"] for fault in run["status"]["faults"]] == [False]
    assert stands(resource) == NOT_PASSED
    assert show.relays() == relays


@contextmanager
def _without_the_right_to_kill(show: Show) -> Iterator[None]:
    standing = show.api.get(ROLE)["rules"]
    without = [
        {**rule, "verbs": [verb for verb in rule["verbs"] if verb != "delete"]}
        if rule["resources"] == ["pods"]
        else rule
        for rule in standing
    ]
    assert without != standing
    show.api.merge(ROLE, {"rules": without})
    try:
        eventually("the operator may not delete pods", 30, lambda: not _may_kill(show))
        yield
    finally:
        show.api.merge(ROLE, {"rules": standing})
        eventually("the operator may delete pods again", 30, lambda: _may_kill(show))


def _may_kill(show: Show) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": OPERATOR,
            "resourceAttributes": {"namespace": show.namespace, "verb": "delete", "resource": "pods"},
        },
    }
    answer = show.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def test_a_room_silent_before_is_inconclusive(show: Show) -> None:
    """Nobody speaks in this room: it is broken before the fault, so there is none."""
    relays = show.relays()
    room = show.api.get(show.path("audiorooms", show.room))["spec"]
    silent = {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "AudioRoom",
        "metadata": {"name": "silent"},
        "spec": {
            "livekit": {**room["livekit"], "room": "silent"},
            "components": room["components"],
            "listeners": {"count": 1, "perPod": 1},
            "program": {"host": "External"},
        },
    }
    show.apply(silent)
    try:
        show.apply(experiment("silence", room="silent", serving=None))
        resource, run = show.verdict("silence")
    finally:
        show.cluster.run_kubectl("--namespace", show.namespace, "delete", "audioroom", "silent")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "BaselineBroken"), told(run)
    assert not run["status"].get("targets")
    assert stands(resource) == NOT_PASSED
    assert show.relays() == relays


def test_listeners_gone_during_the_run_is_inconclusive(show: Show) -> None:
    """After the fault the fleet is taken away, and kept away until the end: what they would have heard is not known."""
    scale = f"/apis/apps/v1/namespaces/{show.namespace}/statefulsets/{show.room}-listeners/scale"
    wanted = show.api.get(scale)["spec"]["replicas"]
    show.apply(experiment("alone", recovery="15s"))
    run = show.at("alone", "the fault is proven", proven)
    path = show.path("experimentruns", run["metadata"]["name"])

    def over_without_listeners() -> bool:
        if show.api.get(scale)["spec"].get("replicas"):  # the operator puts them back every 30 s
            show.api.merge(scale, {"spec": {"replicas": 0}})
        return finished(show.api.get(path))

    try:
        eventually("the run is over", LONG, over_without_listeners)
    finally:
        show.api.merge(scale, {"spec": {"replicas": wanted}})
    resource, run = show.verdict("alone", again=False)
    assert run["status"]["verdict"] == "Inconclusive", told(run)
    assert run["status"]["reason"] in {"ListenersGone", "TooMuchUnknown"}, told(run)
    assert stands(resource) == NOT_PASSED


def test_no_baseline_is_inconclusive_at_best(show: Show) -> None:
    """A fault in a room that nobody looked at before."""
    show.apply(experiment("unseen", baseline="0s"))
    _, run = show.verdict("unseen")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "NoBaseline"), told(run)
    assert staged_room.steps(run) == ["Injecting", "Recovering", "Judged"]
