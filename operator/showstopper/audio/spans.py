"""The ring of an hour: what has ended, numbered, for whoever comes to read it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.statistics import Statistics

HOUR = 3600.0
MOST = 100_000
"""Entries at most, whatever their age: about 40 MB."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A finished arrival: when it called, joined, heard the first sound and the live host, and left (None: never)."""

    listener: str
    called: float
    joined: float | None
    first_audio: float | None
    first_live: float | None
    left: float
    error: str


Entry = Span | Visit | Statistics
"""What a listener pod's ring holds."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What follows a sequence number: numbered entries, the number to ask with next, and how many were dropped."""

    entries: tuple[tuple[int, T], ...]
    next: int
    lost: int


class Ring(Generic[T]):
    """Entries in one numbering, from 1. The oldest are dropped after an hour."""

    def __init__(self, keep_seconds: float = HOUR, most: int = MOST) -> None:
        self._keep_seconds = keep_seconds
        self._most = most
        self._entries: deque[tuple[float, T]] = deque()
        self._dropped = 0

    @property
    def newest(self) -> int:
        """The highest number so far. 0 before the first."""
        return self._dropped + len(self._entries)

    def add(self, entries: Iterable[T], now: float) -> None:
        """Append what has ended, and drop what is too old."""
        self._entries.extend((now, entry) for entry in entries)
        while self._entries and (len(self._entries) > self._most or now - self._entries[0][0] > self._keep_seconds):
            self._entries.popleft()
            self._dropped += 1

    def after(self, number: int, most: int | None = None) -> Page[T]:
        """The entries after that number. A number that is higher than ours, of another process's ring, reads all.

        Args:
            number: the last one that is known.
            most: how many at the most. None: all.
        """
        known = number if 0 <= number <= self.newest else 0
        first = max(known, self._dropped)
        skipped = first - self._dropped
        entries = islice(self._entries, skipped, None if most is None else skipped + most)
        numbered = tuple((first + index, entry) for index, (_, entry) in enumerate(entries, start=1))
        return Page(numbered, first + len(numbered), first - known)


def span_document(span: Span, number: int | None = None) -> dict[str, object]:
    """A span as the feed says it."""
    document: dict[str, object] = {} if number is None else {"sequence": number}
    return document | {
        "listener": span.listener,
        "kind": span.kind.value,
        "state": span.state.value,
        "from": round(span.start, 6),
        "to": round(span.end, 6),
        "delaySeconds": None if span.delay is None else round(span.delay, 4),
        "missingSeconds": round(span.missing, 4),
    }


def span_of(document: dict[str, Any]) -> Span:
    """The span that a document says."""
    return Span(
        listener=document["listener"],
        kind=Kind(document["kind"]),
        state=State(document["state"]),
        start=document["from"],
        end=document["to"],
        delay=document["delaySeconds"],
        missing=document["missingSeconds"],
    )


def visit_of(document: dict[str, Any]) -> Visit:
    """The visit that a document says."""
    return Visit(
        listener=document["listener"],
        called=document["calledAt"],
        joined=document["joinedAt"],
        first_audio=document["firstAudioAt"],
        first_live=document["firstLiveAt"],
        left=document["leftAt"],
        error=document["error"],
    )


def visit_document(visit: Visit, number: int) -> dict[str, object]:
    """A finished arrival as the feed says it."""
    return {
        "sequence": number,
        "listener": visit.listener,
        "kind": Kind.ARRIVAL.value,
        "calledAt": visit.called,
        "joinedAt": visit.joined,
        "firstAudioAt": visit.first_audio,
        "firstLiveAt": visit.first_live,
        "leftAt": visit.left,
        "error": visit.error,
    }


def statistics_document(row: Statistics, number: int | None = None) -> dict[str, object]:
    """A row of statistics as the feed says it."""
    document: dict[str, object] = {} if number is None else {"sequence": number}
    return document | {
        "listener": row.listener,
        "from": round(row.start, 6),
        "to": round(row.end, 6),
        "packetsReceived": round(row.received),
        "packetsLost": round(row.lost),
        "concealedSamples": round(row.concealed),
        "totalSamples": round(row.samples),
        "jitterSeconds": None if row.jitter is None else round(row.jitter, 6),
        "delaySeconds": None if row.delay is None else round(row.delay, 4),
    }
