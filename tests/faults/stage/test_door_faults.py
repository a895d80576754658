"""Faults of the door: they need one of our own stage, and are proven by what it answered."""

from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.stage import DoorFault, DoorFigures
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.observed import Observed, ObservedTarget
from tests.support import build

NOW = "2026-01-01T00:00:00.000000Z"
KINDS = {name: kind for name, kind in Fault.kinds().items() if issubclass(kind, DoorFault)}
of_each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
OURS = {"url": "http://door:8090/token", "component": "relay"}


def context(**room: Any) -> FaultContext:
    return FaultContext("show", "main-stage", build.room(**room).spec)


def target(answered: int, asked: int = 5, **more: Any) -> ObservedTarget:
    figures = DoorFigures(at=NOW, asked=asked, answered=answered)
    return ObservedTarget("door-0", proven=answered > 0, door=figures, **more)


@pytest.mark.parametrize(
    ("door", "has"), [({}, "has no door"), ({"door": {"url": "https://elsewhere/token"}}, "has somebody else's door")]
)
def test_a_room_without_a_door_of_the_stage_is_refused_with_what_to_write(door: dict[str, Any], has: str) -> None:
    for kind in KINDS.values():
        behaviour = registry.of_kind(kind)
        fault = Fault.model_validate({"name": "it", "duration": "5s", "roomUnavailable": {}})
        assert not list(behaviour.objections(fault, context(door=OURS)))
        (objection,) = behaviour.objections(fault, context(**door))
        assert objection.reason == "NoStagedDoor"
        assert f"AudioRoom show/main-stage {has}" in objection.message
        assert "door.enabled=true, and write door.url and door.component" in objection.message


@of_each_kind
def test_it_is_proven_by_one_pod_that_somebody_asked(kind: type[DoorFault]) -> None:
    behaviour = registry.of_kind(kind)
    observed = Observed("it", (target(2), target(0, 0)))
    assert behaviour.proof(observed) is None
    assert behaviour.outcome(observed).startswith("proven: 2 of 5 ")


@of_each_kind
def test_a_door_that_nobody_met_had_no_effect(kind: type[DoorFault]) -> None:
    finding = registry.of_kind(kind).proof(Observed("it", (target(0), target(0, 0))))
    assert finding is not None
    assert finding.reason == "NoEffect"
    assert finding.message.startswith("had no effect: 0 of 5 ")
    assert finding.message.endswith(("let newcomers come more often", "write door.counts in the AudioRoom"))


@of_each_kind
def test_a_door_that_refused_it_says_why_though_another_did_it(kind: type[DoorFault]) -> None:
    refused = ObservedTarget("door-1", message="it is another one")
    finding = registry.of_kind(kind).proof(Observed("it", (target(2), refused)))
    assert finding is not None
    assert finding.message == "had no effect: it is another one"


@of_each_kind
def test_it_is_about_no_packets(kind: type[DoorFault]) -> None:
    assert not kind.model_fields.keys() & {"ports", "peers"}
