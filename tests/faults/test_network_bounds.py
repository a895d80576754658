"""Bounds of network faults: everything that is out of them is refused, with what to write instead."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from showstopper.api.quantities import Share
from showstopper.faults.network import (
    Bandwidth,
    Delay,
    Direction,
    DnsFailure,
    Dose,
    Duplicate,
    NetworkEffect,
    PacketLoss,
    Partition,
    PortBlock,
    Ports,
    Protocol,
    Reorder,
    Traffic,
)
from showstopper.faults.network_bounds import objections
from tests.faults.build import effects

LOSS = PacketLoss(Share(0.05))
UDP = frozenset({Protocol.UDP})


@given(effects())
def test_what_is_within_bounds_is_not_refused(effect: NetworkEffect) -> None:
    assert objections(effect) == ()


@given(effects())
def test_no_peers_left_never_means_everyone(effect: NetworkEffect) -> None:
    alone = replace(effect, traffic=replace(effect.traffic, peers=()))
    assert any("no peers are left" in text for text in objections(alone))


@pytest.mark.parametrize(
    ("dose", "says"),
    [
        (PacketLoss(Share(0.0)), 'a share of 0.000% is out of bounds: write more than "0%" and at most "100%"'),
        (Duplicate(Share(1.5)), 'a share of 150.000% is out of bounds: write more than "0%" and at most "100%"'),
        (PacketLoss(Share(0.1), timedelta(seconds=11)), "a burst of 11000ms is out of bounds: write 0ms to 10000ms"),
        (PacketLoss(Share(1.0), timedelta(seconds=1)), "bursts need a share below 100%"),
        (Delay(timedelta(seconds=6)), "a delay of 6000ms is out of bounds: write 1ms to 5000ms"),
        (Delay(timedelta(seconds=1), timedelta(seconds=2)), "jitter of 2000ms is out of bounds: write 0ms to 1000ms"),
        (Reorder(Share(0.1), timedelta(0)), "holding back of 0ms is out of bounds: write 1ms to 5000ms"),
        (Bandwidth(7_999), "7999 bit/s is out of bounds: write 8000 to 10000000000"),
        (Bandwidth(10**6, timedelta(0)), "the queue of 0ms is out of bounds: write 1ms to 5000ms"),
        (Partition(), "a partition is from somebody: name the peers"),
        (PortBlock(), "a port block needs a protocol"),
        (DnsFailure(), "a DNS failure acts on port 53"),
    ],
)
def test_doses_out_of_bounds(dose: Dose, says: str) -> None:
    (found,) = objections(NetworkEffect("test", Traffic(Direction.EGRESS), dose))
    assert found.startswith(says)


@pytest.mark.parametrize(
    ("traffic", "says"),
    [
        (Traffic(peers=("relay",)), "'relay' is no address: write an IP address or a CIDR"),
        (Traffic(peers=tuple(f"10.0.{n // 256}.{n % 256}" for n in range(1001))), "1001 peers are too many"),
        (Traffic(own_ports=(Ports.one(53),)), "ports need a protocol: say UDP, TCP or both"),
        (Traffic(protocols=UDP, own_ports=(Ports(9, 7),)), "9-7 are no ports"),
        (Traffic(protocols=UDP, peer_ports=(Ports(0, 7),)), "0-7 are no ports"),
        (Traffic(protocols=UDP, own_ports=(Ports(1, 65536),)), "1-65536 are no ports"),
        (Traffic(protocols=UDP, own_ports=(Ports.one(7),) * 65), "65 ranges of ports are too many"),
    ],
)
def test_traffic_that_does_not_exist(traffic: Traffic, says: str) -> None:
    (found,) = objections(NetworkEffect("test", traffic, LOSS))
    assert found.startswith(says)


@pytest.mark.parametrize("name", ["", "Loss", "a b", "-a", "a" * 101, 'x"; flush ruleset', "a\n"])
def test_names_that_could_be_more_than_a_name(name: str) -> None:
    (found,) = objections(NetworkEffect(name, Traffic(), LOSS))
    assert "is no name for an effect" in found
