"""cpuThrottle: a container gets no more than so much CPU for a while."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import CpuThrottle
from showstopper.faults.observed import Observed
from showstopper.faults.processes.behaviour import ProcessBehaviour


class CpuThrottleBehaviour(ProcessBehaviour[CpuThrottle]):
    """Proven when the kernel held each container's processes back in some period of the quota."""

    kind: ClassVar[type[FaultKind]] = CpuThrottle
    action: ClassVar[str] = "throttles the CPU of the container of"

    def figures(self, observed: Observed) -> str:
        """In how many of the quota's periods processes had to wait, and for how long, over all targets."""
        figures = observed.processes
        throttled = sum(each.throttled_periods or 0 for each in figures)
        periods = sum(each.periods or 0 for each in figures)
        seconds = sum(each.throttled_milliseconds or 0 for each in figures) / 1000
        return f"throttled in {throttled} of {periods} periods, {seconds:.1f} s"
