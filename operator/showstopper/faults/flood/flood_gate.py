"""floodGate: the end of a flood at its flooder."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.flood import FloodGate
from showstopper.api.faults.network import Direction
from showstopper.api.injection import InjectionSpec, InjectionTarget
from showstopper.faults.crowd import shuts_in_a_node
from showstopper.faults.flood.ends import UDP, EndBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic


class FloodGateBehaviour(EndBehaviour[FloodGate]):
    """Of a flooder: what it sends to these peers' port passes and is counted. Everything else is dropped, for ever.

    The other way round than all others: without a lease, nothing passes any more. Its rules go with the network only.
    """

    kind: ClassVar[type[FaultKind]] = FloodGate
    action: ClassVar[str] = "gates"

    def traffic(self, fault: FloodGate, injection: InjectionSpec) -> Traffic:
        """What the flooder sends to its targets' port."""
        return _leaving(injection.peers, fault.port)

    def plan(self, fault: FloodGate, compiler: Compiler) -> Plan:
        """A gate."""
        return compiler.gate(fault.size)

    def refusal_of(self, injection: InjectionSpec, target: InjectionTarget) -> str | None:
        """On its node's network, the whole node would be shut in."""
        return shuts_in_a_node(target)


def flood_gate(name: str, targets: tuple[str, ...], port: int, size: int) -> NetworkEffect:
    """The effect by which only UDP to this port of these addresses passes, in packets of so many bytes of payload."""
    return NetworkEffect(name, _leaving(targets, port), FloodGate(port=port, size=size))


def _leaving(targets: tuple[str, ...] | None, port: int) -> Traffic:
    return Traffic(Direction.EGRESS, UDP, peer_ports=(Ports.one(port),), peers=targets)
