"""Settling: what each listener of a crowd heard, once nothing that may still come can change it. No clock, no I/O.

What is told is bounded by time, not by the crowd: totals for each turn, and the listeners' changes up to a number. A
listener whose changes are too many is Unknown in them from the turn's start on. The totals have it all the same.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from showstopper.audio.crowd.diary import Entry, Visit
from showstopper.audio.crowd.feed import hearing
from showstopper.audio.crowd.feed.sessions import Sessions
from showstopper.audio.crowd.feed.visits import Visits
from showstopper.audio.crowd.ledger import Ledger, Stretch
from showstopper.audio.crowd.matching import states
from showstopper.audio.crowd.refusals import Refusal
from showstopper.audio.crowd.stalls import AFTERMATH_SECONDS
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.availability.feed import Arrival
from showstopper.availability.spans import NOISE, Span, State, Window

T = TypeVar("T")

MOST_CHANGES = 6000
"""Told of a turn at most: two of each listener of the largest crowd, 320 kB as JSON."""


class Records(Protocol):
    """What sweeps learn of the listeners. Whatever is taken from its queues is gone from them."""

    @property
    def size(self) -> int:
        """The number of listeners."""

    @property
    def ledger(self) -> Ledger:
        """Their packets."""

    @property
    def diary(self) -> deque[Entry]:
        """Their joins and losses."""

    @property
    def heard(self) -> deque[tuple[int, HeardSpan]]:
        """What the matcher told, by slot."""

    @property
    def blind(self) -> deque[tuple[float, float]]:
        """When our own instrument failed all of them."""

    @property
    def stalls(self) -> deque[tuple[float, float]]:
        """When this process stood still. They stay there."""

    @property
    def swept_at(self) -> float:
        """Until when everything that came has been read."""

    @property
    def visits(self) -> list[Visit]:
        """The newcomers' that are not told of altogether. Their slots are behind those of the listeners."""

    def vacate(self, visit: Visit) -> None:
        """All of a visit is told."""


@dataclass(frozen=True, slots=True)
class Change:
    """From a time on, a listener is in another state than before."""

    slot: int
    at: float
    state: State


@dataclass(frozen=True, slots=True)
class Totals:
    """Seconds that all listeners together spent in each state, within [start, end). They add up to all of it.

    `untold` is how many listeners' changes were too many to be told.
    """

    start: float
    end: float
    seconds: Mapping[State, float]
    untold: int = 0


