"""What every kind of fault can answer: why it cannot be done, what proves it, and what was measured. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.injection import InjectionSpec, InjectionTarget
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoomSpec, Component, Host
from showstopper.availability.verdict import Finding
from showstopper.faults.effects import Backing, Pod
from showstopper.faults.observed import Observed, names

K = TypeVar("K", bound=FaultKind)


@dataclass(frozen=True, slots=True)
class FaultContext:
    """Where a fault is to be carried out.

    Attributes:
        room_name: of the AudioRoom.
        targets: the pods that it would hit.
        backing: what is behind its component; None: nobody has looked, for there is no need to or not yet.
    """

    namespace: str
    room_name: str
    room: AudioRoomSpec
    targets: tuple[Pod, ...] = ()
    backing: Backing | None = None

    def component(self, fault: Fault) -> Component | None:
        """The component that the fault is aimed at; None: another aim, or the room does not have it."""
        return self.room.component(fault.component) if fault.component is not None else None


class Behaviour(ABC, Generic[K]):
    """What a kind of fault does and what proves it. There is one object for each kind, and it holds nothing.

    Attributes:
        kind: the declared form.
        action: what is done to a target, for a log: the name of the target follows.
    """

    kind: ClassVar[type[FaultKind]]
    action: ClassVar[str]

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Why the fault cannot be carried out there; nothing: it can."""
        yield from unknown_ports(fault, context)

    @abstractmethod
    def proof(self, observed: Observed) -> Finding | None:
        """What is missing for a proof on every target; None: the fault is proven. The message names no fault."""

    @abstractmethod
    def figures(self, observed: Observed) -> str:
        """What was measured, in words."""

    def outcome(self, observed: Observed) -> str:
        """What the record of a run says of the fault: what is missing for its proof, or what proves it."""
        if (missing := self.proof(observed)) is not None:
            return missing.message
        late = [target for target in observed.targets if target.excused and not target.proven]
        but = f"; {names(late)} replaced one too late to see any" if late else ""
        return f"proven on every target: {self.figures(observed)}{but}"


class InjectedBehaviour(Behaviour[K]):
    """A fault that executors are asked for. They check once more what the API server has let through."""

    def refusals(self, injection: InjectionSpec) -> Iterator[str]:
        """Why an executor must not arm any of it, as sentences that say what to write instead; nothing: it may.

        Ports and peers are of packets, and every other fault has none.
        """
        if injection.ports or injection.peers:
            yield "ports and peers are of packets: leave them out"

    def refusal_of(self, injection: InjectionSpec, target: InjectionTarget) -> str | None:
        """Why an executor must not arm it on this target; None: it may."""
        return None


def unknown_ports(fault: Fault, context: FaultContext) -> Iterator[Finding]:
    """Ports that the component does not declare. No port at all would mean all of them."""
    component = context.component(fault)
    declared = [port.name for port in component.ports] if component else []
    for name in fault.spec.port_names:
        if name not in declared:
            yield Finding(
                Reason.UNKNOWN_PORT,
                f'component {fault.component} declares no port "{name}" (fault {fault.name}); '
                f"it has: {', '.join(declared) or 'none'}",
            )


def no_managed_host(fault: Fault, context: FaultContext) -> Iterator[Finding]:
    """A fault that is aimed at the room's host needs one that the operator runs: somebody else's takes no orders."""
    if context.room.program.host is Host.MANAGED:
        return
    yield Finding(
        Reason.NO_MANAGED_HOST,
        f"AudioRoom {context.namespace}/{context.room_name} has a host of its own, which fault {fault.name} cannot "
        "hit: write program.host: Managed in the AudioRoom, or aim another fault at a component",
    )
