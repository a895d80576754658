"""portBlock: nothing passes on some protocols or ports."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import PortBlock
from showstopper.api.injection import InjectionSpec
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Technique
from showstopper.faults.network.traffic import Traffic


class PortBlockBehaviour(TrafficBehaviour[PortBlock]):
    """Nobody gets an error."""

    kind: ClassVar[type[FaultKind]] = PortBlock
    action: ClassVar[str] = "blocks ports of"
    technique: ClassVar[Technique] = Technique.DROP

    def traffic(self, fault: PortBlock, injection: InjectionSpec) -> Traffic:
        """The fault's protocols, and those of the ports that are of one of them."""
        return self._of(fault, injection, frozenset(fault.protocols))

    def plan(self, fault: PortBlock, compiler: Compiler) -> Plan:
        """Rules that drop every packet on these protocols and ports."""
        return compiler.drop()

    def of_traffic(self, fault: PortBlock, traffic: Traffic) -> Iterator[str]:
        """Without a protocol, everything would be blocked."""
        if not traffic.protocols:
            yield "a port block needs a protocol: say UDP, TCP or both; with ports, only those are blocked"

    def refusals(self, injection: InjectionSpec) -> Iterator[str]:
        """No port of a protocol would mean all of its ports."""
        for protocol in self._fault(injection).protocols if injection.ports else ():
            if not any(port.protocol is protocol for port in injection.ports):
                yield f"none of the ports is one of {protocol}: name one, or leave {protocol} out"
        yield from super().refusals(injection)
