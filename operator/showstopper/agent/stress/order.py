"""What a stressor is told, as the one argument of its process, and how it says that it cannot go on."""

import json
from dataclasses import asdict, dataclass


class StressEnded(Exception):
    """The stressor ends before its time. The message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done to one container. Either workers are asked for, or memory.

    Attributes:
        until: monotonic seconds.
        container: a folder of the container's cgroup: it is over when none of its own processes is there any more.
        guests: folders of the cgroups that children work in.
        workers: of a CPU. 0 if it is memory that is taken.
        share: of its time for which each worker is busy.
        size: bytes to take. None: up to the goal.
        goal: bytes that the container is to use. None, and no size: all that there is.
    """

    until: float
    container: str
    guests: tuple[str, ...]
    workers: int = 0
    share: float = 1.0
    size: int | None = None
    goal: int | None = None

    def dump(self) -> str:
        """As an argument."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Order":
        """From an argument."""
        content = json.loads(text)
        return cls(**{**content, "guests": tuple(content["guests"])})
