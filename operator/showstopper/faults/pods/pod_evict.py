"""podEvict: the pods are evicted, if their PodDisruptionBudgets allow it."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.pods import PodEvict
from showstopper.faults.effects import EvictPod, Pod
from showstopper.faults.pods.behaviour import PodCallBehaviour


class PodEvictBehaviour(PodCallBehaviour[PodEvict]):
    """An eviction of each pod. One that is refused has hit nothing, and its target's record names the budget."""

    kind: ClassVar[type[FaultKind]] = PodEvict
    action: ClassVar[str] = "evicted"
    answered: ClassVar[str] = "eviction"

    def effect(self, spec: PodEvict, target: Pod) -> EvictPod:
        """Evict the pod by its UID."""
        return EvictPod(target, spec.grace_period)
