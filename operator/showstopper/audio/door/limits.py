"""Limits: how often one client may ask. A token bucket for each address."""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_CLIENTS = 10_000
"""Buckets that are kept. Where more clients ask, those that have not asked for longest begin afresh."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimit:
    """So many requests a second for each client, and so many at once."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._buckets: dict[str, _Bucket] = {}

    def take(self, client: str, now: float) -> int:
        """Take one request.

        Args:
            client: its address.
            now: monotonic seconds.

        Returns:
            Zero if it may ask, else after how many whole seconds it may: the value of `Retry-After`.
        """
        bucket = self._buckets.pop(client, None) or _Bucket(self._burst, now)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        self._buckets[client] = bucket  # the newest is last
        if len(self._buckets) > MOST_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        if bucket.left < 1:
            return max(1, math.ceil((1 - bucket.left) / self._per_second))
        bucket.left -= 1
        return 0
