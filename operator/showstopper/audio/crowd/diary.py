"""What happened to the listeners of a crowd: when each came, went and came back, and why not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from showstopper.audio.crowd.refusals import Loss


class Event(StrEnum):
    """What happened."""

    JOINED = "Joined"
    RESUMED = "Resumed"
    REFUSED = "Refused"
    """A join, or the try to resume, failed. `reason` is a Refusal."""

    LOST = "SessionLoss"
    """`reason` is a Loss."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of one listener, at monotonic time `at`."""

    at: float
    slot: int
    event: Event
    reason: str = ""
    message: str = ""


@dataclass(slots=True)
class Marks:
    """When a join reached its steps, in monotonic seconds. NaN for those that it did not."""

    called: float = math.nan
    upgraded: float = math.nan
    joined: float = math.nan
    connected: float = math.nan
    secured: float = math.nan


@dataclass(frozen=True, slots=True)
class SessionLoss:
    """How a session was lost."""

    reason: Loss
    message: str = ""


@dataclass(slots=True, eq=False)
class Visit:
    """A newcomer's, from its call to its leaving. Times are monotonic seconds. None for what has not happened.

    Attributes:
        listener: its name.
        slot: where its media is swept.
        called: when it began to join.
        joined: when media could flow.
        left: when it left, was refused, or lost its session.
        ended: why it was refused or lost its session, a Refusal or a Loss. Empty: it did not, or not yet.
        error: why it was refused, in words.
    """

    listener: str
    slot: int
    called: float
    joined: float | None = None
    left: float | None = None
    ended: str = ""
    error: str = ""
