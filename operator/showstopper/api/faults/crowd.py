"""What all faults have in common that a pod of the crowd carries out: whose hand, how long, a port of the targets."""

from typing import ClassVar

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.base import Name


class CrowdFault(FaultKind):
    """A pod in the room's namespace sends something to a port of the targets, and to nobody else."""

    hand: ClassVar[Hand] = Hand.CROWD
    aims_at: ClassVar[Aim] = Aim.PODS
    longest: ClassVar[str] = "10m"
    most_targets: ClassVar[int] = 100

    port: Name
    """The port of the targets that it is sent to, by its name in the room."""

    @property
    def port_names(self) -> tuple[str, ...]:
        """The port that it is sent to."""
        return (self.port,)
