"""What is asked of agents: which packets a fault means, and which of them are media."""

from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.network import Protocol
from showstopper.api.injection import InjectionSpec, RunReference
from showstopper.engine.hands.injections import asking
from showstopper.faults.effects import Container, Pod
from showstopper.faults.network import behaviour as network
from tests.support import build

PORTS = [
    {"name": "media", "port": 50000, "endPort": 60000, "protocol": "UDP"},
    {"name": "turn", "port": 3478, "protocol": "UDP"},
    {"name": "signal", "port": 7880, "protocol": "TCP"},
]
ANY, LOSS = {"percent": "5%"}, "packetLoss"


def asked(kind: str, spec: dict[str, Any], *pods: Pod) -> InjectionSpec:
    (relay, *others) = build.ROOM_SPEC["components"]
    room = build.room(components=[relay | {"ports": PORTS}, *others]).spec
    fault = Fault.model_validate(
        {"name": "fault", "target": {"component": "relay"}, "duration": "5s", kind: spec},
    )
    targets = pods or (build.pod("a", address="198.18.1.7"),)
    return asking.spec_of(RunReference(name="r", uid="u"), fault, room, targets, ("198.18.1.9",))


@pytest.mark.parametrize(
    ("kind", "spec", "media"),
    [
        (LOSS, ANY, [50000, 3478]),
        (LOSS, {**ANY, "ports": ["turn", "signal"]}, [3478]),
        (LOSS, {**ANY, "ports": ["signal"]}, []),
        (LOSS, {**ANY, "peers": [{"component": "store"}]}, []),
        ("mtu", {"size": 1200}, [50000, 3478]),
        ("portBlock", {"protocols": ["UDP"]}, [50000, 3478]),
        ("portBlock", {"protocols": ["TCP"]}, []),
        ("partition", {"peers": [{"component": "store"}]}, []),
        ("dnsFailure", {}, []),
    ],
)
def test_media_comes_by_the_udp_ports_that_a_fault_means(kind: str, spec: dict[str, Any], media: list[int]) -> None:
    assert [port.port for port in asked(kind, spec).media] == media


PROBED = replace(build.pod("a", address="198.18.1.7"), probes=(7880,), node_addresses=("198.18.0.1", "2001:db8::1"))


def test_the_kubelets_probes_are_spared_by_a_fault_that_means_everything() -> None:
    probes = asked(LOSS, ANY, PROBED, replace(PROBED, uid="b-uid", name="b", probes=(9000,))).probes
    assert probes is not None
    assert (probes.addresses, probes.ports) == (("198.18.0.1", "2001:db8::1"), (7880, 9000))


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (LOSS, {**ANY, "ports": ["media"]}),
        (LOSS, {**ANY, "peers": [{"component": "store"}]}),
        (LOSS, {**ANY, "ports": ["signal"], "peers": [{"component": "store"}]}),
        ("dnsFailure", {}),
        ("cpuThrottle", {"limit": "100m"}),
    ],
)
def test_what_does_not_meet_probes_has_none_to_spare(kind: str, spec: dict[str, Any]) -> None:
    container = Container("livekit", id="a" * 64)
    assert asked(kind, spec, replace(PROBED, containers=(container,))).probes is None


@pytest.mark.parametrize("host_network", [False, True])
def test_who_names_a_probed_port_meets_the_probes_and_is_told(host_network: bool) -> None:
    probes = asked(LOSS, {**ANY, "ports": ["signal", "media"]}, replace(PROBED, host_network=host_network)).probes
    assert probes is not None
    assert (probes.ports, probes.spared) == ((7880,), False)


def test_a_pod_without_probes_or_on_its_nodes_network_has_none_to_spare() -> None:
    assert asked(LOSS, ANY).probes is None
    assert asked(LOSS, ANY, replace(PROBED, host_network=True)).probes is None


HOST = replace(PROBED, name="main-stage-host-a", uid="host-uid", probes=(8090,))


def asked_of_fleet(kind: str, spec: dict[str, Any], pod: Pod = HOST) -> InjectionSpec:
    fault = Fault.model_validate({"name": "fault", "target": {"fleet": "Host"}, "duration": "5s", kind: spec})
    return asking.spec_of(RunReference(name="r", uid="u"), fault, build.room().spec, [pod], ("198.18.1.9",))


@pytest.mark.parametrize(
    ("kind", "spec", "peers"),
    [
        (LOSS, ANY, None),
        ("networkProfile", {"name": "Lossy4G"}, None),
        ("portBlock", {"protocols": ["UDP"]}, None),
        ("partition", {"peers": [{"component": "relay"}]}, ("198.18.1.9",)),
    ],
)
def test_of_the_fleet_an_agent_is_asked_for_media_alone(
    kind: str, spec: dict[str, Any], peers: tuple[str, ...] | None
) -> None:
    asked = asked_of_fleet(kind, spec)
    assert (asked.node, asked.pod) == ("node1", None), "its node's agent, though the host takes faults of its own"
    assert asked.media_only
    assert (asked.ports, asked.media, asked.peers) == ((), (), peers)
    assert asked.probes is None, "a fault of UDP meets no probe"
    for effect in network.of(asked.spec).effects(asked, "fault.u.0"):
        assert effect.traffic.protocols == {Protocol.UDP}
        assert not any(ports.first <= 53 <= ports.last for ports in effect.traffic.peer_ports)


def test_of_a_component_all_is_meant_as_ever() -> None:
    assert not asked(LOSS, ANY).media_only
