"""Bounds of network faults: everything that is out of them is refused, with what to write instead."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from showstopper.api.faults.network import (
    Bandwidth,
    Delay,
    Direction,
    DnsFailure,
    Duplicate,
    NetworkFault,
    PacketLoss,
    Partition,
    PortBlock,
    Protocol,
    Reorder,
)
from showstopper.api.schema.quantities import Share
from showstopper.faults.network.behaviour import objections
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic
from tests.faults.network.build import APART, BLOCKED, effects

LOSS = PacketLoss(percent=Share(0.05))
UDP = frozenset({Protocol.UDP})


@given(effects())
def test_what_is_within_bounds_is_not_refused(effect: NetworkEffect) -> None:
    assert objections(effect) == ()


@given(effects())
def test_no_peers_left_never_means_everyone(effect: NetworkEffect) -> None:
    alone = replace(effect, traffic=replace(effect.traffic, peers=()))
    assert any("no peers are left" in text for text in objections(alone))


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        (PacketLoss, {"percent": Share(0.0)}, '"0%" has no effect: write more'),
        (Duplicate, {"percent": Share(1.5)}, '1.5 is not a valid share: write a percentage from "0%" to "100%"'),
        (PacketLoss, {"percent": "10%", "burst": "11s"}, '"11s": write a duration from "10ms" to "10s"'),
        (PacketLoss, {"percent": "100%", "burst": "1s"}, "bursts need a percent below 100%"),
        (Delay, {"latency": "6s"}, '"6s": write a duration from "1ms" to "5s"'),
        (Delay, {"latency": "1s", "jitter": "2s"}, "jitter is larger than the latency"),
        (Reorder, {"percent": "10%", "hold": timedelta(0)}, '"0s": write a duration from "1ms" to "5s"'),
        (Bandwidth, {"rate": "7kbit"}, "'7kbit': write bits a second from"),
        (Bandwidth, {"rate": "1Mbit", "queue": "0s"}, '"0s": write a duration from "1ms" to "5s"'),
        (Partition, {"peers": ()}, "at least 1 item"),
        (PortBlock, {"protocols": ()}, "at least 1 item"),
    ],
)
def test_what_a_kind_does_not_take_cannot_be_made(kind: type[NetworkFault], fields: dict[str, Any], says: str) -> None:
    """Whoever asks: what the API server lets through is read by the same models."""
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(fields)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (APART, "a partition is from somebody: name the peers"),
        (BLOCKED, "a port block needs a protocol"),
        (DnsFailure(), "a DNS failure acts on port 53"),
    ],
)
def test_a_kind_that_is_not_about_all_traffic_refuses_all_traffic(fault: NetworkFault, says: str) -> None:
    (objection,) = objections(NetworkEffect("test", Traffic(Direction.EGRESS), fault))
    assert objection.startswith(says)


@pytest.mark.parametrize(
    ("traffic", "says"),
    [
        (Traffic(peers=("relay",)), "'relay' is no address: write an IP address or a CIDR"),
        (Traffic(peers=tuple(f"10.0.{n // 256}.{n % 256}" for n in range(1001))), "1001 peers are too many"),
        (Traffic(own_ports=(Ports.one(53),)), "ports need a protocol: say UDP, TCP or both"),
        (Traffic(protocols=UDP, own_ports=(Ports(9, 7),)), "invalid port range 9-7: use 1 to 65535"),
        (Traffic(protocols=UDP, peer_ports=(Ports(0, 7),)), "invalid port range 0-7"),
        (Traffic(protocols=UDP, own_ports=(Ports(1, 65536),)), "invalid port range 1-65536"),
        (Traffic(protocols=UDP, own_ports=(Ports.one(7),) * 65), "65 ranges of ports are too many"),
    ],
)
def test_traffic_that_does_not_exist(traffic: Traffic, says: str) -> None:
    (objection,) = objections(NetworkEffect("test", traffic, LOSS))
    assert objection.startswith(says)


@pytest.mark.parametrize("name", ["", "Loss", "a b", "-a", "a" * 101, 'x"; flush ruleset', "a\n"])
def test_names_that_could_be_more_than_a_name(name: str) -> None:
    (objection,) = objections(NetworkEffect(name, Traffic(), LOSS))
    assert "is no name for an effect" in objection
