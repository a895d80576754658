"""The account of a crowd as its feed says it: what is new, in a size that does not grow with the crowd."""

from __future__ import annotations

import time
import uuid
from typing import Protocol

from showstopper.audio.crowd.account.settling import Change, Records, Settling, Totals
from showstopper.audio.settings import CrowdSettings
from showstopper.audio.spans import Ring

MOST_STALLS = 100
"""Told of our own process, the newest."""


class Instrument(Records, Protocol):
    """What a house also says of itself."""

    @property
    def present(self) -> int:
        """How many listeners have a session now."""

    @property
    def drops(self) -> int:
        """Datagrams that our own kernel dropped."""

    @property
    def clock_steps(self) -> int:
        """How often the wall clock stepped."""


class Account:
    """The account of one pod's crowd, from the moment on at which it is made."""

    def __init__(self, settings: CrowdSettings, house: Instrument, lag: float) -> None:
        """`lag` is in seconds: after that nothing new comes of a time."""
        self._settings = settings
        self._house = house
        self._boot = str(uuid.uuid4())
        self._ring = Ring[Change | Totals]()
        self._settling = Settling(house, lag, time.monotonic())

    def settle(self) -> None:
        """Settle what can be by now."""
        if (settled := self._settling.settle()) is not None:
            changes, totals = settled
            self._ring.add([*changes, totals], time.monotonic())

    def document(self, after: int) -> dict[str, object]:
        """What was settled after that number.

        Who reads from the beginning, or has missed something, is also told since when each listener is in its state.
        """
        page = self._ring.after(after)
        entries = [entry for _, entry in page.entries]
        afresh = after == 0 or page.lost > 0 or page.next < after
        sessions = self._settling.sessions
        return {
            "boot": self._boot,
            "room": self._settings.room.name,
            "pod": self._settings.pod,
            "clock": {"monotonic": time.monotonic(), "wall": time.time()},
            "size": self._house.size,
            "hidden": self._settings.hidden,
            "present": self._house.present,
            "settledUntil": round(self._settling.until, 6),
            "next": page.next,
            "lost": page.lost,
            "changes": [_change(entry) for entry in entries if isinstance(entry, Change)],
            "totals": [_totals(entry) for entry in entries if isinstance(entry, Totals)],
            "newest": [_change(change) for change in self._settling.newest if change is not None] if afresh else [],
            "refusals": dict(sessions.refused),
            "losses": dict(sessions.lost),
            "instrument": {
                "kernelDrops": self._house.drops,
                "clockSteps": self._house.clock_steps,
                "stalls": [[round(start, 6), round(end, 6)] for start, end in list(self._house.stalls)[-MOST_STALLS:]],
            },
        }


def _change(change: Change) -> dict[str, object]:
    return {"slot": change.slot, "at": round(change.at, 6), "state": change.state.value}


def _totals(totals: Totals) -> dict[str, object]:
    return {
        "from": round(totals.start, 6),
        "to": round(totals.end, 6),
        "seconds": {state.value: round(seconds, 6) for state, seconds in totals.seconds.items()},
        "untold": totals.untold,
    }
