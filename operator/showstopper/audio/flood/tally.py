"""The tally of a flood: what was sent, what failed, and what is said of it, each second and at the end."""

from __future__ import annotations

import errno
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from showstopper.audio.task.ending import EndReason


@dataclass(slots=True)
class Tally:
    """Counts of one flood.

    Attributes:
        began: monotonic seconds.
        sent: packets that the kernel took.
        failed: packets that it refused, by errno.
        told: packets sent when progress was last told, and when that was.
    """

    size: int
    began: float
    sent: int = 0
    failed: Counter[int] = field(default_factory=Counter)
    told: tuple[int, float] = (0, 0.0)

    def __post_init__(self) -> None:
        self.told = (0, self.began)

    @property
    def tried(self) -> int:
        """Packets that had their turn."""
        return self.sent + self.failed.total()

    def progress(self, now: float) -> dict[str, Any]:
        """A line of progress: counts from the beginning, the rate since the last line."""
        before, since = self.told
        self.told = (self.sent, now)
        return {"event": "flooding", **self._counts(now), "packets_per_second": _rate(self.sent - before, now - since)}

    def report(self, ending: EndReason, now: float) -> dict[str, Any]:
        """The last line: why it ended, and the rate from the beginning to the end."""
        rate = _rate(self.sent, now - self.began)
        return {"event": "flooded", "ended_by": ending, **self._counts(now), "packets_per_second": rate}

    def _counts(self, now: float) -> dict[str, Any]:
        return {
            "packets": self.sent,
            "bytes": self.sent * self.size,
            "seconds": round(now - self.began, 3),
            "errors": {errno.errorcode.get(code, str(code)): count for code, count in sorted(self.failed.items())},
        }


def _rate(packets: int, seconds: float) -> float:
    return round(packets / seconds, 1) if seconds > 0 else 0.0
