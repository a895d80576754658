"""packetFlood: a flooder sends UDP packets to the targets, through its gate."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.flood import PacketFlood
from showstopper.api.reasons import Reason
from showstopper.api.room import Port
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import Behaviour, Ground
from showstopper.faults.effects import Pod
from showstopper.faults.observed import Observed, deserted, names


class PacketFloodBehaviour(Behaviour[PacketFlood]):
    """Proven when packets passed the gate, and some of them arrived at every single target."""

    kind: ClassVar[type[FaultKind]] = PacketFlood
    action: ClassVar[str] = "floods"

    def objections(self, fault: Fault, ground: Ground) -> Iterator[Finding]:
        """A port that the component does not have, or one of TCP, which would take no notice."""
        yield from super().objections(fault, ground)
        port = port_of(fault, ground)
        if port is not None and port.protocol != "UDP":
            yield Finding(
                Reason.UNKNOWN_PORT,
                f"port {port.name} of component {fault.component} is one of {port.protocol}, and a packetFlood is UDP "
                f"(fault {fault.name}): name a port with protocol: UDP",
            )

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: packets that left, or targets at which some arrived."""
        if (nobody := deserted(observed)) is not None:
            return nobody
        if not observed.gates or not all(gate.proven for gate in observed.gates):
            return Finding(Reason.NO_EFFECT, "sent no packet")
        if not (unproven := observed.unproven):
            return None
        return Finding(
            Reason.NO_EFFECT,
            f"sent {observed.sent} packets, and none arrived at {names(unproven)}: look at the network between them",
        )

    def figures(self, observed: Observed) -> str:
        """How many packets were sent, where the gates are known, and how many arrived."""
        if not observed.gates:
            return f"{observed.affected} packets of the flood arrived"
        return f"{observed.sent} packets sent, {observed.affected} arrived"


def port_of(fault: Fault, ground: Ground) -> Port | None:
    """The port that is flooded, as the room declares it; None: it does not."""
    component = ground.component(fault)
    ports = component.ports if component is not None else ()
    return next((port for port in ports if port.name in fault.spec.port_names), None)


def number_of(port: Port, targets: Iterable[Pod]) -> int:
    """The number that is flooded: a gate leads to one. Of a range, the lowest that residents get sound from now.

    Nobody listens at a port of the range that is not in use, and its kernel answers or drops what comes there. If it is
    not known which are, it is the range's first.
    """
    used = (number for pod in targets for _, number in pod.media if port.port <= number <= port.last)
    return min(used, default=port.port)
