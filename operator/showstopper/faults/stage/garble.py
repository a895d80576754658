"""garble: the host sends its own sound, mangled."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import Garble
from showstopper.faults.stage.behaviour import HostBehaviour


class GarbleBehaviour(HostBehaviour[Garble]):
    """Proven when the host has counted frames of the mangled sound that the room took, for nearly all of the time.

    What a pattern leaves of the host between two bursts is part of it.
    """

    kind: ClassVar[type[FaultKind]] = Garble
    action: ClassVar[str] = "garbles"

    def words(self, seconds: float) -> str:
        """How much mangled sound was sent."""
        return f"{seconds:.1f} s of garbled sound sent"
