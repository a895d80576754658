"""Skewing: what a door shows instead of the true count. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from showstopper.audio.door.counts import Count


class Skew(StrEnum):
    """Ways in which a count is wrong, by their names in `countSkew`, whose model only faults load."""

    MULTIPLIED = "Multiplied"
    CUMULATIVE = "Cumulative"
    LEAVES_UNCOUNTED = "LeavesUncounted"
    IMPRESSIONS = "Impressions"


@dataclass(frozen=True, slots=True)
class SkewedCount:
    """One way, and what the true count was when it began."""

    way: Skew
    factor: int
    begun: Count

    def shown(self, true: Count) -> Count:
        """What is shown in the place of a true count."""
        match self.way:
            case Skew.MULTIPLIED:
                times = self.factor
                return replace(true, now=true.now * times, peak=true.peak * times, cumulative=true.cumulative * times)
            case Skew.CUMULATIVE:
                return _with_now(true, true.cumulative)
            case Skew.LEAVES_UNCOUNTED:
                return _with_now(true, self.begun.now + _since(true.cumulative, self.begun.cumulative))
            case Skew.IMPRESSIONS:
                return _with_now(true, true.now + _since(true.looks, self.begun.looks))


def _with_now(true: Count, now: int) -> Count:
    """With more listeners now than there are, and so, perhaps, than there ever were."""
    more = max(true.now, now)
    return replace(true, now=more, peak=max(true.peak, more), cumulative=max(true.cumulative, more))


def _since(now: int, before: int) -> int:
    """By how much something has grown. A room that was made anew meanwhile begins at zero."""
    return now - before if now >= before else now
