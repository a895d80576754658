"""roomUnavailable: the door turns people away."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import RoomUnavailable
from showstopper.faults.stage.door import DoorBehaviour


class RoomUnavailableBehaviour(DoorBehaviour[RoomUnavailable]):
    """Proven when somebody who asked for a token was turned away."""

    kind: ClassVar[type[FaultKind]] = RoomUnavailable
    action: ClassVar[str] = "closes"
    remedy: ClassVar[str] = "let it last longer, or let newcomers come more often"

    def words(self, answered: int, asked: int) -> str:
        """How often somebody was turned away."""
        return f"{answered} of {asked} requests for a token turned away"
