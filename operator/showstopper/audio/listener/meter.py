"""The meter of one listener: its counters, polled now and then, become rows of two seconds beside its spans."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from showstopper.audio.media import Poll
from showstopper.availability.statistics import Statistics

ROW_SECONDS = 2.0
"""Short enough to tell a fault from the time before it, long enough that an hour of twenty listeners is one answer."""

Delay = Callable[[float, float], float | None]
"""The mean mouth-to-ear delay of the live sound in [start, end)."""


class Meter:
    """Rows without hole or overlap, from the listener's first call on. Counters between two polls are interpolated."""

    def __init__(self, listener: str, began: float) -> None:
        self._listener = listener
        self._closed_until = began
        self._polls = [Poll("", began)]

    def polled(self, at: float, totals: Poll) -> None:
        """Take the counters since the listener's first call, as they were at monotonic time `at`."""
        if at > self._polls[-1].at:
            self._polls.append(replace(totals, at=at))

    def close(self, until: float, delay: Delay) -> list[Statistics]:
        """The whole rows that ended before `until`. What is closed is never changed."""
        known, rows = min(until, self._polls[-1].at), []
        while self._closed_until + ROW_SECONDS <= known:
            rows.append(self._row(self._closed_until + ROW_SECONDS, delay))
            self._closed_until += ROW_SECONDS
        first = max(0, self._index(self._closed_until) - 1)
        del self._polls[:first]
        return rows

    def open(self, until: float, delay: Delay) -> Statistics | None:
        """The row that goes on, as far as it is known and not beyond `until`."""
        end = min(until, self._polls[-1].at)
        return self._row(end, delay) if end > self._closed_until else None

    def _row(self, end: float, delay: Delay) -> Statistics:
        start = self._closed_until
        before, after = self._counters(start), self._counters(end)
        received = after.received - before.received
        return Statistics(
            self._listener,
            start,
            end,
            received=received,
            lost=after.lost - before.lost,
            concealed=max(0, after.concealed - before.concealed),
            samples=after.total - before.total,
            jitter=after.jitter if received > 0 else None,
            delay=delay(start, end),
        )

    def _index(self, at: float) -> int:
        """The first poll that was not before that instant."""
        return bisect_left(self._polls, at, key=lambda poll: poll.at)

    def _counters(self, at: float) -> Poll:
        """The counters at an instant that lies between two polls."""
        index = self._index(at)
        following = self._polls[index]
        before = self._polls[max(0, index - 1)]
        part = (at - before.at) / (following.at - before.at) if following.at > before.at else 1.0

        def between(first: int, last: int) -> int:
            return first + round((last - first) * part)

        return Poll(
            source="",
            at=at,
            received=between(before.received, following.received),
            lost=between(before.lost, following.lost),
            concealed=between(before.concealed, following.concealed),
            total=between(before.total, following.total),
            jitter=following.jitter,
        )
