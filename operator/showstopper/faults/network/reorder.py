"""reorder: a share of the packets is held back, so that those behind it overtake."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Reorder
from showstopper.faults.network import dose
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Method, Plan, Slowdown, Technique
from showstopper.faults.observed import Observed


class ReorderBehaviour(TrafficBehaviour[Reorder]):
    """Each packet that is held back waits equally long."""

    kind: ClassVar[type[FaultKind]] = Reorder
    action: ClassVar[str] = "reorders packets of"
    technique: ClassVar[Technique] = Technique.HOLD

    def plan(self, fault: Reorder, compiler: Compiler) -> Plan:
        """A share of the packets is held back."""
        return compiler.hold(fault.percent, Slowdown(fault.hold))

    def methods(self, fault: Reorder) -> tuple[Method, ...]:
        """Any of them."""
        return tuple(Method)

    def stops_all(self, fault: Reorder) -> bool:
        """Other packets get through: each direction has its own."""
        return False

    def off_dose(self, fault: Reorder, observed: Observed) -> str | None:
        """A smaller share than the declared one."""
        return dose.held_back(observed, float(fault.percent))
