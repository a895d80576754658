"""The desk: what a door answers to whom, and what a fault has it answer instead."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field

from showstopper.audio.door.counts import Count
from showstopper.audio.door.skewing import Skew, SkewedCount


@dataclass
class Unavailable:
    """The door says that the room is not available, until a monotonic time.

    Attributes:
        share: of the people who ask, by their identities: who is turned away once is turned away again.
        wait: seconds after which it says so.
        asked: how often somebody has asked for a token meanwhile.
        answered: how often somebody was turned away.
    """

    share: float
    wait: float
    until: float
    asked: int = 0
    answered: int = 0
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def turns_away(self, identity: str) -> bool:
        """Whether somebody who asks now is turned away. Who waits for that when it ends is let in."""
        if not self.lasts:
            return False
        self.asked += 1
        if _lot(identity) >= self.share:
            return False
        try:
            async with asyncio.timeout(self.wait):
                await self._over.wait()
        except TimeoutError:
            pass
        if not self.lasts:
            return False
        self.answered += 1
        return True

    @property
    def lasts(self) -> bool:
        """Whether it is not over yet."""
        return not self._over.is_set() and time.monotonic() < self.until

    def end(self) -> None:
        """It is over now."""
        self._over.set()


@dataclass
class Miscounting:
    """The door shows another count than the true one, until a monotonic time.

    Attributes:
        asked: how often somebody has asked for the count meanwhile.
        answered: how often what was shown was not the truth.
    """

    way: Skew
    factor: int
    until: float
    asked: int = 0
    answered: int = 0
    _skewing: dict[str, SkewedCount] = field(default_factory=dict)

    def shown(self, room: str, true: Count) -> Count:
        """What is shown of a room. The true count of the first time is where it begins."""
        if time.monotonic() >= self.until:
            return true
        self.asked += 1
        shown = self._skewing.setdefault(room, SkewedCount(self.way, self.factor, true)).shown(true)
        self.answered += (shown.now, shown.peak, shown.cumulative) != (true.now, true.peak, true.cumulative)
        return shown


@dataclass
class Desk:
    """What faults have the door do now."""

    unavailable: Unavailable | None = None
    miscounting: Miscounting | None = None
    draining: bool = False

    def shown(self, room: str, true: Count) -> Count:
        """What the door shows of a room in the place of the true count."""
        return true if self.miscounting is None else self.miscounting.shown(room, true)

    async def turns_away(self, identity: str) -> bool:
        """Whether a fault turns somebody away who asks now."""
        return self.unavailable is not None and await self.unavailable.turns_away(identity)


def _lot(identity: str) -> float:
    """A number from 0 to 1 that is always the same for an identity, at all replicas of a door."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") / 2**64
