"""scaleDown: fewer replicas for a while."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.workloads import ScaleDown
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.effects import Backing, Change, Workload
from showstopper.faults.observed import Observed
from showstopper.faults.workloads.behaviour import WorkloadBehaviour, behind, is_in_time
from showstopper.faults.workloads.fields import REPLICAS


class ScaleDownBehaviour(WorkloadBehaviour[ScaleDown]):
    """Proven when, before the end, no more of the pods that were there are left than it was scaled down to.

    Some have to go: where there were no more from the beginning, nothing was tested.
    """

    kind: ClassVar[type[FaultKind]] = ScaleDown
    action: ClassVar[str] = "scales down"
    answered: ClassVar[str] = "scaling"

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Fewer pods than its replicas ask for, so that none would have to go."""
        yield from super().objections(fault, context)
        pods, wanted = len(context.targets), self._replicas(fault)
        if context.backing is not None and 0 < pods <= wanted:
            yield Finding(
                Reason.NOTHING_TO_CHANGE,
                f"component {fault.component} has {pods} pods, and fault {fault.name} would leave {wanted}, so that "
                "none goes: write fewer replicas, or find out why there are no more pods",
            )

    def hindrances(self, fault: Fault, backing: Backing) -> Iterator[Finding]:
        """Several workloads, one that has no replicas of its own, an autoscaler, or nothing to scale down."""
        if len(backing.workloads) > 1:
            titles = ", ".join(workload.title for workload in backing.workloads)
            yield Finding(
                Reason.NO_WORKLOAD,
                f"several workloads make the pods of component {fault.component} ({titles}), and fault {fault.name} "
                "scales one: declare a component for each",
            )
        for workload in backing.workloads:
            yield from self._hinders(fault, workload)

    def _hinders(self, fault: Fault, workload: Workload) -> Iterator[Finding]:
        if workload.replicas is None:
            message = f"{workload.title} has a pod for each node, and no replicas (fault {fault.name}): use podKill"
            yield Finding(Reason.NO_WORKLOAD, message)
            return
        if workload.scaler:
            yield Finding(
                Reason.REPLICAS_OWNED,
                f"HorizontalPodAutoscaler {workload.scaler} owns the replicas of {workload.title}, and would undo "
                f"fault {fault.name}: use podKill or podEvict, or experiment without the autoscaler",
            )
        if workload.deletes_volumes:
            yield Finding(
                Reason.NOT_REVERSIBLE,
                f"{workload.title} deletes the volumes of replicas that go (whenScaled: Delete), and nobody puts these "
                f"back: set whenScaled: Retain, or use podKill (fault {fault.name})",
            )
        if (wanted := self._replicas(fault)) >= workload.replicas:
            yield Finding(
                Reason.NOTHING_TO_CHANGE,
                f"{workload.title} has {workload.replicas} replicas, and fault {fault.name} would scale it down to "
                f"{wanted}: write fewer, or scale it up first",
            )

    def changes(self, fault: Fault, context: FaultContext, now: str) -> tuple[Change, ...]:
        """The number of replicas."""
        wanted = self._replicas(fault)
        return tuple(
            Change(workload.kind, workload.name, workload.uid, REPLICAS, workload.replicas, wanted)
            for workload in behind(fault, context).workloads
        )

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: pods that should have gone."""
        left, wanted = _left(observed), _wanted(observed)
        if (pods := len(observed.targets)) <= wanted:
            message = f"is not proven: there were {pods} pods, and {wanted} were to be left, so that none had to go"
            return Finding(Reason.NO_EFFECT, message)
        if left <= wanted:
            return None
        return Finding(
            Reason.NO_EFFECT,
            f"is not proven: {left} of {len(observed.targets)} pods were still there, and {wanted} were to be left: if "
            "they take long to end, write a longer duration",
        )

    def figures(self, observed: Observed) -> str:
        """How many pods went, and when the last of them."""
        ended = [each.ended_after for each in observed.targets if each.ended_after is not None and is_in_time(each)]
        last = f", the last after {max(ended):.1f} s" if ended else ""
        return f"{len(observed.targets) - _left(observed)} of {len(observed.targets)} pods gone{last}"

    def _replicas(self, fault: Fault) -> int:
        assert isinstance(fault.spec, ScaleDown)
        return fault.spec.replicas


def _left(observed: Observed) -> int:
    return sum(not is_in_time(target) for target in observed.targets)


def _wanted(observed: Observed) -> int:
    return observed.spec.replicas if isinstance(observed.spec, ScaleDown) else 0
