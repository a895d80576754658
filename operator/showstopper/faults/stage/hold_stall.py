"""holdStall: the host sends hold music."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import HoldStall
from showstopper.faults.stage.behaviour import HostBehaviour


class HoldStallBehaviour(HostBehaviour[HoldStall]):
    """Proven when the host has counted frames of hold music that the room took, for nearly all of the time."""

    kind: ClassVar[type[FaultKind]] = HoldStall
    action: ClassVar[str] = "puts on hold"

    def words(self, seconds: float) -> str:
        """How much hold music was sent."""
        return f"{seconds:.1f} s of hold music sent"
