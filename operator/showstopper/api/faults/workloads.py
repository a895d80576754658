"""Faults of the workloads behind a component's pods, which the API server carries out."""

from typing import Annotated, ClassVar

from pydantic import Field

from showstopper.api.faults.base import Aim, FaultKind, Hand


class WorkloadFault(FaultKind):
    """A fault that the operator carries out by a change of the workload that makes the component's pods."""

    hand: ClassVar[Hand] = Hand.API_SERVER
    aims_at: ClassVar[Aim] = Aim.WORKLOAD


class RolloutRestart(WorkloadFault):
    """Replaces all pods of the component, as `kubectl rollout restart` does: at the pace of the workload's strategy, by
    an annotation on its pod template that stays there. It is the same release before and after.
    """

    instant: ClassVar[bool] = True


class ScaleDown(WorkloadFault):
    """Scales the component's workload down for the duration, then back to what it was. Which pods go is up to the
    workload's controller.
    """

    replicas: Annotated[int, Field(ge=0, le=499)]
    """Number of replicas while the fault lasts. Fewer than there are."""

    @property
    def ends_targets(self) -> bool:
        """Some of them."""
        return True

    def hits(self, pods: int) -> int:
        """Those that are not left."""
        return max(pods - self.replicas, 0)
