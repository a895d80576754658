"""Process faults as they are declared: which container of the target, and what happens to its processes."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.base import Name, Spec, Status, Timestamp
from showstopper.api.schema.quantities import SomePercent
from showstopper.api.schema.rules import Matching, Rule, exactly_one

ContainerId = Annotated[str, StringConstraints(max_length=128, pattern="^[0-9a-f]{16,128}$")]
"""A container's id as its runtime gives it, without the runtime's name: the last part of its cgroups' paths."""

WRITE_A_CPU_LIMIT = 'write CPU cores in quotes, from "50m" to "64", like "200m", "0.5" or "2"'
# Below 50m, 5 ms in each 100 ms, whatever runs is as good as frozen.
_MILLICORES = "[5-9][0-9]m|[1-9][0-9]{2,3}m|[1-5][0-9]{4}m|6[0-3][0-9]{3}m|64000m"
_CORES = "0[.](0[5-9][0-9]?|[1-9][0-9]{0,2})|([1-9]|[1-5][0-9]|6[0-3])([.][0-9]{1,3})?|64([.]0{1,3})?"
CpuLimit = Annotated[str, StringConstraints(max_length=8), Matching(f"{_MILLICORES}|{_CORES}", WRITE_A_CPU_LIMIT)]
"""A Kubernetes quantity of CPU."""

WRITE_A_MEMORY_SIZE = 'write memory in quotes, from "1Mi" to "99999Mi" or from "1Gi" to "99Gi", like "200Mi"'
_UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}
MemorySize = Annotated[
    str, StringConstraints(max_length=8), Matching("[1-9][0-9]{0,4}Mi|[1-9][0-9]?Gi", WRITE_A_MEMORY_SIZE)
]
"""A Kubernetes quantity of memory, in binary units."""

MOST_STRESSED = 20
"""Containers that a fault of stress takes at the most: each has processes of ours beside the agent."""
_HOW_MUCH = "write exactly one of size, percent (of the container's memory limit) and overLimit: true (to go past it)"
_BELOW_THE_LIMIT = 'percent is below the limit: write "99%" or less, or overLimit: true to go past it'
_OVER_OR_NOT = "write overLimit: true, or leave it out and write size or percent"


class Signal(StrEnum):
    """The signals that end a process, if it lets them."""

    SIGKILL = "SIGKILL"
    SIGTERM = "SIGTERM"
    SIGINT = "SIGINT"
    SIGHUP = "SIGHUP"
    SIGQUIT = "SIGQUIT"
    SIGABRT = "SIGABRT"
    SIGSEGV = "SIGSEGV"


class ProcessFault(FaultKind):
    """A fault of the processes of one container in each target."""

    hand: ClassVar[Hand] = Hand.AGENT
    aims_at: ClassVar[Aim] = Aim.CONTAINER

    container: Name | None = None
    """The container by name. Default: the component's container, else the pod's first."""

    @property
    def container_name(self) -> str | None:
        """The container that it names."""
        return self.container


class ContainerKill(ProcessFault):
    """Every process of the container gets a signal. The kubelet starts the container anew in the same pod."""

    instant: ClassVar[bool] = True

    signal: Signal = Signal.SIGKILL
    """SIGKILL ends them as the kernel does when memory runs out. The others leave it to the processes how to end."""


class Freeze(ProcessFault):
    """The container's processes are stopped: they keep their connections and answer nothing."""


class CpuThrottle(ProcessFault):
    """The container gets less CPU than it may take now. It runs on, and waits whenever its quota is used up."""

    limit: CpuLimit
    """The most CPU that the container gets, in cores: "200m", "0.5", "2". Must be below its present limit."""

    @property
    def millicores(self) -> int:
        """The limit in thousandths of a core."""
        return int(self.limit[:-1]) if self.limit.endswith("m") else round(float(self.limit) * 1000)


