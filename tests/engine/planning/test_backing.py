"""Backing: which workloads make a component's pods, and what is known of each."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.cluster.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Kind
from showstopper.cluster.listeners import LISTENER, ROLE_LABEL
from showstopper.engine.planning import backing, plan, policies
from showstopper.engine.planning.plan import Snapshot
from showstopper.faults.effects import Backing, Node, Workload
from tests.support import build

RELAY = build.room().spec.components[0]
LABELS = RELAY.selector.match_labels
ALLOWED = {policies.CHAOS_LABEL: policies.CHAOS_ALLOWED}


def pod(name: str, owner: tuple[str, str] | None = ("ReplicaSet", "relay-abc"), **labels: str) -> dict[str, Any]:
    labels = {**LABELS, "pod-template-hash": "abc", **labels}
    metadata: dict[str, Any] = {"name": name, "uid": f"{name}-uid", "labels": labels}
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {"metadata": metadata, "spec": {}, "status": {"phase": "Running"}}


def workload(name: str = "relay", labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": labels or LABELS, "annotations": spec.pop("annotations", {})}}
    return {"metadata": {"name": name, "uid": f"{name}-uid"}, "spec": {"template": template, **spec}}


def of(pods: list[dict[str, Any]], *known: tuple[Kind, dict[str, Any]], scalers: Any = ()) -> Backing:
    return backing.of(RELAY, pods, known, scalers)


def test_a_deployment_is_found_by_the_pods_of_its_replica_set() -> None:
    body = workload(replicas=2, annotations={"showstopper.dev/restarted-at": "before"})
    known = of([pod("a"), pod("b")], (DEPLOYMENT, body), (DEPLOYMENT, workload("store")))
    assert known == Backing((Workload("Deployment", "relay", "relay-uid", replicas=2, restarted="before"),))


def test_what_is_not_written_is_one_replica_and_a_daemon_set_has_none() -> None:
    owned = [pod("a", ("StatefulSet", "relay")), pod("b", ("DaemonSet", "edge"))]
    known = of(owned, (STATEFUL_SET, workload()), (DAEMON_SET, workload("edge")))
    assert [(each.title, each.replicas) for each in known.workloads] == [
        ("DaemonSet edge", None),
        ("StatefulSet relay", 1),
    ]


def test_pods_of_nobody_that_is_known_are_loose_and_those_of_no_component_others() -> None:
    pods = [pod("a"), pod("bare", None), pod("canary", ("ReplicaSet", "rollout-x")), pod("door", app="door")]
    known = of(pods, (DEPLOYMENT, workload(replicas=2)))
    assert known.loose == ("bare", "canary")
    assert known.workloads[0].others == ("door",)


def test_our_own_workloads_are_behind_no_component() -> None:
    ours = workload("listeners", {**LABELS, ROLE_LABEL: LISTENER})
    assert of([pod("a", ("StatefulSet", "listeners"))], (STATEFUL_SET, ours)).workloads == ()


def test_an_autoscaler_owns_the_replicas_of_what_it_names() -> None:
    scaler = {"metadata": {"name": "hpa"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "relay"}}}
    other = {"metadata": {"name": "no"}, "spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "relay"}}}
    known = of([pod("a")], (DEPLOYMENT, workload()), scalers=[scaler, other])
    assert [each.scaler for each in known.workloads] == ["hpa"]


def test_what_does_not_roll_out_by_itself_says_why() -> None:
    on_delete, partition = {"type": "OnDelete"}, {"rollingUpdate": {"partition": 2}}
    known = [
        (DEPLOYMENT, workload(paused=True)),
        (STATEFUL_SET, workload("set", updateStrategy=partition)),
        (DAEMON_SET, workload("daemon", updateStrategy=on_delete)),
    ]
    pods = [pod("a"), pod("b", ("StatefulSet", "set")), pod("c", ("DaemonSet", "daemon"))]
    held = {each.name: each.held.partition(";")[0] for each in of(pods, *known).workloads}
    assert held == {
        "relay": "it is paused",
        "set": "its partition is 2",
        "daemon": "its updateStrategy is OnDelete",
    }


def refusal(kind: str, spec: dict[str, Any], *, duration: str | None = None, **target: Any) -> tuple[int, str | None]:
    """How many pods of three are targets, and why the plan is refused."""
    lasts = {"duration": duration} if duration else {}
    fault = Fault.model_validate({"name": "it", "target": {"component": "relay", **target}, kind: spec, **lasts})
    known = {"relay": Backing((Workload("Deployment", "relay", "u", replicas=3),))}
    pods = {"relay": [build.pod(name) for name in "abc"]}
    snapshot = Snapshot("show", "main-stage", build.room().spec, ALLOWED, pods, {}, backing=known)
    made = plan.make(snapshot, [fault], 1)
    finding = policies.refusal(made)
    return len(made.faults[0].targets), finding.reason if finding is not None else None


def test_a_restart_takes_all_pods_and_has_to_be_allowed_that_many() -> None:
    assert refusal("rolloutRestart", {}) == (3, "TooManyTargets")
    assert refusal("rolloutRestart", {}, max=3) == (3, None)
    assert refusal("rolloutRestart", {}, max=3, minReady=1) == (3, "MinReadyBroken")


def test_scaling_down_takes_as_many_as_are_not_left() -> None:
    assert refusal("scaleDown", {"replicas": 1}, duration="5s") == (3, "TooManyTargets")
    assert refusal("scaleDown", {"replicas": 1}, duration="5s", max=2, minReady=1) == (3, None)
    assert refusal("scaleDown", {"replicas": 1}, duration="5s", max=2, minReady=2) == (3, "MinReadyBroken")


def test_what_is_behind_pods_is_read_for_faults_that_change_it_alone() -> None:
    assert not backing.is_needed([Fault.model_validate(build.fault())])
    restart = {"name": "it", "target": {"component": "relay"}, "rolloutRestart": {}}
    assert backing.is_needed([Fault.model_validate(build.fault()), Fault.model_validate(restart)])


def test_it_is_known_which_config_maps_pods_mount_or_read() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "keys"}}],
        "env": [{"valueFrom": {"configMapKeyRef": {"name": "one"}}}, {"value": "none"}],
        "volumeMounts": [
            {"name": "whole", "mountPath": "/etc/whole"},
            {"name": "part", "mountPath": "/etc/part/file", "subPath": "file"},
            {"name": "several", "mountPath": "/etc/several"},
        ],
    }
    volumes = [
        {"name": "whole", "configMap": {"name": "mounted"}},
        {"name": "part", "configMap": {"name": "once"}},
        {
            "name": "several",
            "projected": {"sources": [{"configMap": {"name": "projected"}}, {"secret": {"name": "keys"}}]},
        },
        {"emptyDir": {}},
    ]
    body = workload()
    body["spec"]["template"]["spec"] = {"containers": [container], "volumes": volumes}
    (relay,) = of([pod("a")], (DEPLOYMENT, body)).workloads
    assert relay.config_maps == ("all", "mounted", "once", "one", "projected")
    assert relay.followed == ("mounted", "projected"), "what a kubelet writes anew while they run"


def test_of_a_node_a_drain_evicts_what_comes_back_elsewhere() -> None:
    node = {"metadata": {"name": "node1", "uid": "node-uid"}, "spec": {"unschedulable": True}}
    leaving = pod("leaving")
    leaving["metadata"]["deletionTimestamp"] = "2026-06-01T00:00:00Z"
    pods = [pod("a"), pod("edge", ("DaemonSet", "edge")), pod("bare", None), leaving]
    drained_node = backing.on_node(node, pods, lambda body: build.pod(body["metadata"]["name"]))
    assert (drained_node.name, drained_node.uid, drained_node.cordoned, drained_node.bare) == (
        "node1",
        "node-uid",
        True,
        ("bare",),
    )
    assert [each.name for each in drained_node.pods] == ["a", "bare"]


def drained(*, deleted: Collection[str] = (), **target: Any) -> tuple[list[str], str | None]:
    """Which of two relays on two nodes, one with the store, are targets, and why the plan is refused.

    `deleted`: the nodes that are not there any more.
    """
    relays = [replace(build.pod(name), node=node) for name, node in (("a", "node1"), ("b", "node2"))]
    store = replace(build.pod("store"), node="node1")
    nodes = {"node1": Node("node1", "1", pods=(relays[0], store)), "node2": Node("node2", "2", pods=(relays[1],))}
    known = {"relay": Backing(nodes={name: node for name, node in nodes.items() if name not in deleted})}
    declared = {"name": "it", "target": {"component": "relay", **target}, "nodeDrain": {}, "duration": "5s"}
    fault = Fault.model_validate(declared)
    relays = [replace(each, serving=each.name == "a") for each in relays]
    serving, servers = {("198.18.1.1", 7882): 2}, {("198.18.1.1", 7882): "a-uid"}
    snapshot = Snapshot(
        "show", "main-stage", build.room().spec, ALLOWED, {"relay": relays}, serving, servers=servers, backing=known
    )
    made = plan.make(snapshot, [fault], 1)
    finding = policies.refusal(made)
    return [each.name for each in made.faults[0].targets], finding.reason if finding is not None else None


def test_a_drain_takes_all_pods_of_the_room_on_the_node_of_one() -> None:
    assert drained(serving=True) == (["a", "store"], "TooManyTargets")
    assert drained(serving=True, max=2, minReady=1) == (["a", "store"], None)
    assert drained(serving=True, max=2, minReady=2) == (["a", "store"], "MinReadyBroken")
    assert drained(serving=False) == (["b"], None)


def test_a_drain_takes_no_pod_whose_node_was_deleted_and_says_so_where_there_is_no_other() -> None:
    assert drained(deleted={"node1"}) == (["b"], None)
    assert drained(deleted={"node1"}, serving=True) == (["a"], "TargetsGone")
    assert drained(deleted={"node1", "node2"})[1] == "TargetsGone"


def test_a_drain_of_a_component_whose_pods_stay_on_their_node_says_so() -> None:
    spec = {"name": "it", "target": {"component": "relay"}, "nodeDrain": {}, "duration": "5s"}
    behind = Backing((Workload("DaemonSet", "relay", "u"),), nodes={"node1": Node("node1", "node-uid")})
    pods = {"relay": [build.pod(name) for name in "abc"]}
    snapshot = Snapshot("show", "main-stage", build.room().spec, ALLOWED, pods, {}, backing={"relay": behind})
    finding = policies.refusal(plan.make(snapshot, [Fault.model_validate(spec)], 1))
    assert finding is not None
    assert "DaemonSet relay, which stay on their node" in finding.message


def test_two_faults_that_change_one_field_are_refused() -> None:
    restarts = [
        {"name": name, "target": {"component": "relay", "max": 3}, "rolloutRestart": {}} for name in ("one", "two")
    ]
    faults = [Fault.model_validate(each) for each in restarts]
    known = {"relay": Backing((Workload("Deployment", "relay", "u", replicas=3),))}
    pods = {"relay": [build.pod(name) for name in "abc"]}
    snapshot = Snapshot("show", "main-stage", build.room().spec, ALLOWED, pods, {}, backing=known)
    assert policies.refusal(plan.make(snapshot, faults[:1], 1)) is None
    finding = policies.refusal(plan.make(snapshot, faults, 1))
    assert finding is not None
    assert finding.reason == "ChangedTwice"
    assert "faults one and two would both change" in finding.message
    assert "restarted-at of Deployment relay" in finding.message


def test_a_stateful_set_may_delete_what_its_pods_have_stored() -> None:
    claims, delete = [{"metadata": {"name": "data"}}], {"whenScaled": "Delete"}
    owned = [pod("a", ("StatefulSet", "relay"))]

    def deletes(**spec: Any) -> bool:
        (relay,) = of(owned, (STATEFUL_SET, workload(**spec))).workloads
        return relay.deletes_volumes

    assert deletes(volumeClaimTemplates=claims, persistentVolumeClaimRetentionPolicy=delete)
    assert not deletes(volumeClaimTemplates=claims, persistentVolumeClaimRetentionPolicy={"whenScaled": "Retain"})
    assert not deletes(volumeClaimTemplates=claims)
    assert not deletes(persistentVolumeClaimRetentionPolicy=delete)
