"""The flood itself: send what is due, until the budget is spent or somebody says stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from showstopper.audio.flood.budget import Budget
from showstopper.audio.flood.pace import Pace
from showstopper.audio.flood.tally import Tally
from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import REST_SECONDS, EndReason, Stop

REFUSED_SECONDS = 0.001
"""The wait after the kernel refused a batch: there is no use in asking it as fast as possible."""
TELL_SECONDS = 1.0


class Sends(Protocol):
    """What takes packets: `Sender`, or a test."""

    @property
    def most(self) -> int:
        """The largest batch."""

    def send(self, count: int) -> int:
        """Send at most `count` packets. Returns how many left. Raises OSError when they were refused."""


def flood(
    sender: Sends,
    *,
    budget: Budget,
    pace: Pace,
    tally: Tally,
    stop: Stop,
    tell: Callable[[Mapping[str, Any]], None],
    clocks: Clocks,
) -> EndReason:
    """Send until something ends it. The bounds are looked at before every batch, so one batch is the most too late."""
    while True:
        now = clocks.monotonic()
        ending = EndReason.TERMINATED if stop.asked else budget.ending(tally.sent, now, clocks.wall())
        if ending is not None:
            return ending
        if now - tally.told[1] >= TELL_SECONDS:
            tell(tally.progress(now))
        pace = pace.caught_up(now, tally.tried)
        count = min(pace.due(now, tally.tried, sender.most), budget.left(tally.sent))
        if count <= 0:
            clocks.sleep(min(pace.rest(now, tally.tried), REST_SECONDS, budget.seconds_left(now)))
            continue
        try:
            tally.sent += sender.send(count)
        except OSError as error:
            # What was refused is counted by its reason, and not sent again: it would come in a burst.
            tally.failed[error.errno or 0] += count
            clocks.sleep(REFUSED_SECONDS)
