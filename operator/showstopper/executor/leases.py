"""Leases: until when a fault may last, on this node's own monotonic clock, counted from when a renewal was seen."""

import time
from collections.abc import Callable

from showstopper.api.injection import LEASE_SECONDS
from showstopper.errors import LeaseLost

Now = Callable[[], float]


class Lease:
    """The time that is left to a fault.

    A lease that has run out stays so: the kernel has let go of the fault, and a late renewal must not bring it back
    behind the back of whoever saw it lifted.

    Attributes:
        until: monotonic seconds.
    """

    def __init__(self, until: float, now: Now = time.monotonic) -> None:
        self._now = now
        self.until = min(until, now() + LEASE_SECONDS)

    @property
    def lost(self) -> bool:
        """Whether it has run out."""
        return self.milliseconds == 0

    @property
    def milliseconds(self) -> int:
        """Milliseconds that are left, rounded down. Zero: it has run out."""
        return max(0, int((self.until - self._now()) * 1000))

    def renew(self, until: float) -> int:
        """Move its end, to later or to earlier. Returns the milliseconds that are left then.

        Raises:
            LeaseLost: when it has run out, or is asked to have run out.
        """
        if self.lost:
            raise LeaseLost("the lease ran out before it was renewed: the fault has lifted itself; arm it anew")
        self.until = min(until, self._now() + LEASE_SECONDS)
        if self.lost:
            raise LeaseLost("a renewal into the past: lift the fault instead")
        return self.milliseconds
