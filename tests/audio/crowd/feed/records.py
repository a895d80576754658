"""Records for tests: what sweeps would have learned, entered by hand."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from showstopper.audio.crowd.diary import Entry, Event, Visit
from showstopper.audio.crowd.ledger import Ledger
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.availability.spans import State


@dataclass
class PlayedListeners:
    """Listeners whose records a test writes."""

    size: int
    places: int = 0
    diary: deque[Entry] = field(default_factory=deque)
    heard: deque[tuple[int, HeardSpan]] = field(default_factory=deque)
    blind: deque[tuple[float, float]] = field(default_factory=deque)
    stalls: deque[tuple[float, float]] = field(default_factory=deque)
    dropped: deque[tuple[float, int]] = field(default_factory=deque)
    present: int = 0
    drops: int = 0
    clock_steps: int = 0
    latest_sweep_seconds: float = 0.0
    unopened: int = 0
    doubts: int = 0
    swept_at: float = 0.0
    visits: list[Visit] = field(default_factory=list)
    vacated: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.size + self.places)

    def joined(self, slot: int, at: float) -> None:
        self.diary.append(Entry(at, slot, Event.JOINED))

    def hears(self, slot: int, start: float, end: float, state: State = State.LIVE) -> None:
        """Packets came all the time, and this was told of them."""
        if not self.ledger.first_at[slot] <= start:
            self.ledger.first_at[slot] = start
        self.ledger.last_at[slot] = end - 0.02
        self.heard.append((slot, HeardSpan(state, start, end)))

    def comes(self, called: float, slot: int | None = None, name: str = "a1") -> Visit:
        """A newcomer calls, in the first place behind those who stay, if no other is said."""
        visit = Visit(f"main-stage-crowd-0/{name}", self.size if slot is None else slot, called)
        self.visits.append(visit)
        return visit

    def vacate(self, visit: Visit) -> None:
        self.visits.remove(visit)
        self.vacated.append(visit)
