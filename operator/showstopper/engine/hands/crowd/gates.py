"""Gates: what agents do for one fault of the crowd: its gate, and counting what arrives. Pure.

Arrivals come first. An agent that counts at a target has seen that the target's address is that pod's, by its UID. Only
then a gate is asked for that leads there.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pydantic.alias_generators import to_snake

from showstopper.api.faults.gates import Arrivals, Gate
from showstopper.api.injection import Injection, InjectionTarget, TargetState
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Object
from showstopper.engine.hands.crowd import job
from showstopper.engine.hands.injections import asking
from showstopper.engine.planning.plan import PlannedFault
from showstopper.faults.crowd import addresses_of
from showstopper.faults.effects import Pod

_GONE = {TargetState.GONE, TargetState.REFUSED}


def arrivals(run: ExperimentRun, planned: PlannedFault, pod: Pod) -> Iterator[Object]:
    """The Injections that count at the targets what comes from the fault's pod."""
    end = job.behaviour(planned.fault).arrivals(planned.fault, job.context(run, planned))
    return asking.ask(run, planned.fault, planned.targets, _asked(end, (pod.address,)))


def gate(run: ExperimentRun, planned: PlannedFault, pod: Pod) -> Iterator[Object]:
    """The Injection that lets the pod's packets pass to the targets, and nothing else."""
    end = job.behaviour(planned.fault).gate(planned.fault, job.context(run, planned))
    addresses = addresses_of(job.context(run, planned))
    return asking.ask(run, planned.fault, [pod], _asked(end, addresses), part="gate/")


def is_gate(injection: Injection) -> bool:
    """Whether it asks for a gate."""
    return isinstance(injection.spec.spec, Gate)


def shut(injections: Sequence[Injection]) -> bool:
    """Whether no gate of the run is open any more."""
    states = [target.state for each in injections if is_gate(each) for target in each.status.targets]
    return TargetState.ARMED not in states


def open_gates(injections: Sequence[Injection]) -> list[Injection]:
    """The gates whose end nobody has asked for."""
    return [injection for injection in injections if is_gate(injection) and not injection.spec.lift]


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
        if injection.spec.fault == gate.spec.fault and isinstance(injection.spec.spec, Arrivals)
    ]


def _asked(end: Gate | Arrivals, peers: tuple[str, ...]) -> dict[str, Any]:
    """Fields of an Injection's spec: the end of a fault, under the name of its kind, and the addresses of the other."""
    return {"peers": peers, to_snake(type(end).__name__): end}
