"""rolloutRestart: all pods of the component are replaced, at the pace of their workload's strategy."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.workloads import RolloutRestart
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.effects import Backing, Change
from showstopper.faults.workloads.behaviour import WorkloadBehaviour, behind, not_rolled_out
from showstopper.faults.workloads.fields import RESTARTED


class RolloutRestartBehaviour(WorkloadBehaviour[RolloutRestart]):
    """Proven when every pod that was there is gone, and no listener gets media from it."""

    kind: ClassVar[type[FaultKind]] = RolloutRestart
    action: ClassVar[str] = "restarts"
    answered: ClassVar[str] = "restart"

    def hindrances(self, fault: Fault, backing: Backing) -> Iterator[Finding]:
        """A workload that does not replace its pods by itself."""
        yield from filter(None, (not_rolled_out(fault, workload) for workload in backing.workloads))

    def changes(self, fault: Fault, context: FaultContext, now: str) -> tuple[Change, ...]:
        """The time of the restart, on each pod template. It stays: to take it away would be another restart."""
        return tuple(
            Change(workload.kind, workload.name, workload.uid, RESTARTED, workload.restarted, now, lasts=False)
            for workload in behind(fault, context).workloads
        )
