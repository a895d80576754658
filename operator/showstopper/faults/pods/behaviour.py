"""What all faults of whole pods have in common: the operator carries them out itself, through the API server."""

from abc import abstractmethod
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults import registry
from showstopper.faults.behaviour import Behaviour, FaultContext, K
from showstopper.faults.effects import Change, DeletePod, EvictPod, Pod
from showstopper.faults.observed import Observed, ObservedTarget, names

PodCall = DeletePod | EvictPod


class ApiServerBehaviour(Behaviour[K]):
    """A fault that the operator carries out itself, and that ends its targets.

    Proven when every pod is gone and no listener gets media from it. The call alone proves nothing: with a grace period
    of zero the API server answers about two seconds before the process dies.

    Attributes:
        answered: what the API server has answered, in words.
    """

    answered: ClassVar[str]

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: pods that are still there, or still send."""
        if present := [target for target in observed.targets if not target.ended]:
            return Finding(Reason.NO_EFFECT, f"is not proven on {names(present)}: the pod is still there")
        if heard := [target for target in observed.targets if not target.quiet]:
            return Finding(
                Reason.NO_EFFECT, f"is not proven on {names(heard)}: listeners may still get media from there"
            )
        return None

    def figures(self, observed: Observed) -> str:
        """When each thing happened to the only target, or how many of several are gone."""
        if (target := observed.only) is None:
            gone = sum(target.ended for target in observed.targets)
            quiet = sum(bool(target.quiet) for target in observed.targets)
            return f"{gone} of {len(observed.targets)} pods gone, and {quiet} of them without media"
        return self._times(target)

    def _times(self, target: ObservedTarget) -> str:
        words = []
        if target.answered_after is not None:
            words.append(f"{self.answered} answered after {target.answered_after * 1000:.0f} ms")
        if target.quiet_after is not None:
            words.append(f"its media stopped after {target.quiet_after:.2f} s")
        if target.ended_after is not None:
            words.append(f"gone after {target.ended_after:.2f} s")
        return ", ".join(words)


class PodCallBehaviour(ApiServerBehaviour[K]):
    """One call for each target."""

    @abstractmethod
    def effect(self, spec: K, target: Pod) -> PodCall:
        """What is to be done to one target."""


class ChangeBehaviour(ApiServerBehaviour[K]):
    """Changes of fields of objects, which are put back unless they are to stay."""

    @abstractmethod
    def changes(self, fault: Fault, context: FaultContext, now: str) -> tuple[Change, ...]:
        """What is to be changed, in this order. `now` is the time, RFC 3339."""


def changes_of(fault: Fault, context: FaultContext, now: str) -> tuple[Change, ...]:
    """The changes that a fault makes; none: it is carried out in another way."""
    behaviour = registry.of(fault.spec)
    return behaviour.changes(fault, context, now) if isinstance(behaviour, ChangeBehaviour) else ()


def effect_of(spec: FaultKind, target: Pod) -> PodCall:
    """What the operator does to one target.

    Raises:
        TypeError: the fault is carried out by somebody else, or in another way, which is a defect.
    """
    behaviour = registry.of(spec)
    if not isinstance(behaviour, PodCallBehaviour):
        raise TypeError(f"{type(spec).__name__} is carried out by {spec.hand}, and not by a call for each pod")
    return behaviour.effect(spec, target)
