"""When a sample was played: samples are counted, and arrivals in our process only say where the count began."""

from __future__ import annotations

from collections import deque

BUCKET_SECONDS = 1.0
BUCKETS = 5
"""The envelope looks this many buckets back, so that it follows a player that lost samples within five seconds."""


class SampleClock:
    """Maps positions in a stream of samples to monotonic time.

    A frame can only arrive late, never early: the least difference between arrival and position is the truth, and how
    late a busy process takes each frame out of its queue does not matter.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._least: deque[tuple[float, float]] = deque(maxlen=BUCKETS)
        self._stale = False

    def arrived(self, end: int, at: float) -> None:
        """A frame that ends before position `end` arrived at monotonic time `at`."""
        began = at - end / self._rate
        if self._stale:
            self._least.clear()
            self._stale = False
        if not self._least or at - self._least[-1][0] >= BUCKET_SECONDS:
            self._least.append((at, began))
        elif began < self._least[-1][1]:
            self._least[-1] = (self._least[-1][0], began)

    @property
    def started(self) -> bool:
        """Whether a frame has arrived."""
        return bool(self._least)

    def restart(self) -> None:
        """Trust only frames from now on: in a stall of the whole process the player may have lost samples."""
        self._stale = True

    def time_of(self, position: int) -> float:
        """The monotonic time at which that sample was played. A frame must have arrived."""
        return min(began for _, began in self._least) + position / self._rate
