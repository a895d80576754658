"""Busy workers: each takes a share of a CPU, as far as it gets it."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from showstopper.agent.kernel.guests import GuestCgroups
from showstopper.agent.stress.children import employ
from showstopper.agent.stress.order import StressEnded

TICK_SECONDS = 0.2
"""How often they are looked after."""
PERIOD_SECONDS = 0.02
"""A worker is busy in each of these for its share. A fifth of a quota's period, so that neither hides the other."""
_ROUNDS = 2000
"""Between two looks at the clock: some tens of microseconds."""


@dataclass(frozen=True, slots=True)
class Busy:
    """So many workers.

    Attributes:
        share: of its time for which each is busy.
    """

    guests: GuestCgroups
    workers: int
    share: float

    @property
    def tick(self) -> float:
        """Seconds between two looks after them."""
        return TICK_SECONDS

    @property
    def is_over(self) -> bool:
        """Never: they are busy until somebody ends them."""
        return False

    @property
    def figures(self) -> Mapping[str, int]:
        """None: their cgroup has them."""
        return {}

    def begin(self) -> None:
        """Start them.

        Raises:
            OSError: they may not be moved to the guests' cgroups.
        """
        for _ in range(self.workers):
            employ(self.guests, partial(_work, self.share))

    def tend(self) -> None:
        """Look after them.

        Raises:
            StressEnded: one of them has ended.
        """
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid:
            raise StressEnded("a busy worker was ended by somebody else")


def _work(share: float) -> None:
    """For ever. Who got no CPU in a period does not catch up in the next."""
    while True:
        began, spent = time.monotonic(), time.process_time()
        while time.process_time() - spent < share * PERIOD_SECONDS:
            for _ in range(_ROUNDS):
                pass
        if share < 1:
            time.sleep(max(0.0, began + PERIOD_SECONDS - time.monotonic()))
