"""Faults of the host: they need one that is managed, and are proven by what it counts of them."""

from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.stage import HostFault, HostFigures
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.observed import Observed, ObservedTarget
from tests.support import build

NOW = "2026-01-01T00:00:00.000000Z"
KINDS = {name: kind for name, kind in Fault.kinds().items() if issubclass(kind, HostFault)}
of_each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def context(**room: Any) -> FaultContext:
    return FaultContext("show", "main-stage", build.room(**room).spec)


def target(milliseconds: int, *, proven: bool = True, lasted: float | None = None, **more: Any) -> ObservedTarget:
    figures = HostFigures(at=NOW, milliseconds=milliseconds)
    return ObservedTarget("host-a", proven=proven, host=figures, lasted=lasted, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_elses_host_does_not_carry_it_out_and_what_to_write_is_said(kind: str) -> None:
    fault = Fault.model_validate({"name": "it", "duration": "5s", kind: {}})
    behaviour = registry.of(fault.spec)
    assert not list(behaviour.objections(fault, context()))
    (objection,) = behaviour.objections(fault, context(program={"host": "External"}))
    assert objection.reason == "NoManagedHost"
    assert "AudioRoom show/main-stage" in objection.message
    assert "write program.host: Managed" in objection.message


@of_each_kind
def test_it_is_proven_by_a_host_that_did_it_for_nearly_all_of_the_time(kind: type[HostFault]) -> None:
    behaviour = registry.of_kind(kind)
    assert behaviour.proof(Observed("it", (target(1200),))) is None, "it lasts"
    assert behaviour.proof(Observed("it", (target(9900, lasted=10.0),))) is None
    assert behaviour.outcome(Observed("it", (target(9900, lasted=10.0),))).startswith("proven on every target: 9.9 s ")


@of_each_kind
def test_a_host_that_was_off_the_air_for_much_of_it_proves_nothing(kind: type[HostFault]) -> None:
    finding = registry.of_kind(kind).proof(Observed("it", (target(7000, lasted=10.0),)))
    assert finding is not None
    assert finding.reason == "NoEffect"
    assert finding.message.startswith("is not proven: 7.0 s ")
    assert finding.message.endswith(", in 10.0 s")


@of_each_kind
def test_a_host_that_refused_it_says_why(kind: type[HostFault]) -> None:
    finding = registry.of_kind(kind).proof(Observed("it", (ObservedTarget("host-a", message="it is another one"),)))
    assert finding is not None
    assert finding.message == "had no effect: it is another one"


@of_each_kind
def test_it_is_about_no_packets(kind: type[HostFault]) -> None:
    assert not kind().port_names
    assert not kind().reaches_media
    assert not kind().means_everything
