"""What all faults of workloads have in common: they change fields of objects, and need to know what makes the pods."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.workloads import WorkloadFault
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.effects import Backing, Workload
from showstopper.faults.observed import ObservedTarget
from showstopper.faults.pods.behaviour import ChangeBehaviour

W = TypeVar("W", bound=WorkloadFault)

LOOK_SECONDS = 2.0
"""How much later it may be noticed that a pod is gone: pods are listed once a second."""


class WorkloadBehaviour(ChangeBehaviour[W]):
    """A fault that is a change, or several, of what is behind a component's pods."""

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Pods that no workload makes, or one that makes other pods too; and what else hinders the kind."""
        yield from super().objections(fault, context)
        if context.backing is None or not context.targets:
            return
        yield from _not_made(fault, context.backing)
        yield from self.hindrances(fault, context.backing)

    @abstractmethod
    def hindrances(self, fault: Fault, backing: Backing) -> Iterator[Finding]:
        """Why these workloads cannot be changed in that way."""


def behind(fault: Fault, context: FaultContext) -> Backing:
    """What is behind the fault's component.

    Raises:
        LookupError: nobody has looked, which is a defect.
    """
    if context.backing is None:
        raise LookupError(f"nobody has looked at what is behind component {fault.component}")
    return context.backing


def not_rolled_out(fault: Fault, workload: Workload) -> Finding | None:
    """Why a change of the workload's pod template would reach no pod, or not all of them."""
    if not workload.held:
        return None
    message = f"{workload.title} does not replace its pods when its template changes: {workload.held}"
    return Finding(Reason.ROLLOUT_HELD, f"{message} (fault {fault.name})")


def is_in_time(target: ObservedTarget) -> bool:
    """Whether a pod went while the fault lasted. Of one that is not over, whether it has gone."""
    if not target.ended or target.ended_after is None or target.lasted is None:
        return target.ended
    return target.ended_after <= target.lasted + LOOK_SECONDS


def _not_made(fault: Fault, backing: Backing) -> Iterator[Finding]:
    made_by = "no Deployment, StatefulSet or DaemonSet makes"
    if backing.loose:
        pods = ", ".join(backing.loose[:3])
        message = f"{made_by} pods {pods} of component {fault.component}, which fault {fault.name} would change"
        yield Finding(Reason.NO_WORKLOAD, f"{message}: use podKill or podEvict")
    if not backing.workloads:
        yield Finding(Reason.NO_WORKLOAD, f"{made_by} the pods of component {fault.component} (fault {fault.name})")
    for workload in backing.workloads:
        if workload.others:
            pods = ", ".join(workload.others[:3])
            yield Finding(
                Reason.WORKLOAD_SHARED,
                f"{workload.title} also makes pods that are none of component {fault.component}: {pods}; fault "
                f"{fault.name} would hit them too: widen the component's selector",
            )
