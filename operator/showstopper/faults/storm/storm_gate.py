"""stormGate: the end of a storm at its pod."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Direction, Protocol
from showstopper.api.faults.storm import StormGate
from showstopper.api.injection import InjectionSpec, InjectionTarget
from showstopper.faults.crowd import shuts_in_a_node
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic
from showstopper.faults.storm.ends import TCP, StormEndBehaviour


class StormGateBehaviour(StormEndBehaviour[StormGate]):
    """Of a storm's pod: what it sends to these ports of the peers passes. Everything else is dropped, for ever.

    As the gate of a flood: without a lease, nothing passes any more. Its rules go with the network only.
    """

    kind: ClassVar[type[FaultKind]] = StormGate
    action: ClassVar[str] = "gates"

    def traffic(self, fault: StormGate, injection: InjectionSpec) -> Traffic:
        """What the storm sends to its targets' ports."""
        return _leaving(injection.peers, fault)

    def plan(self, fault: StormGate, compiler: Compiler) -> Plan:
        """A gate."""
        return compiler.gate()

    def refusal_of(self, injection: InjectionSpec, target: InjectionTarget) -> str | None:
        """On its node's network, the whole node would be shut in."""
        return shuts_in_a_node(target)


def storm_gate(name: str, targets: tuple[str, ...], gate: StormGate) -> NetworkEffect:
    """The effect by which only what goes to the gate's ports of these addresses passes."""
    return NetworkEffect(name, _leaving(targets, gate), gate)


def _leaving(targets: tuple[str, ...] | None, gate: StormGate) -> Traffic:
    """By TCP and UDP alike, where there is media: a port that is not of both answers nobody."""
    media = tuple(Ports(port.port, port.last) for port in gate.media)
    protocols = TCP | {Protocol.UDP} if media else TCP
    return Traffic(Direction.EGRESS, protocols, peer_ports=(Ports.one(gate.signalling), *media), peers=targets)
