"""Faults of the node of a component's pod, which the API server carries out."""

from typing import Annotated, ClassVar

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.quantities import Duration, DurationBounds


class NodeDrain(FaultKind):
    """Drains the node of one pod of the component, as `kubectl drain` does: cordons it, and evicts the pods of all the
    room's components from it. The node is uncordoned at the end. Listeners and host stay where they are, and so do pods
    of DaemonSets and of others.
    """

    hand: ClassVar[Hand] = Hand.API_SERVER
    aims_at: ClassVar[Aim] = Aim.NODE
    one_at_a_time: ClassVar[bool] = True

    grace_period: Annotated[Duration, DurationBounds("0s", "10m", whole_seconds=True)] | None = None
    """Grace period of the evictions, in whole seconds. Default: each pod's own."""

    @property
    def ends_targets(self) -> bool:
        """On that node."""
        return True
