"""What all faults of the crowd have in common: a pod that does it, its gate, what arrives at the targets. Pure."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.gates import Arrivals, Gate
from showstopper.api.faults.storm import StormFigures
from showstopper.api.reasons import Reason
from showstopper.api.room import Port
from showstopper.faults.behaviour import Behaviour, Ground
from showstopper.faults.network.traffic import NetworkEffect

K = TypeVar("K", bound=FaultKind)


@dataclass(frozen=True, slots=True)
class Task:
    """What the pod of a fault does. It is never tried again, and ends by itself.

    Attributes:
        module: the program, a module of the audio image.
        environment: what it is told.
        joins: whether it joins the room, and needs what lets one in.
        cpu: what it asks for. There is no limit: what it sends is bounded by its task, and counted.
        memory: what it asks for, and its limit, in MiB.
    """

    module: str
    environment: Mapping[str, str]
    joins: bool = False
    cpu: str = "50m"
    memory: tuple[int, int] = (32, 128)


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
    def gate(self, fault: Fault, ground: Ground) -> Gate:
        """What lets the pod's packets pass to the targets, and nothing else."""

    @abstractmethod
    def gate_effect(self, fault: Fault, ground: Ground) -> NetworkEffect:
        """The same as the agent of the pod's node makes rules of it, for who wants to see them beforehand."""

    @abstractmethod
    def arrivals(self, fault: Fault, ground: Ground) -> Arrivals:
        """What counts at the targets."""

    @abstractmethod
    def task(self, fault: Fault, ground: Ground, end: datetime) -> Task:
        """What the pod does.

        Args:
            fault: one without objections.
            ground: with its targets.
            end: when it has to have ended, however late it could start.
        """

    @abstractmethod
    def excuse(self, report: Mapping[str, Any]) -> str:
        """Why the fault did nothing, by the last line of its pod, for a person."""

    def figures_of(self, report: Mapping[str, Any]) -> StormFigures | None:
        """What came of a storm, by the last line of its pod. None: this is none, or the line does not say it."""
        return None


def port_of(fault: Fault, ground: Ground) -> Port | None:
    """The port that the fault is aimed at, as the room declares it; None: it does not."""
    component = ground.component(fault)
    ports = component.ports if component is not None else ()
    return next((port for port in ports if port.name in fault.spec.port_names), None)


def addresses_of(ground: Ground) -> tuple[str, ...]:
    """The addresses of the targets."""
    return tuple(sorted({pod.address for pod in ground.targets}))
