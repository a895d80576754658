"""bandwidth: no more bits a second than this pass."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Bandwidth
from showstopper.api.injection import InjectionSpec
from showstopper.faults.network import dose
from showstopper.faults.network.behaviour import NetworkBehaviour, TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Slowdown, Technique
from showstopper.faults.network.traffic import NetworkEffect
from showstopper.faults.observed import Observed


class BandwidthBehaviour(TrafficBehaviour[Bandwidth]):
    """A packet is affected when it has to wait for its bits, or is lost for want of them."""

    kind: ClassVar[type[FaultKind]] = Bandwidth
    action: ClassVar[str] = "limits the bandwidth of"
    technique: ClassVar[Technique] = Technique.SHAPE

    def effects(self, injection: InjectionSpec, name: str) -> tuple[NetworkEffect, ...]:
        """Always one: the ports of all protocols share one bandwidth."""
        return NetworkBehaviour.effects(self, injection, name)

    def plan(self, fault: Bandwidth, compiler: Compiler) -> Plan:
        """A traffic class."""
        return compiler.shape(1.0, Slowdown(bits_per_second=fault.bits_per_second, backlog=fault.queue))

    def stops_all(self, fault: Bandwidth) -> bool:
        """Other packets get through: each direction has its own."""
        return False

    def off_dose(self, fault: Bandwidth, observed: Observed) -> str | None:
        """More than the declared rate."""
        return dose.below_rate(observed, fault.bits_per_second, len(fault.direction.single))

    def figures(self, observed: Observed) -> str:
        """The packets, and the rate that passed."""
        return super().figures(observed) + dose.passed(observed)