class CpuStress(ProcessFault):
    """Busy workers of ours compete with the container's own processes, under the CPU limit that the container has."""

    most_targets: ClassVar[int] = MOST_STRESSED

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of workers. Each keeps one CPU busy at the most; no more than the node has CPUs."""
    load: SomePercent | None = None
    """Share of its time for which each worker is busy. Default: 100%."""

    @property
    def cores(self) -> float:
        """The CPU time that its workers want, in seconds a second."""
        return self.workers * float(self.load if self.load is not None else 1.0)


class MemoryStress(ProcessFault):
    """Memory is taken under the limit of the container: to its edge, or over it, where the kernel's OOM killer acts."""

    most_targets: ClassVar[int] = MOST_STRESSED

    size: MemorySize | None = None
    """How much is taken beside what the container uses, in binary units: "200Mi", "2Gi"."""
    percent: SomePercent | None = None
    """The container as a whole is kept at this share of its memory limit: what is taken grows and shrinks with what
    its processes leave. Below 100%."""
    over_limit: bool | None = None
    """True: take all that is left, and go on until the kernel's OOM killer has ended a process of the container."""

    rules = (
        exactly_one(("size", "percent", "overLimit"), _HOW_MUCH),
        Rule(
            "!has(self.percent) || !self.percent.matches('^100([.]|%)')",
            _BELOW_THE_LIMIT,
            holds=lambda stress: stress.percent is None or stress.percent < 1,
        ),
        Rule(
            "!has(self.overLimit) || self.overLimit",
            _OVER_OR_NOT,
            holds=lambda stress: stress.over_limit is not False,
        ),
    )

    @property
    def size_bytes(self) -> int | None:
        """The size as a number; None: it is another choice."""
        return int(self.size[:-2]) * _UNITS[self.size[-2:]] if self.size is not None else None

    @property
    def needs_limit(self) -> bool:
        """Whether it is measured by the container's memory limit."""
        return self.size is None

    @property
    def ends_targets(self) -> bool:
        """Over the limit, a process of the container is ended, and that is the fault."""
        return bool(self.over_limit)


class ProcessFigures(Status):
    """What was seen of the processes that a fault is meant for."""

    at: Timestamp
    """When the processes were observed."""
    processes: Annotated[int, Field(ge=0)] = 0
    """How many there were when it began."""
    ended: int | None = None
    """How many of them are gone; of a containerKill."""
    frozen_milliseconds: int | None = None
    """How long their cgroup has read frozen, from the first look to this one; of a freeze."""
    cpu_microseconds: int | None = None
    """The CPU time that its processes took from the first look to this one: none, or it is no freeze; of a cpuThrottle,
    no more than the limit allows; of a cpuStress, without the time of our workers."""
    periods: int | None = None
    """Periods of the CPU quota (usually 100 ms) that passed while its processes wanted to run; of a cpuThrottle."""
    throttled_periods: int | None = None
    """Periods in which its processes had used up the quota and had to wait; of a cpuThrottle."""
    throttled_milliseconds: int | None = None
    """How long they waited, added up over all CPUs; of a cpuThrottle."""
    stress_workers: int | None = None
    """How many busy workers of ours are in its cgroup; of a cpuStress."""
    stress_cpu_microseconds: int | None = None
    """The CPU time that these workers took; of a cpuStress."""
    stress_bytes: int | None = None
    """How much memory of its limit is taken by us now, or was at the most over the limit; of a memoryStress."""
    memory_bytes: int | None = None
    """Its working set, with what is taken by us: what it uses without file pages that nothing has touched for long; of
    a memoryStress."""
    memory_limit_bytes: int | None = None
    """Its memory limit; of a memoryStress. Absent if it has none."""
    held_milliseconds: int | None = None
    """For how long as much was taken, or in use, as was asked for; of a memoryStress with an aim below the limit."""
    oom_kills: int | None = None
    """How many of the container's own processes the kernel's OOM killer has ended; of a memoryStress."""
    stress_oom_kills: int | None = None
    """How many of our processes the OOM killer has ended instead; of a memoryStress."""


class ProcessKinds(Spec):
    """A choice of one process fault: a field for each kind."""

    container_kill: ContainerKill | None = None
    freeze: Freeze | None = None
    cpu_throttle: CpuThrottle | None = None
    cpu_stress: CpuStress | None = None
    memory_stress: MemoryStress | None = None
