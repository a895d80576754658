"""podKill: the pods are deleted."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.pods import PodKill
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.effects import DeletePod, Pod
from showstopper.faults.observed import Observed, names
from showstopper.faults.pods.behaviour import ApiServerBehaviour


class PodKillBehaviour(ApiServerBehaviour[PodKill]):
    """Proven when every pod is gone and no listener gets media from it.

    The deletion alone proves nothing: with a grace period of zero the API server answers about two seconds before the
    process dies.
    """

    kind: ClassVar[type[FaultKind]] = PodKill
    action: ClassVar[str] = "deleted"

    def effect(self, spec: PodKill, target: Pod) -> DeletePod:
        """Delete the pod by its UID."""
        return DeletePod(target, spec.grace_period)

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
        words = []
        if target.answered_after is not None:
            words.append(f"deletion answered after {target.answered_after * 1000:.0f} ms")
        if target.quiet_after is not None:
            words.append(f"its media stopped after {target.quiet_after:.2f} s")
        if target.ended_after is not None:
            words.append(f"gone after {target.ended_after:.2f} s")
        return ", ".join(words)
