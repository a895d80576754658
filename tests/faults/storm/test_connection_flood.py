"""A flood of connections: a storm by which nobody joins, and which needs no key."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.storm import ConnectionFlood, RefusedJoins, StormFigures
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.storm import schedule
from showstopper.faults.storm.connection_flood import ConnectionFloodBehaviour
from tests.support import build

FLOOD = ConnectionFloodBehaviour()
END = datetime(2026, 1, 31, 20, 0, 30, tzinfo=UTC)
PORTS = ({"name": "media", "port": 7882, "protocol": "UDP"}, {"name": "signal", "port": 7880, "protocol": "TCP"})


def fault(duration: str = "10s", **spec: Any) -> Fault:
    declared = {"port": "signal", "connections": 500, **spec}
    body = {"name": "flood", "target": {"component": "relay"}, "duration": duration, "connectionFlood": declared}
    return Fault.model_validate(body)


def context() -> FaultContext:
    (relay, *others) = build.ROOM_SPEC["components"]
    room = build.room(components=[relay | {"ports": PORTS}, *others])
    return FaultContext("show", "main-stage", room.spec, (replace(build.pod("a"), address="198.18.1.2"),))


def test_it_is_found_by_its_kind_and_has_the_bounds_of_the_api() -> None:
    assert isinstance(registry.of_kind(ConnectionFlood), ConnectionFloodBehaviour)
    connections = ConnectionFlood.model_json_schema()["properties"]["connections"]["anyOf"][0]
    assert connections["maximum"] == schedule.MOST_CONNECTIONS == FLOOD.most


@pytest.mark.parametrize(
    ("of", "reason", "says"),
    [
        (fault(), None, ""),
        (fault(rate=100), None, ""),
        (fault(port="media"), "UnknownPort", "is one of UDP, and connections go over TCP"),
        (fault(rate=50), "DurationTooShort", "write a duration of at least 13s980ms"),
        (fault("60s", connections=None, rate=1000), "StormTooLarge", "56000 connections, and one pod makes 10000"),
    ],
)
def test_what_cannot_be_carried_out_says_why(of: Fault, reason: str | None, says: str) -> None:
    """It needs no relay that serves, and no port of media: nobody takes any sound."""
    findings = list(FLOOD.objections(of, context()))
    assert [finding.reason for finding in findings] == ([reason] if reason else [])
    assert all(says in finding.message for finding in findings)


@pytest.mark.parametrize(("opening", "depth"), [("TCP", "tcp"), ("WebSocket", "websocket")])
def test_its_pod_gets_no_key_and_its_gate_leads_to_one_port(opening: str, depth: str) -> None:
    task = FLOOD.task(fault(opening=opening, rate=100), context(), END)
    assert not task.joins
    assert task.environment["SHOWSTOPPER_STORM_DEPTH"] == depth
    assert task.environment["SHOWSTOPPER_STORM_TRIES"] == "500"
    gate = FLOOD.gate(fault(opening=opening), context())
    assert (gate.signalling, gate.media) == (7880, ())


def test_it_says_how_many_were_taken() -> None:
    refused = [RefusedJoins(reason="TimedOut", count=20)]
    storm = StormFigures(asked=500, attempts=500, let_in=480, refused=refused)
    target = ObservedTarget("a", proven=True, matched=900, affected=900, lasted=10.0)
    observed = Observed("flood", (target,), (ObservedTarget("x", proven=True, affected=900),), storm=storm)
    assert FLOOD.proof(observed) is None
    assert FLOOD.figures(observed) == "500 connections tried, 480 taken, 20 refused (20 TimedOut)"
