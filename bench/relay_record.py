"""A relay's own record, from its log: what it sent to each listener (bench/crowd.py), and who joined (bench/storm.py).

LiveKit logs what it sent at level debug when a track to a listener is closed ("rtp stats", pkg/sfu/downtrack.go). The
counter of its metrics would not do: it counts the blank frames at the end of a track, which are never sent.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 20.0
SETTLED_SECONDS = 1.0
ACTIVE = "participant active"
"""Who has a connection for media (level info, pkg/rtc/room.go)."""
STARTED = "starting RTC session"
"""Whose signalling was taken (level info, pkg/service/roommanager.go)."""
_LISTENER = re.compile(r'"participant": "([^"]+)"')
_SENT = re.compile(r'"packetsSeenPrimary": (\d+)')


@dataclass(frozen=True, slots=True)
class Compared:
    """The relay's record beside our own."""

    recorded: int
    """Listeners whom the relay's record has."""

    missed: int
    """Listeners who counted fewer packets than were sent to them, or of whom there is no record."""

    packets_missed: int


def sent(lines: Iterable[str]) -> dict[str, int]:
    """Packets that were sent to each listener, by identity, in all sessions that have ended."""
    packets: dict[str, int] = {}
    for line in lines:
        if "rtp stats" not in line or '"downstream"' not in line:
            continue
        listener, count = _LISTENER.search(line), _SENT.search(line)
        if listener and count:
            packets[listener[1]] = packets.get(listener[1], 0) + int(count[1])
    return packets


def compare(sent: Mapping[str, int], received: Mapping[str, int]) -> Compared:
    """Both by identity. `received` has everybody who should be in the record."""
    recorded = [name for name in received if name in sent]
    missed = [name for name in recorded if received[name] < sent[name]]
    packets = sum(sent[name] - received[name] for name in missed)
    return Compared(len(recorded), len(missed) + len(received) - len(recorded), packets)


def read(log: Path, received: Mapping[str, int]) -> Compared:
    """Compare with the log of a relay whose listeners have left. Waits until it has everybody, for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with log.open(errors="replace") as lines:  # some 30 MB for a thousand listeners
            compared = compare(sent(lines), received)
        if compared.recorded == len(received) or time.monotonic() > deadline:
            return compared
        time.sleep(1.0)


def joined(lines: Iterable[str], what: str, prefix: str) -> set[str]:
    """Identities with that prefix of whom the relay says that they joined: ACTIVE or STARTED."""
    matches = (_LISTENER.search(line) for line in lines if f"\t{what}\t" in line)
    return {match[1] for match in matches if match and match[1].startswith(prefix)}


def who_joined(log: Path, what: str, prefix: str) -> set[str]:
    """The same of a relay's log, once it says nothing new of them."""
    known: set[str] = set()
    while True:
        time.sleep(SETTLED_SECONDS)
        with log.open(errors="replace") as lines:
            newest = joined(lines, what, prefix)
        if newest == known:
            return newest
        known = newest
