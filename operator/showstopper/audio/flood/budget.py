"""The budget of a flood: packets, seconds and an absolute end, whichever comes first. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class EndReason(StrEnum):
    """Why a flood ended."""

    PACKETS = "Packets"
    SECONDS = "Seconds"
    END = "End"
    TERMINATED = "Terminated"
    NO_GATE = "NoGate"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a flood may use.

    The absolute end is kept on both clocks: a wall clock that is set back cannot make a flood longer, and neither can
    a machine that slept, for which the monotonic clock stood still.

    Attributes:
        packets: how many may be sent.
        until: monotonic seconds at which the time is up.
        end: the same for the absolute end.
        wall_end: the absolute end in Unix seconds.
    """

    packets: int
    until: float
    end: float
    wall_end: float

    @classmethod
    def begin(cls, *, packets: int, seconds: float, wall_end: float, monotonic: float, wall: float) -> Budget:
        """The budget of a flood that begins now, at these readings of the two clocks."""
        return cls(packets, monotonic + seconds, monotonic + (wall_end - wall), wall_end)

    def ending(self, sent: int, monotonic: float, wall: float) -> EndReason | None:
        """What is used up, if anything is."""
        if self.past(monotonic, wall):
            return EndReason.END
        if monotonic >= self.until:
            return EndReason.SECONDS
        return EndReason.PACKETS if sent >= self.packets else None

    def past(self, monotonic: float, wall: float) -> bool:
        """Whether the absolute end has come, by either clock."""
        return monotonic >= self.end or wall >= self.wall_end

    def started(self, seconds: float, monotonic: float) -> Budget:
        """The same packets and the same absolute end, but the seconds count from now."""
        return replace(self, until=monotonic + seconds)

    def left(self, sent: int) -> int:
        """How many packets may still be sent."""
        return max(0, self.packets - sent)

    def seconds_left(self, monotonic: float) -> float:
        """How long a flood may still wait for something."""
        return max(0.0, min(self.until, self.end) - monotonic)
