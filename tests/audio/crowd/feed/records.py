"""Records for tests: what sweeps would have learned, entered by hand."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.ledger import Ledger
from showstopper.audio.ear import Heard
from showstopper.availability.spans import State


@dataclass
class PlayedListeners:
    """Listeners whose records a test writes."""

    size: int
    diary: deque[Entry] = field(default_factory=deque)
    heard: deque[tuple[int, Heard]] = field(default_factory=deque)
    blind: deque[tuple[float, float]] = field(default_factory=deque)
    stalls: deque[tuple[float, float]] = field(default_factory=deque)
    present: int = 0
    drops: int = 0
    clock_steps: int = 0
    latest_sweep_seconds: float = 0.0
    unopened: int = 0
    doubts: int = 0
    swept_at: float = 0.0

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.size)

    def joined(self, slot: int, at: float) -> None:
        self.diary.append(Entry(at, slot, Event.JOINED))

    def hears(self, slot: int, start: float, end: float, state: State = State.LIVE) -> None:
        """Packets came all the time, and this was told of them."""
        if not self.ledger.first_at[slot] <= start:
            self.ledger.first_at[slot] = start
        self.ledger.last_at[slot] = end - 0.02
        self.heard.append((slot, Heard(state, start, end)))