class Settling:
    """Follows the records, turn by turn."""

    def __init__(self, records: Records, lag: float, began: float, most: int = MOST_CHANGES) -> None:
        """Nothing is settled.

        Args:
            records: what sweeps learn.
            lag: seconds after which nothing new comes of a time.
            began: when everybody began to join.
            most: changes that are told of a turn, and one for each listener whose changes are not.
        """
        self.until = began
        """Up to here all is settled."""
        self.newest: list[Change | None] = [None] * records.size
        """What was told of each listener last."""
        self.sessions = Sessions(records.size, began)
        self.over = list[Arrival]()
        """Newcomers whose visits are over. Whoever acts on them takes them away."""
        self._records = records
        self._lag = lag
        self._most = most
        self._heard: list[deque[HeardSpan]] = [deque() for _ in range(records.size)]
        self._pauses: defaultdict[int, list[Stretch]] = defaultdict(list)
        self._silences: defaultdict[int, list[Stretch]] = defaultdict(list)
        self._blind: list[tuple[float, float]] = []
        self._visits = Visits(records.ledger)

    @property
    def under_way(self) -> tuple[Arrival, ...]:
        """The newcomers whose visits go on, as far as all of it is settled."""
        return self._visits.under_way

    def settle(self) -> tuple[list[Change], Totals] | None:
        """The changes since the last turn up to the lag before the newest sweep, and the totals of that time. None
        if there is no such time.

        Changes are ordered by time. After a stall of this process the clock alone says nothing: what has come meanwhile
        has yet to be read.
        """
        self._collect()
        now = self._records.swept_at
        turn = Window(self.until, now - self._lag)
        if turn.seconds <= 0:
            return None
        self._blind = [each for each in self._blind if each[1] > turn.start]
        pauses = self._records.ledger.paused_since(now)
        seconds: defaultdict[State, float] = defaultdict(float)
        changed: dict[int, list[Change]] = {}
        for slot in range(self._records.size):
            if (steady := self._steady(slot, turn)) is not None:
                seconds[steady] += turn.seconds
                continue
            spans = self._spans(slot, turn, pauses.get(slot))
            for span in spans:
                seconds[span.state] += span.seconds
            if changes := self._changes(slot, spans):
                changed[slot] = changes
        told, untold = self._told(changed, turn.start)
        self.until = turn.end
        for visit, arrival in self._visits.settle(self._records.visits, turn.end, pauses, self._records.stalls):
            self._records.vacate(visit)
            self.over.append(arrival)
            if visit.ended and visit.joined is None:
                reason = visit.ended if arrival.surely_left is not None else Refusal.INSTRUMENT
                self.sessions.refused[reason] += 1
        return told, Totals(turn.start, turn.end, dict(seconds), untold)

    def _collect(self) -> None:
        records = self._records
        recent = [each for each in records.stalls if each[1] > self.until - AFTERMATH_SECONDS]
        while records.diary and records.diary[0].at <= records.swept_at:  # of a stall before it the next sweep tells
            self.sessions.take(records.diary.popleft(), recent)
        for slot, heard in _taken(records.heard):
            if slot >= records.size:
                self._visits.hear(slot, heard)
            else:
                hearing.add(self._heard[slot], heard)
        visits, ledger = self._visits, records.ledger
        for stretches, kept, of_visit in (
            (ledger.pauses, self._pauses, visits.pause),
            (ledger.silences, self._silences, visits.silence),
        ):
            for stretch in _taken(stretches):
                if stretch.slot >= records.size:
                    of_visit(stretch)
                else:
                    kept[stretch.slot].append(stretch)
        blind = list(_taken(records.blind))
        self._blind += blind
        visits.blind(blind)

    def _steady(self, slot: int, turn: Window) -> State | None:
        """The state that it was in before, if it heard the same through all of the turn: most listeners do, mostly."""
        newest, heard = self.newest[slot], self._heard[slot]
        while heard and heard[0].end <= turn.start:
            heard.popleft()
        if newest is None or not heard or self._blind or heard[0].state is not newest.state:
            return None
        covers = heard[0].start - NOISE <= turn.start and heard[0].end + NOISE >= turn.end
        return newest.state if covers else None

    def _spans(self, slot: int, turn: Window, paused_since: float | None) -> tuple[Span, ...]:
        pauses, silences = hearing.going_on(self._records.ledger, slot, paused_since)
        self.sessions.forget(slot, turn.start)
        return states.spans(
            str(slot),
            turn,
            sessions=self.sessions.without(slot),
            pauses=[*pauses, *_over(self._pauses, slot, turn)],
            silences=[*silences, *_over(self._silences, slot, turn)],
            heard=self._heard[slot],
            blind=self._blind,
        )

    def _changes(self, slot: int, spans: Iterable[Span]) -> list[Change]:
        newest = self.newest[slot]
        state = None if newest is None else newest.state
        changes = []
        for span in spans:
            if span.state is not state:
                changes.append(Change(slot, span.start, span.state))
                state = span.state
        return changes

    def _told(self, changed: Mapping[int, list[Change]], start: float) -> tuple[list[Change], int]:
        """What is told of these changes, those first who changed least, and of how many listeners they are not."""
        told: list[Change] = []
        untold = 0
        for slot in sorted(changed, key=lambda slot: len(changed[slot])):
            changes = changed[slot]
            if len(told) + len(changes) > self._most:
                untold += 1
                newest = self.newest[slot]
                is_known = newest is not None and newest.state is State.UNKNOWN
                changes = [] if is_known else [Change(slot, start, State.UNKNOWN)]
            told += changes
            if changes:
                self.newest[slot] = changes[-1]
        return sorted(told, key=lambda change: change.at), untold


def _taken(queue: deque[T]) -> Iterable[T]:
    """What is in the queue, which is empty afterwards."""
    while queue:
        yield queue.popleft()


def _over(kept: dict[int, list[Stretch]], slot: int, turn: Window) -> list[Stretch]:
    """What is kept of a listener and not over before the turn. The rest is forgotten."""
    if slot not in kept:
        return []
    stretches = [each for each in kept[slot] if each.end > turn.start]
    if stretches:
        kept[slot] = stretches
    else:
        del kept[slot]
    return stretches
