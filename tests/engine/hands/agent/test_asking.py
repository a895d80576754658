"""What is asked of agents: which packets a fault means, and which of them are media."""

from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.injection import InjectionSpec, RunReference
from showstopper.engine.hands.agent import asking
from showstopper.faults.effects import Pod
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
