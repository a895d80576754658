"""freeze: a container's processes are stopped for a while."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import Freeze
from showstopper.faults.observed import Observed
from showstopper.faults.processes.behaviour import ProcessBehaviour


class FreezeBehaviour(ProcessBehaviour[Freeze]):
    """Proven when each cgroup reads frozen and no CPU time passes in it."""

    kind: ClassVar[type[FaultKind]] = Freeze
    action: ClassVar[str] = "froze the container of"

    def figures(self, observed: Observed) -> str:
        """How many processes were frozen, for how long at the least, and the CPU time that passed in them."""
        figures = observed.processes
        count = sum(each.processes for each in figures)
        least = min((each.frozen_milliseconds or 0 for each in figures), default=0)
        cpu = sum(each.cpu_microseconds or 0 for each in figures)
        return f"{count} processes frozen for {least / 1000:.1f} s, {cpu / 1000:g} ms of CPU time passed meanwhile"
