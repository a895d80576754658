"""memoryStress: memory is taken under a container's limit, to its edge or over it."""

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import MemoryStress, ProcessFigures
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.observed import LEAST_SHARE, Observed, ObservedTarget
from showstopper.faults.processes.behaviour import ProcessBehaviour, container_of

_MIB = 1 << 20


class MemoryStressBehaviour(ProcessBehaviour[MemoryStress]):
    """Proven by the memory cgroup: as much was taken as was declared, for nearly all of the time.

    Over the limit: the container lost a process.
    """

    kind: ClassVar[type[FaultKind]] = MemoryStress
    action: ClassVar[str] = "takes memory of the container of"

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Also containers without the limit that it is measured by."""
        yield from super().objections(fault, context)
        if not isinstance(fault.spec, MemoryStress) or not fault.spec.needs_limit:
            return
        for pod in context.targets:
            container = container_of(fault, context.room, pod)
            if container is not None and not container.memory_limit:
                yield Finding(
                    Reason.NO_MEMORY_LIMIT,
                    f'container "{container.name}" of pod {pod.namespace}/{pod.name} has no memory limit for fault '
                    f"{fault.name}: write size instead, or give the container resources.limits.memory",
                )

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing; where only our own processes were killed, that; or time with as much as was declared."""
        if (missing := super().proof(observed)) is None:
            return _not_held(observed)
        if any(_only_ours(target) for target in self.lacking(observed)):
            return Finding(
                missing.reason, f"{missing.message}: the kernel ended our process and spared the container's"
            )
        return missing

    def figures(self, observed: Observed) -> str:
        """How much is taken, what the containers hold of their limits, and whom the kernel has killed."""
        figures = observed.processes
        words = f"{sum(each.stress_bytes or 0 for each in figures) // _MIB} MiB taken"
        if held := [each for each in figures if each.memory_bytes is not None]:
            words += f", {_in_use(held)}"
        if times := [each.held_milliseconds for each in figures if each.held_milliseconds is not None]:
            words += f", as much as was declared for {min(times) / 1000:.1f} s"
        killed = sum(each.oom_kills or 0 for each in figures)
        if killed or (isinstance(observed.spec, MemoryStress) and observed.spec.over_limit):
            words += f"; {killed} of the container's processes killed for want of memory"
        if ours := sum(each.stress_oom_kills or 0 for each in figures):
            words += f", and {ours} of ours"
        return words


def _not_held(observed: Observed) -> Finding | None:
    """A target that stood less than was declared for too much of the time, or all of them together.

    One that went, or came late in the place of another, may have had no time for its memory to be taken: it counts
    with the others.
    """
    if not isinstance(observed.spec, MemoryStress) or observed.spec.over_limit:
        return None
    over = [target for target in observed.targets if target.lasted and target.processes is not None]
    stayed = (target for target in over if not target.gone and not target.excused)
    short = (_short(target.pod, [target]) for target in stayed)
    if (first := next((finding for finding in short if finding is not None), None)) is not None:
        return first
    return _short("its targets", over) if observed.over else None


def _short(whose: str, targets: Sequence[ObservedTarget]) -> Finding | None:
    """Whether these had too little for too long. The message says how long the fault has to last, if it is to do."""
    lasted = sum(target.lasted or 0.0 for target in targets)
    held = sum(target.processes.held_milliseconds or 0 for target in targets if target.processes is not None) / 1000
    if held >= LEAST_SHARE * lasted:
        return None
    needed = math.ceil(round((lasted - held) / (1 - LEAST_SHARE) / len(targets), 3))
    return Finding(
        Reason.TOO_BRIEF,
        f"had as much memory of {whose} as was declared for {held:.1f} s of {lasted:.1f} s, and a test needs "
        f"{LEAST_SHARE:.0%}: to take it needs time, and what its processes leave is taken a moment later; write a "
        f"duration of {needed}s or more, or less memory",
    )


def _in_use(figures: list[ProcessFigures]) -> str:
    used = sum(each.memory_bytes or 0 for each in figures)
    if any(each.memory_limit_bytes is None for each in figures):
        return f"{used // _MIB} MiB in use"
    limit = sum(each.memory_limit_bytes or 0 for each in figures)
    return f"{used // _MIB} of {limit // _MIB} MiB in use"


def _only_ours(target: ObservedTarget) -> bool:
    figures = target.processes
    return figures is not None and bool(figures.stress_oom_kills) and not figures.oom_kills
