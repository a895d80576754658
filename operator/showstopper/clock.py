"""Clocks: wall time that follows the steps of its host, for ordering and stamps, and its RFC 3339 form."""

import time
from datetime import UTC, datetime

STEP_SECONDS = 0.1
"""From this on a difference of wall and monotonic clock is a step. NTP slews both alike, so that less is reading."""

READING_SECONDS = 0.005
"""A reading of both clocks that took longer says nothing: the process was interrupted in it."""


class Clock:
    """Unix seconds: the monotonic clock, put right whenever the wall clock has stepped.

    An NTP step right after a machine's start, a person's `date -s`, and the sleep of a virtual machine are steps.

    Attributes:
        steps: how often it was put right. What was measured across a step is in no order.
    """

    def __init__(self) -> None:
        self.steps = 0
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Unix seconds now."""
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        offset = wall - (before + after) / 2
        if after - before < READING_SECONDS and abs(offset - self._offset) > STEP_SECONDS:
            self._offset = offset
            self.steps += 1
        return after + self._offset

    def steady(self) -> "Clock":
        """A clock that shows the same now and follows no step: what it stamps keeps its distances."""
        return _SteadyClock(self.now() - time.monotonic())


class _SteadyClock(Clock):
    def __init__(self, offset: float) -> None:
        self.steps = 0
        self._offset = offset

    def now(self) -> float:
        return time.monotonic() + self._offset


def to_timestamp(seconds: float) -> str:
    """RFC 3339 with microseconds, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_timestamp(text: str) -> float:
    """Unix seconds of an RFC 3339 text, with or without fractions."""
    return datetime.fromisoformat(text).timestamp()
