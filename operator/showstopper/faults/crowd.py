"""What all faults of the crowd have in common: a pod that does it, its gate, what arrives at the targets. Pure."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.flood import FloodFigures
from showstopper.api.faults.gates import Arrivals, Gate
from showstopper.api.faults.storm import StormFigures
from showstopper.api.injection import InjectionTarget
from showstopper.api.reasons import Reason
from showstopper.api.room import Port
from showstopper.faults import endpoint
from showstopper.faults.behaviour import Behaviour, FaultContext
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.network.traffic import NetworkEffect, Traffic
from showstopper.faults.task import MOST_TARGETS, Task

K = TypeVar("K", bound=FaultKind)
CrowdFigures = StormFigures | FloodFigures
"""What the pod of a fault said of it at its end."""


class CrowdBehaviour(Behaviour[K]):
    """A fault that a pod of the crowd carries out: behind a gate, and counted where it arrives.

    Attributes:
        role: what its pod is: its label, and the name of its container.
        missing: the reason where the pod does not start.
        reports: whether only its pod knows what came of it, and says so at its end.
    """

    role: ClassVar[str]
    missing: ClassVar[Reason]
    reports: ClassVar[bool] = False

    @abstractmethod
    def gate(self, fault: Fault, context: FaultContext) -> Gate:
        """What lets the pod's packets pass to the targets, and nothing else."""

    @abstractmethod
    def gate_effect(self, fault: Fault, context: FaultContext) -> NetworkEffect:
        """The same as the agent of the pod's node makes rules of it, for who wants to see them beforehand."""

    @abstractmethod
    def arrivals(self, fault: Fault, context: FaultContext) -> Arrivals:
        """What counts at the targets."""

    @abstractmethod
    def task(self, fault: Fault, context: FaultContext, end: datetime) -> Task:
        """What the pod does.

        Args:
            fault: one without objections.
            context: with its targets.
            end: when it has to have ended, however late it could start.
        """

    @abstractmethod
    def excuse(self, report: Mapping[str, Any]) -> str:
        """Why the fault did nothing, by the last line of its pod, for a person."""

    @abstractmethod
    def figures_of(self, report: Mapping[str, Any]) -> CrowdFigures | None:
        """What came of the fault, by the last line of its pod. None: the line does not say it."""


def port_of(fault: Fault, context: FaultContext) -> Port | None:
    """The port that the fault is aimed at, as the room declares it; None: it does not."""
    component = context.component(fault)
    ports = component.ports if component is not None else ()
    return next((port for port in ports if port.name in fault.spec.port_names), None)


def addresses_of(context: FaultContext) -> tuple[str, ...]:
    """The addresses of the targets."""
    return tuple(sorted({pod.address for pod in context.targets}))


def of_peers(traffic: Traffic) -> Iterator[str]:
    """Why a pod of the crowd may not send there, or be counted: it sends to some single pods, and to nobody else."""
    if traffic.peers is None:
        yield "what the crowd sends has two ends: name the addresses of the other one"
    peers = traffic.peers or ()
    if len(peers) > MOST_TARGETS:
        yield f"{len(peers)} targets are too many for one gate: name at most {MOST_TARGETS}"
    problems = (endpoint.objection_to(Endpoint(peer, 1)) for peer in peers)
    yield from (problem for problem in problems if problem is not None)


def shuts_in_a_node(target: InjectionTarget) -> str | None:
    """Why there may be no gate in the network of this pod; None: there may."""
    if not target.host_network:
        return None
    return f"{target.pod} shares its node's network, and a gate would shut in the whole node: only pods have gates"
