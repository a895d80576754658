"""Process faults as they are declared: which container of the target, and what happens to its processes."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.base import Name, Spec, Status, Timestamp
from showstopper.api.faults.base import Aim, FaultKind, Hand

ContainerId = Annotated[str, StringConstraints(max_length=128, pattern="^[0-9a-f]{16,128}$")]
"""A container's id as its runtime gives it, without the runtime's name: the last part of its cgroups' paths."""


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
    """The CPU time that passed in it between these looks: none, or it is no freeze."""


class ProcessKinds(Spec):
    """A choice of one process fault: a field for each kind."""

    container_kill: ContainerKill | None = None
    freeze: Freeze | None = None
