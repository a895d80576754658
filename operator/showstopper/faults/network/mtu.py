"""mtu: packets above a size are dropped."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Mtu
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Technique


class MtuBehaviour(TrafficBehaviour[Mtu]):
    """No router says that a packet was too big (ICMP, RFC 1191), which is what makes such a path a black hole."""

    kind: ClassVar[type[FaultKind]] = Mtu
    action: ClassVar[str] = "drops large packets of"
    technique: ClassVar[Technique] = Technique.DROP

    def plan(self, fault: Mtu, compiler: Compiler) -> Plan:
        """Rules that drop what is larger."""
        return compiler.drop_longer_than(fault.size)

    def silences(self, fault: Mtu) -> bool:
        """Small packets get through, and what is small depends on the codec."""
        return False
