"""corrupt: a share of the packets arrives with some of its payload overwritten."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Corrupt
from showstopper.faults.network import dose
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Technique
from showstopper.faults.observed import Observed


class CorruptBehaviour(TrafficBehaviour[Corrupt]):
    """The kernel corrects the checksum, so that the packet is not thrown away.

    Packets that end before the bytes that are overwritten are not meant: up to half of all packets of TCP are so short.
    """

    kind: ClassVar[type[FaultKind]] = Corrupt
    action: ClassVar[str] = "corrupts packets of"
    technique: ClassVar[Technique] = Technique.REWRITE

    def plan(self, fault: Corrupt, compiler: Compiler) -> Plan:
        """Rules that rewrite."""
        return compiler.rewrite(fault.percent)

    def stops_all(self, fault: Corrupt) -> bool:
        """Other packets get through: each direction has its own."""
        return False

    def look_at(self, fault: str) -> str:
        """Where to look when no packet matched: they may all have been too short."""
        return (
            "nothing of 28 bytes of UDP payload or more was sent there, or of 36 bytes of TCP with its header; look at "
            f"fault {fault}'s direction, ports and peers"
        )

    def off_dose(self, fault: Corrupt, observed: Observed) -> str | None:
        """Another share than the declared one."""
        return dose.by_chance(observed, float(fault.percent))
