"""packetLoss: a share of the packets is dropped, one by one or in bursts."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import PacketLoss
from showstopper.faults.network import dose
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Technique
from showstopper.faults.observed import Observed


class PacketLossBehaviour(TrafficBehaviour[PacketLoss]):
    """With a burst length, all packets are dropped for that long, so often that the share holds."""

    kind: ClassVar[type[FaultKind]] = PacketLoss
    action: ClassVar[str] = "drops packets of"
    technique: ClassVar[Technique] = Technique.DROP

    def plan(self, fault: PacketLoss, compiler: Compiler) -> Plan:
        """Rules that drop."""
        if fault.burst is None:
            return compiler.drop(fault.percent)
        return compiler.drop_in_bursts(fault.percent, fault.burst)

    def stops_all(self, fault: PacketLoss) -> bool:
        """Other packets get through: each direction has its own."""
        return fault.percent >= 1

    def off_dose(self, fault: PacketLoss, observed: Observed) -> str | None:
        """Another share than the declared one: of the packets, or of the time."""
        if fault.burst is None:
            return dose.by_chance(observed, float(fault.percent))
        return dose.in_bursts(observed, float(fault.percent), fault.burst)
