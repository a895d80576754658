"""floodArrivals: the end of a flood at its targets."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.flood import FloodArrivals
from showstopper.api.faults.network import Direction
from showstopper.api.injection import InjectionSpec, InjectionTarget
from showstopper.faults.flood.ends import UDP, EndBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic


class FloodArrivalsBehaviour(EndBehaviour[FloodArrivals]):
    """At a target: what arrives of a flood is counted, and nothing is changed. So it may be done on any network."""

    kind: ClassVar[type[FaultKind]] = FloodArrivals
    action: ClassVar[str] = "counts the flood's packets at"

    def traffic(self, fault: FloodArrivals, injection: InjectionSpec) -> Traffic:
        """What comes from the flooders to the target's port."""
        return _arriving(injection.peers, fault.port)

    def plan(self, fault: FloodArrivals, compiler: Compiler) -> Plan:
        """A counter."""
        return compiler.count(fault.size)

    def refusal_of(self, injection: InjectionSpec, target: InjectionTarget) -> str | None:
        """Nothing: it changes nothing."""
        return None


def flood_arrivals(name: str, flooders: tuple[str, ...], port: int, size: int) -> NetworkEffect:
    """The effect by which UDP from these addresses to this port of the target is counted."""
    return NetworkEffect(name, _arriving(flooders, port), FloodArrivals(port=port, size=size))


def _arriving(flooders: tuple[str, ...] | None, port: int) -> Traffic:
    return Traffic(Direction.INGRESS, UDP, own_ports=(Ports.one(port),), peers=flooders)
