"""The shape of a storm: how many join, and when each of them does. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from showstopper.audio.crowd.rules import Limits
from showstopper.errors import SettingsError
from showstopper.faults.storm import schedule
from showstopper.faults.storm.settings import Comeback, Depth

MOST_SECONDS = 600.0
"""Time from the first join to the last one."""

MOST_LISTEN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StormShape:
    """What is asked of a storm."""

    visitors: int
    rate: float | None = None
    """Joins a second. None: all at once."""

    ramp_seconds: float = 0.0
    """Time over which the rate grows from nothing, evenly."""

    depth: Depth = Depth.FULL
    """How far each visitor goes."""

    hidden: bool = False
    """Whether nobody in the room is told of them. A hidden storm is not an audience's."""

    listen_seconds: float = 5.0
    """How long visitors who are in may wait for their first packet after the last join has come to its end."""

    seconds: float | None = None
    """From the first join to the end, at which all leave. None: it ends when all who are in have had a packet."""

    comeback: Comeback | None = None
    """How all visitors are dropped at once, and come back. None: everybody tries once."""

    tries: int | None = None
    """No more joins than so many, with the first ones. Only of those who come back."""

    def __post_init__(self) -> None:
        """Raises SettingsError for a storm that could not be kept, or would not end."""
        if not 1 <= self.visitors <= self.most:
            raise SettingsError(f"a storm of {self.visitors} visitors; write 1 to {self.most}, and run several")
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise SettingsError(f"{self.rate} joins a second; write a number above 0, or none for all at once")
        if not 0 <= self.ramp_seconds <= MOST_SECONDS or (self.rate is None and self.ramp_seconds):
            raise SettingsError(f"a ramp of {self.ramp_seconds:g} s; write 0 to {MOST_SECONDS:g}, and a rate beside it")
        if not 0 <= self.listen_seconds <= MOST_LISTEN_SECONDS:
            raise SettingsError(f"{self.listen_seconds:g} s for the first packet; write 0 to {MOST_LISTEN_SECONDS:g}")
        if self.comes > MOST_SECONDS:
            raise SettingsError(
                f"the last visitor would come after {self.comes:.0f} s; raise the rate: {MOST_SECONDS:g} s is the most"
            )
        if self.seconds is not None and not self.comes <= self.seconds <= MOST_SECONDS:
            raise SettingsError(
                f"a storm of {self.seconds:g} s, whose last visitor comes after {self.comes:.0f} s; write more, and "
                f"{MOST_SECONDS:g} at the most"
            )
        if self.comeback is not None and not self._can_come_back(self.comeback):
            raise SettingsError(
                f"clients who are dropped after {self.comeback.drop:g} s; write a time after the last first join "
                f"({self.comes:.0f} s) and before the end, and tries of twice the clients or more"
            )

    @property
    def most(self) -> int:
        """How many visitors one process can have."""
        return schedule.MOST_JOINS if self.depth.joins else schedule.MOST_CONNECTIONS

    @property
    def full(self) -> bool:
        """Whether visitors take the sound."""
        return self.depth is Depth.FULL

    @property
    def comes(self) -> float:
        """Seconds from the first join to the last one."""
        return self.due(self.visitors - 1)

    def _can_come_back(self, comeback: Comeback) -> bool:
        in_time = self.seconds is not None and self.comes <= comeback.drop <= self.seconds
        return self.depth.joins and in_time and (self.tries or 0) >= 2 * self.visitors

    def due(self, number: int) -> float:
        """When visitor `number` (from 0) joins, in seconds from the first one."""
        return schedule.due(number, self.rate, self.ramp_seconds)

    def longest(self, limits: Limits) -> float:
        """Seconds after which a storm is over whatever the room does."""
        if self.seconds is not None:
            return self.seconds
        return self.comes + limits.signalling + limits.response + limits.media + self.listen_seconds
