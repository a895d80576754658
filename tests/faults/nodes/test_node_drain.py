"""nodeDrain: one node is cordoned, and pods that come back elsewhere are evicted from it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from showstopper.api.faults.nodes import NodeDrain
from showstopper.availability.verdict import Finding
from showstopper.faults import registry
from showstopper.faults.effects import Backing, Change, EvictPod, Node, Pod, Workload
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.pods.behaviour import changes_of, effect_of
from showstopper.faults.workloads import fields
from tests.faults.workloads.build import PODS, RELAY, context, fault

DRAIN = fault("nodeDrain", {}, duration="20s")
NODE = Node("node1", "node-uid", pods=PODS)


def objections_on(backing: Backing, targets: Sequence[Pod]) -> list[Finding]:
    return list(registry.of(DRAIN.spec).objections(DRAIN, context(backing, targets)))


def objections(node: Node) -> list[tuple[str, str]]:
    return [(each.reason, each.message) for each in objections_on(Backing(nodes={"node1": node}), PODS)]


def test_it_cordons_the_node_of_its_targets_and_evicts_each() -> None:
    (change,) = changes_of(DRAIN, context(Backing(nodes={"node1": NODE})), "now")
    assert change == Change("Node", "node1", "node-uid", fields.UNSCHEDULABLE, None, after=True)
    assert change.lasts
    assert effect_of(DRAIN.spec, PODS[0]) == EvictPod(PODS[0], None)
    briefly = NodeDrain(grace_period=timedelta(seconds=1))
    assert effect_of(briefly, PODS[0]) == EvictPod(PODS[0], timedelta(seconds=1))


def test_a_node_that_somebody_has_cordoned_and_pods_that_nobody_makes_anew_are_left_alone() -> None:
    assert not objections(NODE)
    ((reason, message),) = objections(replace(NODE, cordoned=True))
    assert reason == "NothingToChange"
    assert "node node1 is cordoned already, and fault it would uncordon it at its end" in message
    ((reason, message),) = objections(replace(NODE, bare=("a",)))
    assert reason == "NotReplaced"
    assert "nobody makes a on node node1 anew" in message


def test_pods_of_daemon_sets_stay_on_their_node() -> None:
    """Before there is a target: none of them would be one, and others on the node are not what was aimed at."""
    of_daemons = Backing((Workload("DaemonSet", "relay", "u"),), nodes={"node1": replace(NODE, pods=())})
    (refused,) = objections_on(of_daemons, ())
    assert refused.reason == "NoTargets"
    assert "the pods of component relay are those of DaemonSet relay, which stay on their node" in refused.message
    assert "use podKill" in refused.message
    assert len(objections_on(replace(of_daemons, nodes={"node1": NODE}), PODS)) == 1
    for others in (replace(of_daemons, loose=("a",)), Backing((*of_daemons.workloads, RELAY)), Backing()):
        assert not objections_on(others, ())


GONE = ObservedTarget("a", ended=True, ended_after=3.0)
REFUSED = ObservedTarget("b", message="the eviction of b was refused: The disruption budget relays-stay needs 2")


@pytest.mark.parametrize(
    ("targets", "read_back", "missing"),
    [
        ((GONE,), True, None),
        ((GONE,), False, "the node was not read back as cordoned"),
        ((GONE, REFUSED), True, "b was still on the node when the duration was over: the eviction of b was refused"),
        ((GONE, replace(GONE, pod="c", ended_after=9.0, lasted=5.0)), True, "c was still on the node"),
        ((replace(GONE, message="somebody else did"),), True, "is not proven on a: somebody else did"),
    ],
)
def test_it_is_proven_when_every_pod_left_by_an_eviction_before_the_end(
    targets: tuple[ObservedTarget, ...], read_back: bool, missing: str | None
) -> None:
    finding = registry.of_kind(NodeDrain).proof(Observed("drain", targets, spec=DRAIN.spec, read_back=read_back))
    assert (finding is None) is (missing is None)
    assert finding is None or (missing or "") in finding.message


def test_it_tells_how_many_pods_left() -> None:
    told = registry.of_kind(NodeDrain).figures(Observed("drain", (GONE, REFUSED)))
    assert told == "1 of 2 pods gone from the node, the last after 3.0 s"
