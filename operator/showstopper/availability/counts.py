"""Counts: the public number of listeners as it was shown, sample by sample. Pure."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from showstopper.availability.spans import Window

STALE_SECONDS = 3.0
"""Samples are taken once a second. One speaks until the next, and no longer than this."""

KEPT_SECONDS = 3600.0
"""So long are samples kept, as listeners keep what they heard."""

LARGEST = 2**53 - 1
"""JSON has integers of any length. The largest that every program reads alike (RFC 8259, section 6)."""


@dataclass(frozen=True, slots=True)
class CountSample:
    """How many listeners were shown at an instant of the operator's clock."""

    at: float
    shown: int


class CountLog:
    """The samples of one room, in the order in which they were taken."""

    def __init__(self) -> None:
        self._samples: deque[CountSample] = deque()

    def add(self, at: float, shown: int) -> None:
        """Keep a sample. One that is older than the newest says nothing."""
        if self._samples and at <= self._samples[-1].at:
            return
        self._samples.append(CountSample(at, shown))
        while at - self._samples[0].at > KEPT_SECONDS:
            self._samples.popleft()

    def within(self, window: Window) -> tuple[CountSample, ...]:
        """Those that speak for some of a window."""
        samples = tuple(self._samples)
        first = bisect_left(samples, window.start - STALE_SECONDS, key=lambda sample: sample.at)
        last = bisect_right(samples, window.end, key=lambda sample: sample.at)
        return samples[first:last]


def parse_count(document: Any) -> int:
    """The number of listeners now, in what a door says of a room.

    Raises:
        ValueError: it says something else.
    """
    listeners = document.get("listeners") if isinstance(document, Mapping) else None
    now = listeners.get("now") if isinstance(listeners, Mapping) else None
    if isinstance(now, bool) or not isinstance(now, int) or not 0 <= now <= LARGEST:
        raise ValueError('the answer has no whole number at "listeners.now" that can be a count')
    return now
