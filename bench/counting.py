"""What the SDK counts at the residents, over time: packets that came and that did not, and samples that it made up."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.listening import PORT
from bench.watching import Watch

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over residents since they first called, read at a moment (unix seconds)."""

    at: float
    lost: int
    received: int
    concealed: int
    played: int

    @property
    def lost_share(self) -> float | None:
        """Of the packets that were sent to them. None: not known, for more came twice than were lost.

        Who is sent a packet again counts it as received, and so as one less lost (RFC 3550, 6.4.1).
        """
        sent = self.lost + self.received
        return self.lost / sent if sent > 0 and self.lost >= 0 else None

    @property
    def concealed_share(self) -> float | None:
        """Of the samples that were played."""
        return self.concealed / self.played if self.played > 0 else None

    def since(self, earlier: Counts) -> Counts:
        """What came to it between two readings."""
        return Counts(
            self.at,
            self.lost - earlier.lost,
            self.received - earlier.received,
            self.concealed - earlier.concealed,
            self.played - earlier.played,
        )


class Counting(Watch):
    """Reads the feeds of some pods, by address, again and again while it is open (a context manager)."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__()
        self._addresses = list(addresses)
        self._readings: list[Counts] = []

    def watch(self) -> None:
        """Read until told to stop."""
        while not self.done.wait(POLL_SECONDS):
            at = time.time()
            with contextlib.suppress(OSError):  # a pod that is late is asked again
                self._readings.append(sums(at, [_ask(address) for address in self._addresses]))

    def between(self, start: float, end: float) -> Counts | None:
        """What was counted from just before one moment to just after another. None if it was not read there."""
        return between(self._readings, start, end)


def between(readings: Sequence[Counts], start: float, end: float) -> Counts | None:
    """What was counted from the last reading before `start` to the first after `end`."""
    before = [counts for counts in readings if counts.at <= start]
    after = [counts for counts in readings if counts.at >= end]
    return after[0].since(before[-1]) if before and after else None


def sums(at: float, documents: Sequence[Mapping[str, Any]]) -> Counts:
    """The sums over the residents of some feeds."""
    residents = [
        resident for document in documents for resident in document["listeners"] if resident["kind"] == "Resident"
    ]

    def total(name: str) -> int:
        return sum(int(resident.get(name) or 0) for resident in residents)

    return Counts(at, total("packetsLost"), total("packetsReceived"), total("concealedSamples"), total("totalSamples"))


def _ask(address: str) -> dict[str, Any]:
    # Nothing but the figures: no span has such a number.
    with urllib.request.urlopen(f"http://{address}:{PORT}/v1/spans?after={10**9}", timeout=5) as answer:
        document: dict[str, Any] = json.load(answer)
        return document
