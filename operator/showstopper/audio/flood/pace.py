"""The pace of a flood: which packet is due when, on an absolute schedule, so that no lateness adds up. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

TICK_SECONDS = 0.002
"""Packets are sent in batches this far apart, or further if none is due: it keeps 100,000 a second at an eighth of a
core."""
MOST_BEHIND_SECONDS = 1.0
"""A flood that was held up catches up with so much of its schedule. The rest is dropped: no burst after a long stop."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A schedule: packet number n, from 0, is due at `began` + n / `rate`.

    Attributes:
        rate: packets a second. None: all packets are due at once.
        began: monotonic seconds.
    """

    rate: float | None
    began: float

    def due(self, now: float, tried: int, most: int) -> int:
        """How many packets, at most `most`, should leave now when `tried` have been tried."""
        if self.rate is None:
            return most
        return min(most, math.floor((now - self.began) * self.rate) + 1 - tried)

    def rest(self, now: float, tried: int) -> float:
        """Seconds to wait when nothing is due."""
        return 0.0 if self.rate is None else max(TICK_SECONDS, self.began + tried / self.rate - now)

    def caught_up(self, now: float, tried: int) -> Pace:
        """The schedule to go on with: this one, or, when it is too far behind, one moved so far that it is not."""
        if self.rate is None:
            return self
        behind = now - self.began - tried / self.rate
        return self if behind <= MOST_BEHIND_SECONDS else replace(self, began=self.began + behind - MOST_BEHIND_SECONDS)
