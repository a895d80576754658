"""The planner: which pods a snapshot takes, and which objection comes first."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.cluster.listeners import CROWD, HOST, LISTENER, ROLE_LABEL, ROOM_LABEL
from showstopper.engine.experiments.making import early_refusal
from showstopper.engine.planning import peers, plan, planner, policies
from showstopper.engine.planning.plan import Plan, Snapshot
from tests.support import build

ALLOWED = {policies.CHAOS_LABEL: policies.CHAOS_ALLOWED}
PARTITION = {
    "name": "cut",
    "target": {"component": "relay"},
    "partition": {"peers": [{"component": "store"}]},
    "duration": "5s",
}


def body(name: str, labels: Mapping[str, str], **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "show", "uid": f"{name}-uid", "labels": labels},
        "spec": {"nodeName": "node1", "containers": [{"name": "livekit"}]},
        "status": {
            "phase": "Running",
            "podIP": "198.18.1.7",
            "conditions": [{"type": "Ready", "status": "True"}],
            **status,
        },
    }


def snapshot(
    *faults: dict[str, Any], labels: Mapping[str, str] = ALLOWED, others: Sequence[dict[str, Any]] = ()
) -> Snapshot:
    pods = [
        body("relay-b", {"app": "relay"}, podIP="198.18.1.8"),
        body("relay-a", {"app": "relay", "more": "than that"}),
        body("store", {"app": "store"}, podIP="198.18.1.9"),
        body("stranger", {}, podIP="198.18.1.10"),
        *others,
    ]
    declared = [Fault.model_validate(fault) for fault in faults]
    return planner.snapshot(build.room(), declared, labels=labels, pods=pods, serving={("198.18.1.7", 7882): 2})


def test_a_component_has_the_pods_with_its_labels_but_for_our_own() -> None:
    others = [body("listener", {"app": "relay", ROLE_LABEL: LISTENER})]
    assert [pod.name for pod in snapshot(build.fault(), others=others).pods["relay"]] == ["relay-a", "relay-b"]


DEAD = [
    body(f"relay-{index}", {"app": "relay"}, phase=phase, **reason)
    for index, (phase, reason) in enumerate(
        [("Failed", {"reason": "Evicted"}), ("Succeeded", {}), ("Failed", {}), ("Failed", {})]
    )
]


def test_a_share_is_of_the_pods_that_run_and_not_of_those_that_have_ended() -> None:
    fault = build.fault(max=500, maxPercent="50%")
    made = plan.make(snapshot(fault, others=DEAD), [Fault.model_validate(fault)], 1)
    assert len(made.faults[0].targets) == 1
    assert {pod.name for pod in made.faults[0].targets} <= {"relay-a", "relay-b"}


def test_pods_that_have_ended_are_no_targets_and_the_refusal_says_so() -> None:
    faults = [Fault.model_validate(build.fault())]
    only = planner.snapshot(build.room(), faults, labels=ALLOWED, pods=DEAD[:2], serving={})
    refused = policies.refusal(plan.make(only, faults, 1))
    assert refused is not None
    assert refused.reason == "NoTargets"
    assert "2 pods match component relay" in refused.message
    assert "all of them finished: relay-0 (Evicted), relay-1 (Succeeded)" in refused.message


def test_a_peer_is_separated_at_every_address_of_both_ip_versions_unless_it_has_ended() -> None:
    both = [{"ip": "198.18.1.9"}, {"ip": "2001:db8::9"}]
    stores = [
        body("store", {"app": "store"}, podIP="198.18.1.9", podIPs=both),
        body("migration", {"app": "store"}, podIP="198.18.1.2", phase="Succeeded"),
    ]
    store = build.room().spec.component("store")
    assert store is not None
    assert peers.of_pods(store, stores, []) == ("198.18.1.9", "2001:db8::9")


SILENCE = {"name": "air", "duration": "5s", "deadAir": {}}
HOST_LABELS = {ROOM_LABEL: "main-stage", ROLE_LABEL: HOST}


def test_a_fault_of_the_host_hits_the_pod_of_this_rooms_host() -> None:
    others = [
        body("main-stage-host-a", HOST_LABELS, podIP="198.18.1.20"),
        body("main-stage-host-old", HOST_LABELS, phase="Failed"),
        body("main-stage-host-new", HOST_LABELS, podIP=""),
        body("other-host-a", {**HOST_LABELS, ROOM_LABEL: "other"}, podIP="198.18.1.21"),
        body("main-stage-listeners-0", {**HOST_LABELS, ROLE_LABEL: LISTENER}, podIP="198.18.1.22"),
    ]
    made = plan.make(snapshot(SILENCE, others=others), [Fault.model_validate(SILENCE)], 1)
    assert [pod.name for pod in made.faults[0].targets] == ["main-stage-host-a"]
    assert policies.refusal(made) is None
    assert [pod.name for pod in plan.rests_on(made) or ()] == ["main-stage-host-a"]


def test_a_room_without_a_host_that_runs_is_refused() -> None:
    refused = policies.refusal(plan.make(snapshot(SILENCE), [Fault.model_validate(SILENCE)], 1))
    assert refused is not None
    assert refused.reason == "NoTargets"
    assert "no pod of the room's host runs, which fault air could hit" in refused.message


def test_a_fault_of_somebody_elses_host_is_refused_before_there_is_a_run() -> None:
    faults = [Fault.model_validate(SILENCE)]
    external = build.room(program={"host": "External"})
    made = plan.make(planner.snapshot(external, faults, labels=ALLOWED, pods=[], serving={}), faults, 1)
    refused = early_refusal(made)
    assert refused is not None
    assert refused.reason == "NoManagedHost"


UPLINK = {"name": "uplink", "target": {"fleet": "Host"}, "duration": "5s", "packetLoss": {"percent": "100%"}}
LISTENERS = [
    body(f"main-stage-listeners-{number}", {**HOST_LABELS, ROLE_LABEL: LISTENER}, podIP=f"198.18.1.{30 + number}")
    for number in range(4)
]
CROWD_POD = body("main-stage-crowd-0", {**HOST_LABELS, ROLE_LABEL: CROWD}, podIP="198.18.1.40")


def last_mile(**target: Any) -> dict[str, Any]:
    return {**UPLINK, "name": "last-mile", "target": {"fleet": "Listeners", **target}}


def aimed(fault: dict[str, Any], *others: dict[str, Any], seed: int = 1) -> Plan:
    return plan.make(snapshot(fault, others=others), [Fault.model_validate(fault)], seed)


def test_the_uplink_of_the_host_is_a_fault_of_its_pod_and_of_no_other() -> None:
    made = aimed(UPLINK, body("main-stage-host-a", HOST_LABELS, podIP="198.18.1.20"), *LISTENERS)
    assert [pod.name for pod in made.faults[0].targets] == ["main-stage-host-a"]
    assert policies.refusal(made) is None
    assert [pod.name for pod in plan.rests_on(made) or ()] == ["main-stage-host-a"]


def test_a_host_of_somebody_else_has_no_uplink_that_could_be_hit() -> None:
    faults = [Fault.model_validate(UPLINK)]
    external = build.room(program={"host": "External"})
    refused = early_refusal(
        plan.make(planner.snapshot(external, faults, labels=ALLOWED, pods=[], serving={}), faults, 1)
    )
    assert refused is not None
    assert refused.reason == "NoManagedHost"
    assert "fault uplink" in refused.message
    listeners = [Fault.model_validate(last_mile())]
    made = plan.make(planner.snapshot(external, listeners, labels=ALLOWED, pods=LISTENERS, serving={}), listeners, 1)
    assert policies.refusal(made) is None, "its listeners are ours"


@pytest.mark.parametrize(
    ("target", "hit"),
    [
        ({}, 1),
        ({"max": 3}, 3),
        ({"max": 9}, 4),
        ({"percent": "50%"}, 2),
        ({"percent": "30%"}, 1),
        ({"percent": "100%"}, 4),
        ({"percent": "100%", "max": 3}, 3),
    ],
)
def test_listeners_are_chosen_by_number_or_share_and_never_from_a_crowd(target: dict[str, Any], hit: int) -> None:
    others = body("other-listeners-0", {**HOST_LABELS, ROOM_LABEL: "other", ROLE_LABEL: LISTENER})
    made = aimed(last_mile(**target), *LISTENERS, CROWD_POD, others)
    assert policies.refusal(made) is None
    chosen = {pod.name for pod in made.faults[0].targets}
    assert len(chosen) == hit
    assert chosen <= {each["metadata"]["name"] for each in LISTENERS}
    assert (plan.rests_on(made) is None) is ("percent" in target), "a share is of all that there are"


def test_which_listeners_are_hit_is_a_matter_of_the_seed() -> None:
    def chosen(seed: int) -> set[str]:
        return {pod.name for pod in aimed(last_mile(percent="50%"), *LISTENERS, seed=seed).faults[0].targets}

    assert chosen(7) == chosen(7)
    assert len({frozenset(chosen(seed)) for seed in range(20)}) > 1


def test_a_share_of_less_than_one_listener_pod_is_refused_and_not_rounded_up() -> None:
    refused = policies.refusal(aimed(last_mile(percent="20%"), *LISTENERS))
    assert refused is not None
    assert refused.reason == "NoTargets"
    assert "20% of the room's 4 listener pods is less than one" in refused.message
    assert "write a larger percent" in refused.message


def test_a_room_without_listeners_that_run_is_refused() -> None:
    refused = policies.refusal(aimed(last_mile(percent="100%"), CROWD_POD))
    assert refused is not None
    assert refused.reason == "NoTargets"
    assert "no pod of the room's listeners runs, which fault last-mile could hit" in refused.message
    assert refused.message.endswith("--selector showstopper.dev/role=listener")


def test_a_room_of_many_listeners_is_not_looked_through_for_a_fault_of_a_component() -> None:
    assert not snapshot(build.fault(), others=LISTENERS).fleet


CLOSED = {"name": "closed", "duration": "5s", "roomUnavailable": {}}
DOOR = {"name": "door", "selector": {"matchLabels": {"app": "door"}}}
WITH_DOOR = {
    "components": [{"name": "relay", "selector": {"matchLabels": {"app": "relay"}}}, DOOR],
    "door": {"url": "http://door:8090/token", "component": "door"},
}


def closing(*pods: dict[str, Any], **room: Any) -> plan.Plan:
    faults = [Fault.model_validate(CLOSED)]
    snapshot = planner.snapshot(build.room(**room), faults, labels=ALLOWED, pods=pods, serving={})
    return plan.make(snapshot, faults, 1)


def test_a_fault_of_the_door_hits_all_its_pods() -> None:
    pods = [
        body("door-0", {"app": "door"}, podIP="198.18.1.20"),
        body("door-1", {"app": "door"}, podIP="198.18.1.21"),
        body("door-2", {"app": "door"}, podIP=""),
        body("relay-a", {"app": "relay"}, podIP="198.18.1.7"),
    ]
    made = closing(*pods, **WITH_DOOR)
    assert sorted(pod.name for pod in made.faults[0].targets) == ["door-0", "door-1"]
    assert policies.refusal(made) is None


def test_a_door_that_does_not_run_is_refused_with_how_to_look_at_it() -> None:
    refused = policies.refusal(closing(**WITH_DOOR))
    assert refused is not None
    assert refused.reason == "NoTargets"
    assert refused.message.endswith("get pods --selector app=door")


@pytest.mark.parametrize("door", [{}, {"door": {"url": "https://elsewhere/token"}}], ids=["none", "somebody else's"])
def test_a_room_without_a_door_of_the_stage_is_refused_before_there_is_a_run(door: dict[str, Any]) -> None:
    refused = early_refusal(closing(body("relay-a", {"app": "relay"}), **door))
    assert refused is not None
    assert refused.reason == "NoStagedDoor"


def test_a_peer_on_its_nodes_network_is_refused() -> None:
    store = body("store-0", {"app": "store"})
    store["spec"]["hostNetwork"] = True
    made = plan.make(snapshot(PARTITION, others=[store]), [Fault.model_validate(PARTITION)], 1)
    refused = policies.refusal(made)
    assert refused is not None
    assert refused.reason == "PeerOnNode"
    assert "pod store-0 of component store" in refused.message


def test_more_peers_than_an_injection_takes_are_refused() -> None:
    many = [f"198.18.{number // 250}.{number % 250}" for number in range(1001)]
    refused = peers.missing({"store": many})
    assert refused is not None
    assert refused.reason == "TooManyPeers"
    assert peers.missing({"store": many[:1000]}) is None


def test_what_is_heard_has_to_come_from_a_component_of_the_room() -> None:
    """Staging and production mixed up: the relay under test is killed, nobody notices, and a gate would open."""
    assert policies.served_by_others(snapshot(build.fault(component="store"))) is None
    elsewhere = planner.snapshot(
        build.room(), [], labels=ALLOWED, pods=[body("relay", {"app": "relay"})], serving={("203.0.113.9", 7882): 2}
    )
    refused = policies.served_by_others(elsewhere)
    assert refused is not None
    assert refused.reason == "NotServedByComponents"
    assert "203.0.113.9:7882" in refused.message


def test_a_room_whose_selector_matches_its_own_fleet_is_refused() -> None:
    others = [body("main-stage-listeners-0", {"app": "relay", ROLE_LABEL: LISTENER})]
    made = plan.make(snapshot(build.fault(), others=others), [Fault.model_validate(build.fault())], 1)
    refused = policies.refusal(made)
    assert refused is not None
    assert refused.reason == "SelectsFleet"
    assert "selector of component relay" in refused.message
    assert "main-stage-listeners-0" in refused.message


def test_only_components_that_faults_name_are_looked_at() -> None:
    assert snapshot(build.fault()).pods.keys() == {"relay"}
    assert snapshot(build.fault(), build.fault("other", component="store")).pods.keys() == {"relay", "store"}


def test_what_serves_is_marked() -> None:
    marked = {pod.name: (pod.serving, pod.media) for pod in snapshot(build.fault()).pods["relay"]}
    assert marked == {"relay-a": (True, (("198.18.1.7", 7882),)), "relay-b": (False, ())}


@pytest.mark.parametrize(
    ("labels", "addresses", "reason"),
    [
        (ALLOWED, {"store": ["198.18.1.9"]}, None),
        (ALLOWED, {"store": []}, "NoPeers"),
        ({}, {"store": []}, "NamespaceNotAllowed"),
    ],
)
def test_peers_are_asked_for_last(
    labels: Mapping[str, str], addresses: Mapping[str, Sequence[str]], reason: str | None
) -> None:
    faults = [Fault.model_validate(PARTITION)]
    made = plan.make(snapshot(PARTITION, labels=labels), faults, 1)
    finding = planner.objection(made, addresses)
    assert (finding.reason if finding else None) == reason


def test_the_peers_of_several_faults_are_looked_up_once() -> None:
    faults = [Fault.model_validate(each) for each in (PARTITION, {**PARTITION, "name": "again"}, build.fault())]
    assert peers.peers_of_all(faults) == {"store"}
