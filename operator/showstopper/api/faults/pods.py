"""Faults of whole pods, which the API server carries out."""

from typing import Annotated, ClassVar

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.quantities import Between, Duration, parse_duration


class PodKill(FaultKind):
    """Delete the pods, as a crash does when the grace period is zero."""

    hand: ClassVar[Hand] = Hand.API_SERVER
    aims_at: ClassVar[Aim] = Aim.PODS
    instant: ClassVar[bool] = True

    grace_period: Annotated[Duration, Between("0s", "10m", whole_seconds=True)] = parse_duration("0s")
    """Grace period of the deletion. With "0s" the processes are killed at once."""
