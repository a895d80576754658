"""Process faults as they are declared: which container of the target, and what happens to its processes."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.base import Name, Spec, Status, Timestamp
from showstopper.api.schema.rules import Matching

ContainerId = Annotated[str, StringConstraints(max_length=128, pattern="^[0-9a-f]{16,128}$")]
"""A container's id as its runtime gives it, without the runtime's name: the last part of its cgroups' paths."""

WRITE_A_CPU_LIMIT = 'write CPU cores in quotes, from "50m" to "64", like "200m", "0.5" or "2"'
# Below 50m, 5 ms in each 100 ms, whatever runs is as good as frozen.
_MILLICORES = "[5-9][0-9]m|[1-9][0-9]{2,3}m|[1-5][0-9]{4}m|6[0-3][0-9]{3}m|64000m"
_CORES = "0[.](0[5-9][0-9]?|[1-9][0-9]{0,2})|([1-9]|[1-5][0-9]|6[0-3])([.][0-9]{1,3})?|64([.]0{1,3})?"
CpuLimit = Annotated[str, StringConstraints(max_length=8), Matching(f"{_MILLICORES}|{_CORES}", WRITE_A_CPU_LIMIT)]
"""A Kubernetes quantity of CPU."""


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
    no more than the limit allows."""
    periods: int | None = None
    """Periods of the CPU quota (usually 100 ms) that passed while its processes wanted to run; of a cpuThrottle."""
    throttled_periods: int | None = None
    """Periods in which its processes had used up the quota and had to wait; of a cpuThrottle."""
    throttled_milliseconds: int | None = None
    """How long they waited, added up over all CPUs; of a cpuThrottle."""


class ProcessKinds(Spec):
    """A choice of one process fault: a field for each kind."""

    container_kill: ContainerKill | None = None
    freeze: Freeze | None = None
    cpu_throttle: CpuThrottle | None = None
