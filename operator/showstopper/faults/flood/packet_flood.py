"""packetFlood: a flooder sends UDP packets to the targets, through its gate."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import ValidationError

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.flood import FloodArrivals, FloodFigures, FloodGate, PacketFlood
from showstopper.api.reasons import Reason
from showstopper.api.room import Port
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.crowd import CrowdBehaviour, addresses_of, port_of
from showstopper.faults.effects import Pod
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.flood import dose, settings
from showstopper.faults.flood.flood_gate import flood_gate
from showstopper.faults.flood.sending import Flood, send_packets
from showstopper.faults.network.traffic import NetworkEffect
from showstopper.faults.observed import Observed, deserted, names
from showstopper.faults.task import Task


class PacketFloodBehaviour(CrowdBehaviour[PacketFlood]):
    """Proven when packets passed the gate, and as many as were declared arrived at every single target."""

    kind: ClassVar[type[FaultKind]] = PacketFlood
    action: ClassVar[str] = "floods"
    role: ClassVar[str] = "flooder"
    missing: ClassVar[Reason] = Reason.FLOODER_MISSING

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """A port that the component does not have, or one of TCP, which would take no notice."""
        yield from super().objections(fault, context)
        port = port_of(fault, context)
        if port is not None and port.protocol != "UDP":
            yield Finding(
                Reason.UNKNOWN_PORT,
                f"port {port.name} of component {fault.component} is one of {port.protocol}, and a packetFlood is UDP "
                f"(fault {fault.name}): name a port with protocol: UDP",
            )

    def gate(self, fault: Fault, context: FaultContext) -> FloodGate:
        """UDP to the flooded port, in packets of the flood's size."""
        return FloodGate(port=_number(fault, context), size=_spec(fault).size)

    def gate_effect(self, fault: Fault, context: FaultContext) -> NetworkEffect:
        """The same as rules are made of it."""
        return flood_gate(self.role, addresses_of(context), _number(fault, context), _spec(fault).size)

    def arrivals(self, fault: Fault, context: FaultContext) -> FloodArrivals:
        """The same packets, where they arrive."""
        return FloodArrivals(port=_number(fault, context), size=_spec(fault).size)

    def task(self, fault: Fault, context: FaultContext, end: datetime) -> Task:
        """A flood of all targets in turn."""
        spec = _spec(fault)
        assert fault.duration is not None
        flood = Flood(spec.shape, spec.size, spec.rate, spec.sources, fault.duration, spec.packets)
        port = _number(fault, context)
        targets = sorted(context.targets, key=lambda pod: pod.name)
        send = send_packets(flood, tuple(Endpoint(pod.address, port) for pod in targets), end)
        return Task("showstopper.audio.flood.flooder", settings.environment(send))

    def excuse(self, report: Mapping[str, Any]) -> str:
        """What ended the flood, and what the kernel refused."""
        refused = ", ".join(f"{count} times {reason}" for reason, count in report.get("errors", {}).items())
        said = f"its flooder ended by {report.get('ended_by')} after {report.get('packets')} packets"
        return f"{said}; the kernel refused {refused}" if refused else said

    def figures_of(self, report: Mapping[str, Any]) -> FloodFigures | None:
        """What ended the flood, and how much of it the kernel took."""
        errors = report.get("errors") or {}
        known = {key: report.get(key) for key in ("ended_by", "packets")}
        try:
            return FloodFigures.model_validate(known | {"refused": sum(errors.values())})
        except ValidationError:
            return None

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: packets that left, targets at which some arrived or, at its end, as many as were declared.

        How many that are is known only when the last of them is counted.
        """
        if (nobody := deserted(observed)) is not None:
            return nobody
        if not observed.gates or not all(gate.proven for gate in observed.gates):
            return Finding(Reason.NO_EFFECT, "sent no packet")
        if unproven := observed.unproven:
            return Finding(
                Reason.NO_EFFECT,
                f"sent {observed.sent} packets, and none arrived at {names(unproven)}: look at the network between "
                "them",
            )
        if not isinstance(observed.spec, PacketFlood) or not observed.over:
            return None
        return dose.missing(observed.spec, observed)

    def figures(self, observed: Observed) -> str:
        """How many packets were sent, where the gates are known, and how many arrived."""
        if not observed.gates:
            return f"{observed.affected} packets of the flood arrived"
        return f"{observed.sent} packets sent, {observed.affected} arrived"


def number_of(port: Port, targets: Iterable[Pod]) -> int:
    """The number that is flooded: a gate leads to one. Of a range, the lowest that residents get sound from now.

    Nobody listens at a port of the range that is not in use, and its kernel answers or drops what comes there. If it is
    not known which are, it is the range's first.
    """
    used = (number for pod in targets for _, number in pod.media if port.port <= number <= port.last)
    return min(used, default=port.port)


def _number(fault: Fault, context: FaultContext) -> int:
    port = port_of(fault, context)
    assert port is not None, "the planner has refused a port that the room does not declare"
    return number_of(port, context.targets)


def _spec(fault: Fault) -> PacketFlood:
    assert fault.packet_flood is not None
    return fault.packet_flood
