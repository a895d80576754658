"""deadAir: the host sends packets, and in them silence."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import DeadAir
from showstopper.faults.stage.behaviour import HostBehaviour


class DeadAirBehaviour(HostBehaviour[DeadAir]):
    """Proven when the host has counted silent frames that the room took, for nearly all of the time."""

    kind: ClassVar[type[FaultKind]] = DeadAir
    action: ClassVar[str] = "silences"

    def words(self, seconds: float) -> str:
        """How much silence was sent."""
        return f"{seconds:.1f} s of silence sent"
