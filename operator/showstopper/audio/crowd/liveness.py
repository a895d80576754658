"""Signs of life of all sessions: when each is to ping, and which have been silent for too long. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from showstopper.audio.crowd.packets import Ints
from showstopper.audio.crowd.refusals import Loss
from showstopper.audio.crowd.rules import FAILED_SECONDS
from showstopper.audio.pings import PING_SECONDS


class Liveness:
    """One row for each slot. Times are monotonic seconds, NaN without a session: it compares with nothing."""

    def __init__(self, slots: int) -> None:
        self._datagram_at = np.full(slots, np.nan)
        self._signal_at = np.full(slots, np.nan)
        self._ping_at = np.full(slots, np.nan)
        self._ping_timeout = np.full(slots, np.nan)

    @property
    def present(self) -> int:
        """How many sessions there are."""
        return int(np.count_nonzero(~np.isnan(self._signal_at)))

    def began(self, slot: int, now: float, ping_timeout: float) -> None:
        """A session began, or was resumed."""
        self._datagram_at[slot] = self._signal_at[slot] = now
        self._ping_at[slot] = now + PING_SECONDS
        self._ping_timeout[slot] = ping_timeout

    def ended(self, slot: int) -> None:
        """A session is over."""
        self._datagram_at[slot] = self._signal_at[slot] = self._ping_at[slot] = np.nan

    def datagrams(self, slots: Sequence[int] | Ints, now: float) -> None:
        """Something came over the transports of these."""
        chosen = np.asarray(slots, np.intp)
        self._datagram_at[chosen] = np.where(np.isnan(self._datagram_at[chosen]), np.nan, now)

    def signal(self, slot: int, now: float) -> None:
        """Something came over its signalling."""
        if not np.isnan(self._signal_at[slot]):
            self._signal_at[slot] = now

    def datagram_since(self, slot: int, at: float) -> bool:
        """Whether something came over its transport since then."""
        return bool(self._datagram_at[slot] > at)

    def stood_still(self, seconds: float) -> None:
        """Take no notice of the last seconds: our own process stood still for so long."""
        self._datagram_at += seconds
        self._signal_at += seconds

    def to_ping(self, now: float) -> list[int]:
        """The slots whose ping is due. It is taken as sent. Who missed some sends one, in the same phase."""
        due = np.nonzero(self._ping_at <= now)[0]
        missed = np.floor((now - self._ping_at[due]) / PING_SECONDS)
        self._ping_at[due] += (missed + 1) * PING_SECONDS
        return [int(slot) for slot in due]

    def lost(self, now: float) -> dict[int, Loss]:
        """The sessions that are lost by silence."""
        silent = np.nonzero(now - self._signal_at > self._ping_timeout)[0]
        failed = np.nonzero(now - self._datagram_at > FAILED_SECONDS)[0]
        losses = {int(slot): Loss.TRANSPORT_FAILED for slot in failed}
        return losses | {int(slot): Loss.PING_TIMEOUT for slot in silent}
