"""How a task ends: why it did, its absolute end, and whether somebody said stop. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

REST_SECONDS = 0.02
"""The longest sleep: so soon a task notices that it has to stop."""


class EndReason(StrEnum):
    """Why a task ended."""

    PACKETS = "Packets"
    SECONDS = "Seconds"
    END = "End"
    TERMINATED = "Terminated"
    NO_GATE = "NoGate"


@dataclass(frozen=True, slots=True)
class AbsoluteEnd:
    """The absolute end of a task, however late it could start.

    It is kept on both clocks: a wall clock that is set back cannot make a task longer, and neither can a machine that
    slept, for which the monotonic clock stood still.

    Attributes:
        monotonic: monotonic seconds.
        wall: Unix seconds.
    """

    monotonic: float
    wall: float

    @classmethod
    def at(cls, end: float, *, monotonic: float, wall: float) -> AbsoluteEnd:
        """The end at these Unix seconds, by these readings of the two clocks."""
        return cls(monotonic + (end - wall), end)

    def past(self, monotonic: float, wall: float) -> bool:
        """Whether it has come, by either clock."""
        return monotonic >= self.monotonic or wall >= self.wall

    def seconds_left(self, monotonic: float) -> float:
        """How long a task may still last, by the monotonic clock."""
        return max(0.0, self.monotonic - monotonic)


@dataclass(slots=True)
class Stop:
    """Whether somebody said stop."""

    asked: bool = False
