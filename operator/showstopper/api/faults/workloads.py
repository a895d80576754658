"""Faults of the workloads behind a component's pods, which the API server carries out."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

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


class ConfigPush(WorkloadFault):
    """Writes another value into a key of a ConfigMap that the component's pods use, as a mistaken deploy does, and puts
    back what was there at the end.
    """

    one_at_a_time: ClassVar[bool] = True

    config_map: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """Name of the ConfigMap, in the namespace of the room."""
    key: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """Key of the ConfigMap. It has to be there."""
    value: Annotated[str, StringConstraints(max_length=4096)]
    """Value of the key while the fault lasts."""
    restart: bool = False
    """Whether all pods of the component are replaced after each of the two changes, as by rolloutRestart, so that they
    read the value at their start. Otherwise they read it if and when they look again."""

    @property
    def ends_targets(self) -> bool:
        """Only by a restart."""
        return self.restart

    @property
    def config_maps(self) -> tuple[str, ...]:
        """The one that it changes."""
        return (self.config_map,)
