"""duplicate: a share of the packets arrives twice."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Duplicate
from showstopper.faults.network import dose
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Technique
from showstopper.faults.observed import Observed


class DuplicateBehaviour(TrafficBehaviour[Duplicate]):
    """Copies are not copied again."""

    kind: ClassVar[type[FaultKind]] = Duplicate
    action: ClassVar[str] = "duplicates packets of"
    technique: ClassVar[Technique] = Technique.COPY

    def plan(self, fault: Duplicate, compiler: Compiler) -> Plan:
        """Rules that copy."""
        return compiler.copy(fault.percent)

    def stops_all(self, fault: Duplicate) -> bool:
        """Other packets get through: each direction has its own."""
        return False

    def off_dose(self, fault: Duplicate, observed: Observed) -> str | None:
        """Another share than the declared one."""
        return dose.by_chance(observed, float(fault.percent))
