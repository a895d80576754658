"""Floods: what agents do for one packet flood: its gate, and counting what arrives. Pure.

Arrivals come first. An agent that counts at a target has seen that the target's address is that pod's, by its UID. Only
then a gate is asked for that leads there.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from showstopper.api.faults.flood import FloodArrivals, FloodGate
from showstopper.api.injection import Injection, InjectionTarget, TargetState
from showstopper.api.run import ExperimentRun
from showstopper.engine.hands.agent import asking
from showstopper.engine.hands.crowd.flooder_job import port_of, spec_of
from showstopper.engine.planning.plan import PlannedFault
from showstopper.faults.effects import Pod

Object = dict[str, Any]
_GONE = {TargetState.GONE, TargetState.REFUSED}


def arrivals(run: ExperimentRun, planned: PlannedFault, flooder: Pod) -> Iterator[Object]:
    """The Injections that count at the targets what comes from the flooder."""
    size, port = _size(planned), port_of(run, planned)
    asked = {"peers": (flooder.address,), "flood_arrivals": FloodArrivals(port=port, size=size)}
    return asking.ask(run, planned.fault, planned.targets, asked)


def gate(run: ExperimentRun, planned: PlannedFault, flooder: Pod) -> Iterator[Object]:
    """The Injection that lets the flooder's packets pass to the targets' port, and nothing else."""
    size, port = _size(planned), port_of(run, planned)
    addresses = tuple(sorted({pod.address for pod in planned.targets}))
    asked = {"peers": addresses, "flood_gate": FloodGate(port=port, size=size)}
    return asking.ask(run, planned.fault, [flooder], asked, part="gate/")


def shut(injections: Sequence[Injection]) -> bool:
    """Whether no gate of the run is open any more."""
    states = [
        gate.state
        for injection in injections
        if injection.spec.flood_gate is not None
        for gate in injection.status.targets
    ]
    return TargetState.ARMED not in states


def open_gates(injections: Sequence[Injection]) -> list[Injection]:
    """The gates whose end nobody has asked for."""
    return [injection for injection in injections if injection.spec.flood_gate is not None and not injection.spec.lift]


def led_to(gate: Injection, injections: Sequence[Injection]) -> list[InjectionTarget]:
    """The targets that a gate leads to, among all Injections of the run."""
    return [
        target
        for injection in _of_arrivals(gate, injections)
        for target in injection.spec.targets
        if target.address in (gate.spec.peers or ())
    ]


def still_there(gate: Injection, injections: Sequence[Injection], lost: Collection[str]) -> tuple[str, ...]:
    """The addresses that a gate may still lead to. `lost`: UIDs of pods that have lost their address, or are gone."""
    gone = set(lost)
    for injection in _of_arrivals(gate, injections):
        gone |= {target.uid for target in injection.status.targets if target.state in _GONE}
    addresses = {target.address for target in led_to(gate, injections) if target.uid in gone}
    return tuple(address for address in gate.spec.peers or () if address not in addresses)


def _of_arrivals(gate: Injection, injections: Sequence[Injection]) -> list[Injection]:
    return [
        injection
        for injection in injections
        if injection.spec.fault == gate.spec.fault and injection.spec.flood_arrivals is not None
    ]


def _size(planned: PlannedFault) -> int:
    return spec_of(planned.fault).size
