"""The feed of a crowd as a document: what is new, in a size that does not grow with the crowd."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from showstopper.audio.crowd.feed.settling import Change, Records, Settling, Totals
from showstopper.audio.settings import CrowdSettings
from showstopper.audio.spans import Ring
from showstopper.availability.feed import Arrival
from showstopper.availability.spans import Kind

MOST_FAILURES = 100
"""Told of our own process, the newest."""

BATCH = 500
"""Entries that are encoded at a time, in some milliseconds: an hour of them at once would hold up the sweeps."""


class Instrument(Records, Protocol):
    """What the process also says of itself."""

    @property
    def present(self) -> int:
        """How many listeners have a session now."""

    @property
    def drops(self) -> int:
        """Datagrams that our own kernel dropped."""

    @property
    def dropped(self) -> deque[tuple[float, int]]:
        """When it did, and how many."""

    @property
    def clock_steps(self) -> int:
        """How often the wall clock stepped."""

    @property
    def latest_sweep_seconds(self) -> float:
        """The longest time between two sweeps."""

    @property
    def unopened(self) -> int:
        """Packets that could not be opened."""

    @property
    def doubts(self) -> int:
        """How often samples would have told what was not so."""


class CrowdFeed:
    """The feed of one pod's crowd, from the moment on at which it is made."""

    def __init__(self, settings: CrowdSettings, swept: Instrument, lag: float) -> None:
        """`lag` is in seconds: after that nothing new comes of a time."""
        self._settings = settings
        self._swept = swept
        self._boot = str(uuid.uuid4())
        self._ring = Ring[Change | Totals | Arrival]()
        self._settling = Settling(swept, lag, time.monotonic())

    def settle(self) -> None:
        """Settle what can be by now."""
        if (settled := self._settling.settle()) is not None:
            changes, totals = settled
            over, self._settling.over = self._settling.over, []
            self._ring.add([*changes, *over, totals], time.monotonic())

    async def encoded(self, after: int) -> bytes:
        """What was settled after that number, as JSON. It is of one moment, and encoded bit by bit.

        Who reads from the beginning, or has missed something, is also told since when each listener is in its state.
        Of newcomers everybody is told whose visits go on, as far as they have.
        """
        page = self._ring.after(after)
        afresh = after == 0 or page.lost > 0 or page.next < after
        fields = {name: json.dumps(value) for name, value in self._summary().items()}
        fields |= {"next": json.dumps(page.next), "lost": json.dumps(page.lost)}
        entries = [entry for _, entry in page.entries]
        newest = [change for change in self._settling.newest if change is not None] if afresh else []
        under_way = self._settling.under_way
        fields["changes"] = await _encoded([entry for entry in entries if isinstance(entry, Change)])
        fields["totals"] = await _encoded([entry for entry in entries if isinstance(entry, Totals)])
        fields["newest"] = await _encoded(newest)
        visits = [*(entry for entry in entries if isinstance(entry, Arrival)), *under_way]
        fields["arrivals"] = await _encoded(visits)
        return f"{{{', '.join(f'{json.dumps(name)}: {value}' for name, value in fields.items())}}}".encode()

    def _summary(self) -> dict[str, object]:
        """What is told of now, whoever asks."""
        sessions = self._settling.sessions
        return {
            "boot": self._boot,
            "room": self._settings.room.name,
            "pod": self._settings.pod,
            "clock": {"monotonic": time.monotonic(), "wall": time.time()},
            "size": self._swept.size,
            "hidden": self._settings.hidden,
            "present": self._swept.present,
            "settledUntil": round(self._settling.until, 6),
            "refusals": dict(sessions.refused),
            "losses": dict(sessions.lost),
            "instrument": {
                "kernelDrops": self._swept.drops,
                "drops": [
                    {"at": round(at, 6), "packets": packets}
                    for at, packets in list(self._swept.dropped)[-MOST_FAILURES:]
                ],
                "clockSteps": self._swept.clock_steps,
                "latestSweepSeconds": round(self._swept.latest_sweep_seconds, 6),
                "stalls": [
                    {"from": round(start, 6), "to": round(end, 6)}
                    for start, end in list(self._swept.stalls)[-MOST_FAILURES:]
                ],
                "unopened": self._swept.unopened,
                "doubts": self._swept.doubts,
            },
        }


async def _encoded(entries: Sequence[Change | Totals | Arrival]) -> str:
    """A list of them as JSON. Others have their turn in between."""
    encodings = list[str]()
    for first in range(0, len(entries), BATCH):
        encodings += [json.dumps(_document(entry)) for entry in entries[first : first + BATCH]]
        await asyncio.sleep(0)
    return f"[{', '.join(encodings)}]"


def _document(entry: Change | Totals | Arrival) -> dict[str, object]:
    if isinstance(entry, Change):
        return {"slot": entry.slot, "at": round(entry.at, 6), "state": entry.state.value}
    if isinstance(entry, Arrival):
        return _visit(entry)
    return {
        "from": round(entry.start, 6),
        "to": round(entry.end, 6),
        "seconds": {state.value: round(seconds, 6) for state, seconds in entry.seconds.items()},
        "untold": entry.untold,
    }


def _visit(arrival: Arrival) -> dict[str, object]:
    """A newcomer as the fleet's feed says it, and how far it was seen, and is sure."""

    def rounded(at: float | None) -> float | None:
        return None if at is None else round(at, 6)

    return {
        "listener": arrival.listener,
        "kind": Kind.ARRIVAL.value,
        "calledAt": rounded(arrival.called),
        "joinedAt": rounded(arrival.joined),
        "firstAudioAt": rounded(arrival.first_audio),
        "firstLiveAt": rounded(arrival.first_live),
        "leftAt": rounded(arrival.left),
        "error": arrival.error,
        "seenUntil": rounded(arrival.seen_until),
        "sureUntil": rounded(arrival.sure_until),
    }
