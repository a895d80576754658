"""Process faults as they are declared: which container of the target, and what happens to its processes."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from showstopper.api.base import Name, Spec, Status, Timestamp

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


class ProcessFault(Spec):
    """What all process faults can say of the processes that they mean."""

    container: Name | None = None
    """Whose processes, by the container's name. Default: the component's container, else the pod's first."""


class ContainerKill(ProcessFault):
    """Every process of the container gets a signal; the kubelet starts the container anew in the same pod."""

    signal: Signal = Signal.SIGKILL
    """SIGKILL ends them as the kernel does when memory runs out; the others leave it to the processes how to end."""


class Freeze(ProcessFault):
    """The container's processes stand still: they keep their connections and answer nothing."""


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


PROCESS_KINDS = {"containerKill": "container_kill", "freeze": "freeze"}
"""The kinds of process fault: as written in YAML, and as named in models."""
