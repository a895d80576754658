"""scaleDown: fewer replicas, where they are nobody else's, and pods that are gone to that number."""

from dataclasses import replace

import pytest

from showstopper.api.faults.workloads import ScaleDown
from showstopper.faults import registry
from showstopper.faults.effects import Backing, Change, Workload
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.workloads import fields
from tests.faults.workloads.build import PODS, RELAY, changes, context, fault, objections

DOWN = fault("scaleDown", {"replicas": 1}, duration="20s")
GONE, STAYS = ObservedTarget("a", ended=True, ended_after=2.5), ObservedTarget("b")


def test_it_changes_the_number_of_replicas_and_puts_it_back() -> None:
    (made,) = changes(DOWN, RELAY)
    assert made == Change("Deployment", "relay", "relay-uid", fields.REPLICAS, 3, 1)
    assert made.lasts


@pytest.mark.parametrize(
    ("workload", "reason", "says"),
    [
        (replace(RELAY, scaler="relay-hpa"), "ReplicasOwned", "HorizontalPodAutoscaler relay-hpa owns the replicas"),
        (replace(RELAY, deletes_volumes=True), "NotReversible", "set whenScaled: Retain, or use podKill"),
        (replace(RELAY, replicas=1), "NothingToChange", "has 1 replicas, and fault it would scale it down to 1"),
        (Workload("DaemonSet", "relay", "u"), "NoWorkload", "DaemonSet relay has a pod for each node"),
    ],
)
def test_replicas_that_are_others_or_few_or_none_are_refused(workload: Workload, reason: str, says: str) -> None:
    ((objection_reason, message),) = objections(DOWN, workload)
    assert objection_reason == reason
    assert says in message


def test_of_several_workloads_it_would_not_be_known_which_is_meant() -> None:
    ((reason, message),) = objections(DOWN, RELAY, replace(RELAY, name="relay-b"))
    assert reason == "NoWorkload"
    assert "Deployment relay, Deployment relay-b" in message


def test_it_is_proven_when_no_more_pods_are_left_than_declared() -> None:
    behaviour = registry.of_kind(ScaleDown)
    observed = Observed("down", (GONE, STAYS, GONE), spec=DOWN.spec)
    assert behaviour.proof(observed) is None
    assert behaviour.figures(observed) == "2 of 3 pods gone, the last after 2.5 s"
    missing = behaviour.proof(Observed("down", (GONE, STAYS, STAYS), spec=DOWN.spec))
    assert missing is not None
    assert "2 of 3 pods were still there, and 1 were to be left" in missing.message


def test_it_hits_those_that_are_not_left() -> None:
    assert [DOWN.spec.hits(pods) for pods in (0, 1, 2, 3)] == [0, 0, 1, 2]


@pytest.mark.parametrize(("ended_after", "proven"), [(19.0, True), (21.5, True), (23.0, False), (None, False)])
def test_pods_that_went_after_the_end_have_been_there_all_the_time(ended_after: float | None, proven: bool) -> None:
    target = ObservedTarget("a", ended=ended_after is not None, ended_after=ended_after, lasted=20.0)
    observed = Observed("down", (target, STAYS), spec=DOWN.spec)
    assert (registry.of_kind(ScaleDown).proof(observed) is None) is proven


def test_where_no_pod_has_to_go_nothing_is_tested() -> None:
    """Its workload asks for three replicas, and of these two have never come."""
    alone = context(Backing((RELAY,)), PODS[:1])
    ((reason, message),) = [(each.reason, each.message) for each in registry.of(DOWN.spec).objections(DOWN, alone)]
    assert reason == "NothingToChange"
    assert "component relay has 1 pods, and fault it would leave 1" in message
    missing = registry.of_kind(ScaleDown).proof(Observed("down", (STAYS,), spec=DOWN.spec))
    assert missing is not None
    assert (missing.reason, "none had to go" in missing.message) == ("NoEffect", True)
