"""cpuStress: busy workers compete with a container's processes for the CPU that it may take."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import CpuStress
from showstopper.availability.verdict import Finding
from showstopper.faults.observed import Observed, at_most, wrong_dose
from showstopper.faults.processes.behaviour import ProcessBehaviour


class CpuStressBehaviour(ProcessBehaviour[CpuStress]):
    """Proven when the workers of each target got CPU time, by their own cgroup's account."""

    kind: ClassVar[type[FaultKind]] = CpuStress
    action: ClassVar[str] = "stresses the CPU of the container of"

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: targets whose workers got next to nothing, or workers that took more than was declared."""
        return super().proof(observed) or _above_load(observed)

    def figures(self, observed: Observed) -> str:
        """How much CPU time the workers took, how much their targets' own processes, and how often both had to wait."""
        figures = observed.processes
        workers = sum(each.stress_workers or 0 for each in figures)
        took = sum(each.stress_cpu_microseconds or 0 for each in figures) / 1e6
        own = sum(each.cpu_microseconds or 0 for each in figures) / 1e6
        words = f"{workers} workers took {took:.1f} s of CPU time, the container's own processes {own:.1f} s"
        periods = sum(each.periods or 0 for each in figures)
        throttled = sum(each.throttled_periods or 0 for each in figures)
        return f"{words}; throttled in {throttled} of {periods} periods" if periods else words


def _above_load(observed: Observed) -> Finding | None:
    """More CPU time in the time that it was in force than the workers were to take."""
    if not isinstance(observed.spec, CpuStress):
        return None
    for target in observed.targets:
        if not target.lasted or target.processes is None or target.processes.stress_cpu_microseconds is None:
            continue
        took = target.processes.stress_cpu_microseconds / 1e6
        if took > observed.spec.cores * at_most(target.lasted):
            average = took / target.lasted
            return wrong_dose(f"took {average:.3f} cores of {target.pod}, and was to take {observed.spec.cores:g}")
    return None
