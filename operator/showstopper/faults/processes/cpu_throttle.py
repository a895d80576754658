"""cpuThrottle: a container gets no more than so much CPU for a while."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import CpuThrottle
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.processes.behaviour import ProcessBehaviour

EXTRA_SHARE, EXTRA_SECONDS = 0.05, 0.25
"""How much more CPU than its limit a container may have had: the times are taken beside the counters, and in the period
in which the quota is set, the one before was in force. A choice of ours."""
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
    above = next((target for target in observed.targets if _took(target) > _allowed(target, cores)), None)
    if above is None or not above.lasted:
        return None
    return Finding(
        Reason.WRONG_DOSE,
        f"let the container of {above.pod} take {_took(above) / above.lasted:.3f} cores, and its limit is {cores:g}: "
        "another fault than the declared one was tested; look at the agents' logs",
    )


def _took(target: ObservedTarget) -> float:
    """Seconds of CPU time that the container took; 0: not known."""
    return ((target.processes.cpu_microseconds or 0) if target.processes else 0) / 1e6


def _allowed(target: ObservedTarget, cores: float) -> float:
    """The most that it may have taken. Without bound while it is not known how long the limit lasted."""
    if not target.lasted:
        return float("inf")
    return cores * (target.lasted * (1 + EXTRA_SHARE) + EXTRA_SECONDS) + CARRIED_SECONDS
