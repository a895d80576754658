"""countSkew: the door shows a wrong number of listeners."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import CountSkew
from showstopper.faults.stage.door import DoorBehaviour


class CountSkewBehaviour(DoorBehaviour[CountSkew]):
    """Proven when somebody who asked for the count was shown another one than the true one."""

    kind: ClassVar[type[FaultKind]] = CountSkew
    action: ClassVar[str] = "miscounts at"
    remedy: ClassVar[str] = "let it last longer, or have the count asked for: write door.counts in the AudioRoom"

    def words(self, answered: int, asked: int) -> str:
        """How often a wrong count was shown."""
        return f"{answered} of {asked} requests for the count answered wrongly"
