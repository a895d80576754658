"""delay: every packet arrives later."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Delay, Distribution
from showstopper.faults.network import dose
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Method, Plan, Slowdown, Technique
from showstopper.faults.observed import Observed


class DelayBehaviour(TrafficBehaviour[Delay]):
    """With jitter, packets overtake each other as they do under netem.

    The jitter is half the width of the spread, or the standard deviation of the other distributions, as in netem.
    """

    kind: ClassVar[type[FaultKind]] = Delay
    action: ClassVar[str] = "delays packets of"
    technique: ClassVar[Technique] = Technique.HOLD

    def plan(self, fault: Delay, compiler: Compiler) -> Plan:
        """All packets are held back."""
        return compiler.hold(1.0, Slowdown(fault.latency, fault.jitter, fault.distribution))

    def methods(self, fault: Delay) -> tuple[Method, ...]:
        """All, but for distributions that netem has in a table only, which tc takes from a file."""
        if fault.jitter and fault.distribution is not Distribution.UNIFORM:
            return tuple(method for method in Method if method is not Method.NETEM)
        return tuple(Method)

    def stops_all(self, fault: Delay) -> bool:
        """Other packets get through: each direction has its own."""
        return False

    def off_dose(self, fault: Delay, observed: Observed) -> str | None:
        """Every packet is held back."""
        return dose.held_back(observed, 1.0)
