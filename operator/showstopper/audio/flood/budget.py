"""The budget of a flood: packets, seconds and its absolute end, whichever comes first. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from showstopper.audio.task.ending import AbsoluteEnd, EndReason


@dataclass(frozen=True, slots=True)
class Budget:
    """What a flood may use.

    Attributes:
        packets: how many may be sent.
        until: monotonic seconds at which the time is up.
        end: when its task is over, however late it could start.
    """

    packets: int
    until: float
    end: AbsoluteEnd

    @classmethod
    def begin(cls, *, packets: int, seconds: float, end: AbsoluteEnd, monotonic: float) -> Budget:
        """The budget of a flood that begins now, at these monotonic seconds: waiting for a gate takes none of it."""
        return cls(packets, monotonic + seconds, end)

    def ending(self, sent: int, monotonic: float, wall: float) -> EndReason | None:
        """What is used up, if anything is."""
        if self.end.past(monotonic, wall):
            return EndReason.END
        if monotonic >= self.until:
            return EndReason.SECONDS
        return EndReason.PACKETS if sent >= self.packets else None

    def left(self, sent: int) -> int:
        """How many packets may still be sent."""
        return max(0, self.packets - sent)

    def seconds_left(self, monotonic: float) -> float:
        """How long a flood may still wait for something."""
        return min(max(0.0, self.until - monotonic), self.end.seconds_left(monotonic))
