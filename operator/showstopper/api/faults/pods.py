"""Faults of whole pods, which the API server carries out."""

from typing import Annotated, ClassVar

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.quantities import Duration, DurationBounds, parse_duration


class PodKill(FaultKind):
    """Deletes the pods. With a grace period of zero this is like a crash."""

    hand: ClassVar[Hand] = Hand.API_SERVER
    aims_at: ClassVar[Aim] = Aim.PODS
    instant: ClassVar[bool] = True

    grace_period: Annotated[Duration, DurationBounds("0s", "10m", whole_seconds=True)] = parse_duration("0s")
    """Grace period of the deletion, in whole seconds. 0s kills the pod immediately."""


class PodEvict(FaultKind):
    """Evicts the pods, as a drain of their node does. PodDisruptionBudgets may refuse it: then nothing is hit."""

    hand: ClassVar[Hand] = Hand.API_SERVER
    aims_at: ClassVar[Aim] = Aim.PODS
    instant: ClassVar[bool] = True

    grace_period: Annotated[Duration, DurationBounds("0s", "10m", whole_seconds=True)] | None = None
    """Grace period of the eviction, in whole seconds. Default: the pod's own."""
