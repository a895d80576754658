"""Statistics: what one listener's transport and player counted, in short rows beside its spans."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

PACKETS_PER_SECOND = 50.0
"""Opus packets of WebRTC clients hold 20 ms."""

SAMPLES_PER_SECOND = 48_000.0
"""The rate in which the SDK's statistics count samples, whatever the codec's is."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was counted in [start, end), in seconds of the pod's clock (in a feed) or the operator's.

    Attributes:
        listener: who listened.
        start: the row's first instant.
        end: the instant after its last.
        received: RTP packets that came.
        lost: RTP packets that did not come, by their sequence numbers. Below zero where packets that were lost in an
            earlier row came late (RFC 3550, section 6.4.1).
        concealed: samples that the player made up, but for those that it made up as silence.
        samples: all samples that the player gave out, those that it made up included.
        jitter: interarrival jitter in seconds at the row's end (RFC 3550, section 6.4.1). None if no packet came.
        delay: mean mouth-to-ear delay of its live sound in seconds, by the wall clocks of host and listener. None:
            there was no live sound with a time code.
        ahead: by how many seconds the listener's wall clock is ahead of the operator's.
        unsure: how wrong that may be, in seconds.

    """

    listener: str
    start: float
    end: float
    received: float = 0.0
    lost: float = 0.0
    concealed: float = 0.0
    samples: float = 0.0
    jitter: float | None = None
    delay: float | None = None
    ahead: float = 0.0
    unsure: float = 0.0

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start

    @property
    def expected(self) -> float:
        """RTP packets that should have come."""
        return self.received + self.lost

    def placed(self, by: float, ahead: float, unsure: float) -> "Statistics":
        """The same on a clock that is `by` seconds ahead. A delay by a wall clock that was never read is not known."""
        known = not math.isnan(ahead)
        return Statistics(
            listener=self.listener,
            start=self.start + by,
            end=self.end + by,
            received=self.received,
            lost=self.lost,
            concealed=self.concealed,
            samples=self.samples,
            jitter=self.jitter,
            delay=self.delay if known else None,
            ahead=ahead if known else 0.0,
            unsure=unsure if known else 0.0,
        )

    def clipped(self, start: float, end: float) -> "Statistics | None":
        """The part inside [start, end), with its part of every count, or None if there is none."""
        if self.start >= start and self.end <= end:
            return self if self.end > self.start else None
        first, last = max(self.start, start), min(self.end, end)
        if last <= first:
            return None
        part = (last - first) / self.seconds
        return replace(
            self,
            start=first,
            end=last,
            received=self.received * part,
            lost=self.lost * part,
            concealed=self.concealed * part,
            samples=self.samples * part,
        )


class StatisticsLog:
    """The closed rows of one listener, by their time, in 40 bytes each: an hour of a thousand listeners is 72 MB."""

    _FIELDS = 6

    def __init__(self, listener: str) -> None:
        self._listener = listener
        self._starts = array("d")
        self._ends = array("d")
        self._figures = array("f")  # _FIELDS a row; NaN stands for None

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def end(self) -> float:
        """The end of the last row. Minus infinity before the first."""
        return self._ends[-1] if self._ends else -math.inf

    def add(self, row: Statistics) -> None:
        """Take in a row. One that overlaps another is one that is known already."""
        index = bisect_left(self._starts, row.start)
        if (index < len(self) and self._starts[index] < row.end) or (index and self._ends[index - 1] > row.start):
            return
        self._starts.insert(index, row.start)
        self._ends.insert(index, row.end)
        figures = (row.received, row.lost, row.concealed, row.samples, _or_nan(row.jitter), _or_nan(row.delay))
        place = index * self._FIELDS
        self._figures[place:place] = array("f", figures)

    def between(self, start: float, end: float) -> Iterator[Statistics]:
        """The rows that touch [start, end), in order."""
        for index in range(bisect_right(self._ends, start), bisect_left(self._starts, end)):
            place = index * self._FIELDS
            received, lost, concealed, samples, jitter, delay = self._figures[place : place + self._FIELDS]
            yield Statistics(
                listener=self._listener,
                start=self._starts[index],
                end=self._ends[index],
                received=received,
                lost=lost,
                concealed=concealed,
                samples=samples,
                jitter=_or_none(jitter),
                delay=_or_none(delay),
            )

    def forget(self, before: float) -> None:
        """Drop the rows that ended before that instant."""
        gone = bisect_right(self._ends, before)
        del self._starts[:gone], self._ends[:gone], self._figures[: gone * self._FIELDS]


def _or_nan(figure: float | None) -> float:
    return math.nan if figure is None else figure


def _or_none(figure: float) -> float | None:
    return None if math.isnan(figure) else figure
