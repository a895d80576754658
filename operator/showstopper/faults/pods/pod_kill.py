"""podKill: the pods are deleted."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.pods import PodKill
from showstopper.faults.effects import DeletePod, Pod
from showstopper.faults.pods.behaviour import PodCallBehaviour


class PodKillBehaviour(PodCallBehaviour[PodKill]):
    """A deletion of each pod."""

    kind: ClassVar[type[FaultKind]] = PodKill
    action: ClassVar[str] = "deleted"
    answered: ClassVar[str] = "deletion"

    def effect(self, spec: PodKill, target: Pod) -> DeletePod:
        """Delete the pod by its UID."""
        return DeletePod(target, spec.grace_period)
