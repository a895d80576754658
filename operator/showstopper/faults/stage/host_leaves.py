"""hostLeaves: the host is out of the room for a while."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import HostLeaves
from showstopper.faults.stage.behaviour import HostBehaviour


class HostLeavesBehaviour(HostBehaviour[HostLeaves]):
    """Proven when the host has counted that it was out of the room for nearly all of the time.

    Its process is well meanwhile, and says so: that is no absence which would excuse what listeners miss.
    """

    kind: ClassVar[type[FaultKind]] = HostLeaves
    action: ClassVar[str] = "takes out of the room"

    def words(self, seconds: float) -> str:
        """For how long it was out of the room."""
        return f"{seconds:.1f} s out of the room"
