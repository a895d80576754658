"""cpuThrottle: a container gets no more than so much CPU for a while."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import CpuThrottle
from showstopper.availability.verdict import Finding
from showstopper.faults.observed import Observed, at_most, wrong_dose
from showstopper.faults.processes.behaviour import ProcessBehaviour

CARRIED_SECONDS = 0.1
"""What CPUs may carry from one period into the next, some milliseconds each (kernel: sched-bwc.rst, "bursty")."""


class CpuThrottleBehaviour(ProcessBehaviour[CpuThrottle]):
    """Proven when the kernel held each container's processes back in some period of the quota, and to the quota."""

    kind: ClassVar[type[FaultKind]] = CpuThrottle
    action: ClassVar[str] = "throttles the CPU of the container of"

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: a period in which a target had to wait, or a limit that held."""
        return super().proof(observed) or _above_limit(observed)

    def figures(self, observed: Observed) -> str:
        """In how many of the quota's periods processes had to wait, and for how long, over all targets."""
        figures = observed.processes
        throttled = sum(each.throttled_periods or 0 for each in figures)
        periods = sum(each.periods or 0 for each in figures)
        seconds = sum(each.throttled_milliseconds or 0 for each in figures) / 1000
        return f"throttled in {throttled} of {periods} periods, {seconds:.1f} s"


def _above_limit(observed: Observed) -> Finding | None:
    """More CPU time in the time that it was in force than the limit allows."""
    if not isinstance(observed.spec, CpuThrottle):
        return None
    cores = observed.spec.millicores / 1000
    for target in observed.targets:
        if not target.lasted or target.processes is None or target.processes.cpu_microseconds is None:
            continue
        took = target.processes.cpu_microseconds / 1e6
        if took > cores * at_most(target.lasted) + CARRIED_SECONDS:
            average = took / target.lasted
            return wrong_dose(f"let the container of {target.pod} take {average:.3f} cores, and its limit is {cores:g}")
    return None
