"""Which pods a plan hits, and why it may be refused."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.experiment import Fault
from showstopper.api.injection import RunReference
from showstopper.api.room import AudioRoomSpec
from showstopper.engine.hands.injections import asking
from showstopper.engine.planning import plan, policies
from showstopper.engine.planning.plan import Plan, Snapshot
from showstopper.faults.effects import Container, Pod
from showstopper.faults.network import behaviour as network
from showstopper.faults.processes.behaviour import container_of
from tests.support import build

A, B = ("198.18.1.1", 7882), ("198.18.1.2", 7882)
SERVERS = {A: "a-uid", B: "b-uid"}
ALLOWED = {policies.CHAOS_LABEL: policies.CHAOS_ALLOWED}


def make(
    pods: Sequence[Pod],
    *,
    labels: Mapping[str, str] = ALLOWED,
    relays: Mapping[tuple[str, int], int] | None = None,
    seed: int = 1,
    component: str = "relay",
    **target: Any,
) -> Plan:
    room = build.room()
    snapshot = Snapshot("show", "main-stage", room.spec, labels, {component: pods}, relays or {}, servers=SERVERS)
    fault = Fault.model_validate(build.fault(**{"component": component, **target}))
    return plan.make(snapshot, [fault], seed)


def reason(made: Plan) -> str | None:
    finding = policies.refusal(made)
    return finding.reason if finding else None


def hit(made: Plan) -> list[str]:
    return [pod.name for pod in made.faults[0].targets]


def test_one_pod_is_hit_unless_more_are_asked_for() -> None:
    assert len(hit(make([build.pod("a"), build.pod("b")]))) == 1


def test_serving_true_hits_the_pod_that_carries_the_sound() -> None:
    pods = [build.pod("a", address=A[0], serving=False), build.pod("b", address=B[0], serving=True)]
    made = make(pods, relays={B: 6}, serving=True)
    assert hit(made) == ["b"]
    assert reason(made) is None


def test_serving_false_spares_it() -> None:
    pods = [build.pod("a", address=A[0], serving=False), build.pod("b", address=B[0], serving=True)]
    made = make(pods, relays={B: 6}, serving=False)
    assert hit(made) == ["a"]


@pytest.mark.parametrize("serving", [True, False])
def test_who_serves_is_never_guessed(serving: bool) -> None:
    made = make([build.pod("a")], serving=serving)
    assert reason(made) == "ServingUnknown"


@pytest.mark.parametrize("serving", [True, False])
def test_an_address_of_nobody_that_is_known_hides_who_serves(serving: bool) -> None:
    pods = [build.pod("a", serving=True), build.pod("b")]
    made = make(pods, relays={A: 3, ("203.0.113.9", 7882): 3}, serving=serving)
    refused = policies.refusal(made)
    assert refused is not None
    assert refused.reason == "ServingUnknown"
    assert "203.0.113.9:7882" in refused.message


def test_an_unlabelled_namespace_is_refused_with_the_command_that_allows_it() -> None:
    finding = policies.refusal(make([build.pod("a")], labels={}))
    assert finding is not None
    assert finding.reason == "NamespaceNotAllowed"
    assert "kubectl label namespace show showstopper.dev/chaos=allowed" in finding.message


def test_a_label_with_another_value_allows_nothing() -> None:
    assert reason(make([build.pod("a")], labels={policies.CHAOS_LABEL: "true"})) == "NamespaceNotAllowed"


def test_an_unknown_component_is_refused_and_the_known_ones_are_named() -> None:
    finding = policies.refusal(make([build.pod("a")], component="rely"))
    assert finding is not None
    assert finding.reason == "UnknownComponent"
    assert "relay, store" in finding.message


def test_zero_targets_are_refused() -> None:
    assert reason(make([])) == "NoTargets"


def test_pods_that_are_being_deleted_or_have_no_node_are_not_hit() -> None:
    pending = Pod("show", "pending", "uid", node="")
    assert reason(make([build.pod("a", terminating=True), pending])) == "NoTargets"


def test_min_ready_is_kept() -> None:
    assert reason(make([build.pod("a"), build.pod("b")], minReady=1)) is None
    assert reason(make([build.pod("a"), build.pod("b")], minReady=2)) == "MinReadyBroken"
    assert reason(make([build.pod("a")], minReady=1)) == "MinReadyBroken"


def test_a_ready_pod_is_hit_before_a_broken_one() -> None:
    assert all(hit(make([build.pod("a", ready=False), build.pod("b")], seed=seed)) == ["b"] for seed in range(20))


def test_max_percent_rounds_down() -> None:
    pods = [build.pod(name) for name in "abc"]
    assert len(hit(make(pods, max=3, maxPercent="50%"))) == 1
    assert reason(make(pods, max=3, maxPercent="33%")) == "NoTargets"


@given(st.integers(0, 8), st.integers(1, 8), st.integers(0, 8), st.integers(0, 1000))
def test_a_plan_that_is_not_refused_keeps_every_bound(pods: int, most: int, least: int, seed: int) -> None:
    made = make([build.pod(f"p{index}") for index in range(pods)], max=most, minReady=least, seed=seed)
    if policies.refusal(made) is None:
        assert 1 <= len(hit(made)) <= most
        assert pods - len(hit(made)) >= least


def test_a_plan_remembers_the_seed_that_chose_its_targets() -> None:
    assert make([build.pod("a")], seed=7).seed == 7


@given(st.integers(0, 1000), st.permutations([f"p{index}" for index in range(5)]))
def test_the_same_seed_chooses_the_same_pods_in_whatever_order_they_come(seed: int, names: list[str]) -> None:
    expected = hit(make([build.pod(f"p{index}") for index in range(5)], max=2, seed=seed))
    assert hit(make([build.pod(name) for name in names], max=2, seed=seed)) == expected


def renewed(made: Plan, pods: Sequence[Pod]) -> Plan:
    """The same choice among the pods that there are now."""
    faults = [planned.fault for planned in made.faults]
    return plan.again(replace(made.snapshot, pods={"relay": pods}), faults, plan.chosen(made), made.seed)


def test_a_choice_is_kept_by_uid_in_whatever_else_has_changed() -> None:
    pods = [build.pod(name) for name in "abc"]
    made = make(pods, max=2)
    later = [build.pod("z"), *reversed(pods)]
    assert sorted(hit(renewed(made, later))) == sorted(hit(made))


def test_a_pod_of_the_same_name_is_not_the_one_that_was_chosen() -> None:
    made = make([build.pod("a")])
    assert reason(renewed(made, [replace(build.pod("a"), uid="its successor")])) == "NoTargets"


def test_a_plan_rests_on_its_targets_and_on_as_many_others_as_have_to_stay_ready() -> None:
    pods = [build.pod("broken", ready=False), build.pod("going", terminating=True), *map(build.pod, "abcdef")]
    made = make(pods, max=2, minReady=3)
    carriers = plan.rests_on(made)
    assert carriers is not None
    assert set(hit(made)) < {pod.name for pod in carriers}
    assert len(carriers) == 2 + 3
    assert reason(renewed(made, carriers)) is None
    assert {pod.name for pod in carriers} <= set("abcdef")


def test_a_carrier_that_is_no_longer_ready_is_seen() -> None:
    made = make([build.pod(name) for name in "abc"], max=1, minReady=2)
    (target,) = hit(made)
    now = [build.pod(name, ready=name == target) for name in "abc"]
    assert reason(renewed(made, now)) == "MinReadyBroken"


def test_a_share_rests_on_all_pods_and_is_one_of_those_that_there_are_now() -> None:
    made = make([build.pod(name) for name in "abcd"], max=2, maxPercent="50%")
    assert plan.rests_on(made) is None
    assert reason(made) is None
    assert (
        reason(renewed(made, [pod for pod in made.faults[0].candidates if pod.name in hit(made)])) == "TooManyTargets"
    )


ROOM = build.room(
    components=[{"name": "relay", "selector": {"matchLabels": {"app": "relay"}}, "container": "livekit"}]
).spec
SFU, METRICS, WAITING = Container("livekit", "ab" * 32), Container("metrics", "cd" * 32), Container("livekit")


def of_processes(*containers: Container, **kill: str) -> Plan:
    snapshot = Snapshot(
        "show", "main-stage", ROOM, ALLOWED, {"relay": [replace(build.pod("a"), containers=containers)]}, {}
    )
    fault = {"name": "kill", "target": {"component": "relay"}, "containerKill": kill}
    return plan.make(snapshot, [Fault.model_validate(fault)], 1)


def test_processes_are_those_of_the_named_container_else_of_the_component_s() -> None:
    def chosen(made: Plan, room: AudioRoomSpec = ROOM) -> str:
        (planned,) = made.faults
        container = container_of(planned.fault, room, planned.targets[0])
        assert container is not None
        return container.name

    assert chosen(of_processes(METRICS, SFU)) == "livekit"
    assert chosen(of_processes(METRICS, SFU, container="metrics")) == "metrics"


def test_a_container_that_is_not_there_is_refused_and_the_others_are_named() -> None:
    finding = policies.refusal(of_processes(SFU, METRICS, container="sfu"))
    assert finding is not None
    assert finding.reason == "UnknownContainer"
    assert 'pod show/a has no container "sfu" (fault kill); it has: livekit, metrics' in finding.message


def test_without_a_name_several_containers_are_refused_and_the_proxy_of_a_mesh_is_none_of_them() -> None:
    proxy = Container("istio-proxy", "ef" * 32)

    def refused(*containers: Container, default: str = "") -> str | None:
        target = replace(build.pod("a"), containers=containers, default_container=default)
        snapshot = Snapshot("show", "main-stage", build.room().spec, ALLOWED, {"relay": [target]}, {})
        freeze = Fault.model_validate(
            {"name": "freeze", "target": {"component": "relay"}, "freeze": {}, "duration": "3s"}
        )
        made = plan.make(snapshot, [freeze], 1)
        hit = container_of(freeze, snapshot.room, target)
        return reason(made) or (hit.name if hit else None)

    assert refused(proxy, SFU) == "livekit"
    assert refused(proxy) == "istio-proxy"
    assert refused(METRICS, SFU) == "ContainerAmbiguous"
    assert refused(METRICS, SFU, default="livekit") == "livekit"
    assert refused(METRICS, SFU, default="gone") == "ContainerAmbiguous"


def test_a_container_that_does_not_run_is_refused() -> None:
    finding = policies.refusal(of_processes(WAITING))
    assert finding is not None
    assert finding.reason == "ContainerNotRunning"
    assert policies.refusal(of_processes(SFU)) is None


def test_a_pod_s_containers_are_read_with_their_limits_and_the_ids_of_those_that_run() -> None:
    limits = {"limits": {"memory": "512Mi"}, "requests": {"memory": "64Mi"}}
    states = [
        {"name": "metrics", "containerID": "containerd://" + "cd" * 32, "state": {"terminated": {}}},
        {"name": "livekit", "containerID": "cri-o://" + "ab" * 32, "state": {"running": {}}},
    ]
    body = {
        "metadata": {"namespace": "show", "name": "a", "uid": "u"},
        "spec": {
            "containers": [
                {"name": "livekit", "resources": limits},
                {"name": "metrics", "resources": {}},
                {"name": "late"},
            ]
        },
        "status": {"containerStatuses": states},
    }
    sfu = replace(SFU, memory_limit="512Mi")
    assert plan.pod(body, {}, {}).containers == (sfu, Container("metrics"), Container("late"))


PORTS = ({"name": "media", "port": 7882, "protocol": "UDP"}, {"name": "signal", "port": 7880, "protocol": "TCP"})


@pytest.mark.parametrize(
    ("port", "says"),
    [
        ("media", None),
        ("medium", 'declares no port "medium" (fault flood); it has: media, signal'),
        ("signal", "port signal of component relay is one of TCP, and a packetFlood is UDP"),
    ],
)
def test_a_flood_goes_to_a_port_of_udp_that_somebody_declared(port: str, says: str | None) -> None:
    (relay, *others) = build.ROOM_SPEC["components"]
    room = build.room(components=[relay | {"ports": PORTS}, *others])
    snapshot = Snapshot("show", "main-stage", room.spec, ALLOWED, {"relay": [build.pod("a")]}, {})
    flood = {"name": "flood", "target": {"component": "relay"}, "duration": "5s"}
    fault = Fault.model_validate(flood | {"packetFlood": {"port": port, "rate": 100}})
    finding = policies.refusal(plan.make(snapshot, [fault], 1))
    assert (finding and finding.reason) == (says and "UnknownPort")
    assert finding is None or (says or "nothing") in finding.message


RANGE = {"name": "media", "port": 50000, "endPort": 60000, "protocol": "UDP"}


@pytest.mark.parametrize(
    ("port", "listed", "refused"),
    [
        ({"name": "media", "port": 7882, "protocol": "UDP"}, [(7882, "UDP")], None),
        ({"name": "media", "port": 7882, "protocol": "UDP"}, [(7882, "TCP")], "PortNotDeclared"),
        ({"name": "media", "port": 6443, "protocol": "TCP"}, [(7882, "UDP")], "PortNotDeclared"),
        ({"name": "media", "port": 6443, "endPort": 6443, "protocol": "TCP"}, [], "PortNotDeclared"),
        ({"name": "media", "port": 8000, "endPort": 9000, "protocol": "UDP"}, [], "PortNotDeclared"),
        (RANGE, [], None),
    ],
)
def test_on_the_nodes_network_a_port_has_to_be_the_targets_own(
    port: dict[str, Any], listed: list[tuple[int, str]], refused: str | None
) -> None:
    (relay, *others) = build.ROOM_SPEC["components"]
    room = build.room(components=[relay | {"ports": [port]}, *others]).spec
    target = replace(build.pod("a"), host_network=True, ports=tuple(listed))
    loss = {"name": "loss", "target": {"component": "relay"}, "duration": "5s"}
    fault = Fault.model_validate(loss | {"packetLoss": {"percent": "5%", "ports": ["media"]}})
    snapshot = Snapshot("show", "main-stage", room, ALLOWED, {"relay": [target]}, {})
    assert reason(plan.make(snapshot, [fault], 1)) == refused
    own = Snapshot("show", "main-stage", room, ALLOWED, {"relay": [build.pod("a")]}, {})
    assert reason(plan.make(own, [fault], 1)) is None


def test_a_range_of_ports_is_asked_of_the_agent_without_those_of_the_nodes_overlay() -> None:
    (relay, *others) = build.ROOM_SPEC["components"]
    room = build.room(components=[relay | {"ports": [RANGE]}, *others]).spec
    loss = {"name": "loss", "target": {"component": "relay"}, "duration": "5s"}
    fault = Fault.model_validate(loss | {"packetLoss": {"percent": "5%", "ports": ["media"]}})

    def asked(*, host_network: bool) -> list[tuple[int, int]]:
        pod = replace(build.pod("a", address="198.18.1.7"), host_network=host_network)
        spec = asking.spec_of(RunReference(name="r", uid="u"), fault, room, [pod], ())
        (effect,) = network.of(spec.spec).effects(spec, "loss.u.0")
        return [(ports.first, ports.last) for ports in effect.traffic.own_ports]

    assert asked(host_network=False) == [(50000, 60000)]
    assert asked(host_network=True) == [(50000, 51819), (51822, 51870), (51872, 60000)]
