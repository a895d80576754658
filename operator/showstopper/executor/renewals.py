"""Renewals: until when each run's Lease holds, on this node's own monotonic clock. Pure: told what was seen, and when.

A renewal counts from the moment in which it is seen, and only a new `renewTime` is one. The first that is seen as it
happens shows how far the holder's clock is from ours, the delay of its way included. A later one that came late (over
a connection that hung) is worth only what is left of it. What was merely listed may be of any age: it extends nothing
until the holder's clock is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from showstopper.api.injection import LEASE_SECONDS
from showstopper.clock import from_timestamp
from showstopper.cluster.watch import Key


@dataclass(slots=True)
class Renewal:
    """The newest renewal of a Lease.

    Attributes:
        holder: whose clock its times are of.
        renewed: the newest renewTime, in seconds of that clock.
        offset: our monotonic clock minus the holder's, by its quickest renewal. None: not known yet.
    """

    holder: str
    renewed: float
    offset: float | None = None

    @property
    def until(self) -> float | None:
        """Monotonic seconds. None: nothing is known to hold."""
        return None if self.offset is None else self.renewed + self.offset + LEASE_SECONDS


class Renewals:
    """All Leases of runs, by namespace and name."""

    def __init__(self) -> None:
        self._found: dict[Key, Renewal] = {}

    def until(self, key: Key) -> float | None:
        """Until when a Lease holds, in monotonic seconds. None: it does not exist, or nobody was seen to renew it."""
        renewal = self._found.get(key)
        return renewal.until if renewal else None

    def see(self, key: Key, spec: Mapping[str, Any], now: float, *, fresh: bool) -> bool:
        """Take a Lease as it is now. Returns whether that moved its end.

        Args:
            key: namespace and name.
            spec: of the Lease.
            now: monotonic seconds.
            fresh: it was seen to change just now. Else it was listed.
        """
        try:
            renewed = from_timestamp(spec["renewTime"])
        except (KeyError, TypeError, ValueError):
            return False
        holder = str(spec.get("holderIdentity") or "")
        known = self._found.get(key)
        if known is None or known.holder != holder:
            # Another holder has another clock. What a former one's renewals were worth, they stay worth.
            made = Renewal(holder, renewed, now - renewed if fresh else None)
            if made.until is None and known is not None and known.until is not None:
                return False
            self._found[key] = made
            return fresh
        if renewed <= known.renewed:
            return False
        known.renewed = renewed
        if known.offset is not None:
            known.offset = min(known.offset, now - renewed)
        elif fresh:
            known.offset = now - renewed
        return known.until is not None

    def forget(self, key: Key) -> None:
        """The Lease is gone: nothing holds any more."""
        self._found.pop(key, None)
