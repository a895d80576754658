"""Boots: what one process of a listener pod has told, kept on its own clock and read on the operator's."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter

from showstopper.availability.feed import Arrival, Feed, Sample
from showstopper.availability.spans import Kind, Span, State, Window
from showstopper.availability.statistics import Statistics, StatisticsLog
from showstopper.availability.tracks import unfinished_call

DRIFT = 100e-6
"""How fast two clocks that nobody steers may part: a reading loses its worth with age. Crystals keep within 100 ppm."""

STEP_SECONDS = 0.05
"""Two readings that differ by more than their uncertainties and this are from before and after a step of our own
clock."""

_start, _end = attrgetter("start"), attrgetter("end")


@dataclass(slots=True)
class _Ring:
    """One listener's closed spans in order, and the one that was open in the newest feed (None: it had left)."""

    kind: Kind
    closed: list[Span] = field(default_factory=list)
    open: Span | None = None

    def add(self, span: Span) -> None:
        """Take in a closed span. Spans of a listener never overlap, so that a start is known once.

        An archive may have kept it while it grew: the longer one knows its end.
        """
        if not self.closed or span.start > self.closed[-1].start:
            self.closed.append(span)
            return
        index = bisect_left(self.closed, span.start, key=_start)
        if self.closed[index].start != span.start:
            self.closed.insert(index, span)
        elif span.end > self.closed[index].end:
            self.closed[index] = span

    def between(self, start: float, end: float) -> list[Span]:
        """All that touch [start, end). The open one only beyond the last closed one, which knows its edges better."""
        first = max(0, bisect_right(self.closed, start, key=_start) - 1)
        last = bisect_left(self.closed, end, key=_start)
        spans = self.closed[first:last]
        if spans and spans[0].end <= start:
            del spans[0]
        tail = self.tail()
        if tail is not None and tail.start < end and tail.end > start:
            spans.append(tail)
        return spans

    def tail(self) -> Span | None:
        """What only the open span tells."""
        if self.open is None:
            return None
        return self.open.clipped(self.closed[-1].end if self.closed else self.open.start, self.open.end)

    def ends(self) -> tuple[float, float]:
        """The first and the last instant of which anything is known. It is inverted if nothing is known."""
        ends = [span.end for span in (*self.closed[-1:], self.tail()) if span is not None]
        starts = [span.start for span in (*self.closed[:1], self.tail()) if span is not None]
        return min(starts, default=float("inf")), max(ends, default=float("-inf"))


class Boot:
    """All that one process of a listener pod has told: kept on its own clock, answered on the operator's.

    So a better reading of the clocks moves all that is known at once, and never opens a hole between two answers.
    """

    def __init__(self, feed: Feed) -> None:
        self.id = feed.boot
        self.pod = feed.pod
        self.next = 0
        self._clock = float("-inf")
        self._begins = math.inf
        self._dropped_until = float("-inf")
        self._reading = (float("inf"), 0.0)
        self._wall = math.nan
        self._rings: dict[str, _Ring] = {}
        self._first_live: dict[str, float] = {}
        self._open: tuple[Span, ...] = ()
        self._visits: dict[str, Arrival] = {}
        self._samples: tuple[Sample, ...] = ()
        self._logs: dict[str, StatisticsLog] = {}
        self._counting: dict[str, Statistics] = {}

    @property
    def offset(self) -> float:
        """What to add to the pod's clock: the reading that is worth most, by its round trip and its age."""
        return self._reading[1]

    @property
    def ahead(self) -> float:
        """By how much the pod's wall clock is ahead of the operator's, at its newest answer. NaN: it is not known."""
        return self._wall - self.offset

    @property
    def uncertainty(self) -> float:
        """How wrong the offset may be at the newest answer, in seconds."""
        return self._reading[0] + DRIFT * self._clock

    @property
    def seen_until(self) -> float:
        """When its newest answer was given."""
        return self._clock + self.offset

    @property
    def known_until(self) -> float:
        """Up to here everything is known of all its listeners who were in at its newest answer."""
        return min((span.end for span in self._open), default=self._clock) + self.offset

    @property
    def begins(self) -> float:
        """The start of the oldest that it has told."""
        return self._begins + self.offset

    @property
    def dropped_until(self) -> float:
        """Until then it has dropped from its ring what nobody had read. Minus infinity: nothing."""
        return self._dropped_until + self.offset

    def add(self, feed: Feed, forgotten: float) -> None:
        """Take in an answer, but for what ended before `forgotten` (operator's clock)."""
        self._read_clock(feed)
        self._note_reach(feed)
        self.next = max(self.next, feed.next)
        horizon = forgotten - self.offset
        for span in feed.spans:
            self._hear(span)
            if span.end > max(horizon, span.start):
                self._ring(span).add(span)
        for visit in feed.arrivals:
            if visit.seen_until > horizon:
                self._keep(visit)
        for row in feed.statistics:
            if row.end > max(horizon, row.start):
                self._log(row.listener).add(row)
        if feed.clock >= self._clock:
            self._clock = feed.clock
            self._counting = {row.listener: row for row in feed.counting}
            self._samples = feed.listeners
            self._reopen(feed.open)

    def _keep(self, visit: Arrival) -> None:
        """Keep what is known of a visit. An answer that comes late knows less of one that went on."""
        known = self._visits.get(visit.listener)
        if known is None or visit.seen_until >= known.seen_until:
            self._visits[visit.listener] = visit

    def _note_reach(self, feed: Feed) -> None:
        """How far back it tells. What a ring drops ended before the oldest entry that is left in it."""
        starts = [span.start for span in (*feed.spans, *feed.open)] + [call.called for call in feed.arrivals]
        self._begins = min([self._begins, *starts])
        if feed.lost:
            ends = [span.end for span in feed.spans] + [call.seen_until for call in feed.arrivals]
            oldest = min([*ends, *(row.end for row in feed.statistics)], default=feed.clock)
            self._dropped_until = max(self._dropped_until, oldest)

    def _read_clock(self, feed: Feed) -> None:
        """Keep the better reading of the clocks, or the one after a step: all that is known moves with it."""
        reading = feed.uncertainty - DRIFT * feed.clock, feed.offset
        doubt = feed.uncertainty + self._reading[0] + DRIFT * feed.clock + STEP_SECONDS
        stepped = feed.clock >= self._clock and abs(feed.offset - self.offset) > doubt
        self._reading = reading if stepped else min(self._reading, reading)
        if feed.clock >= self._clock:
            self._wall = math.nan if feed.wall is None else feed.wall - feed.clock

    def forget(self, before: float) -> None:
        """Drop what ended before that instant of the operator's clock."""
        horizon = before - self.offset
        for name, ring in list(self._rings.items()):
            kept = bisect_right(ring.closed, horizon, key=_end)
            del ring.closed[:kept]
            if not ring.closed and ring.open is None:
                del self._rings[name]
        self._visits = {name: visit for name, visit in self._visits.items() if visit.seen_until > horizon}
        for log in self._logs.values():
            log.forget(horizon)
        self._logs = {name: log for name, log in self._logs.items() if len(log)}

    @property
    def listeners(self) -> set[str]:
        """All of whom it tells anything."""
        return {*self._first_live, *self._rings, *self._logs, *self._counting}

    def first_live(self, listener: str) -> float | None:
        """When the listener first heard the live host, on the operator's clock, or None if it has not yet."""
        first = self._first_live.get(listener)
        return None if first is None else first + self.offset

    def residents(self, window: Window) -> Iterator[str]:
        """The residents of whom it tells anything in the window."""
        for name, ring in self._rings.items():
            if ring.kind is Kind.RESIDENT and self._touches(ring, window):
                yield name

    def spans(self, listener: str, window: Window) -> list[Span]:
        """What it tells of a listener in (and a little around) the window, in order."""
        ring = self._rings.get(listener)
        if ring is None:
            return []
        spans = ring.between(window.start - self.offset, window.end - self.offset)
        return [span.shifted(self.offset) for span in spans]

    def statistics(self, listener: str, window: Window) -> list[Statistics]:
        """The rows of a listener in (and a little around) the window, in order."""
        start, end = window.start - self.offset, window.end - self.offset
        log = self._logs.get(listener)
        rows = list(log.between(start, end)) if log else []
        counting = self._counting.get(listener)
        if counting is not None:
            # The row that went on in the newest answer tells what no closed one does.
            tail = counting.clipped(max(counting.start, log.end if log else start), end)
            rows += [tail] if tail is not None and tail.end > start else []
        return [row.placed(self.offset, self.ahead, self.uncertainty) for row in rows]

    def calls(self, window: Window) -> Iterator[tuple[Arrival, list[Span]]]:
        """Every newcomer's call that touches the window, with all that is known of the visit."""
        for name, visit in self._visits.items():
            if visit.called + self.offset < window.end and visit.seen_until + self.offset >= window.start:
                yield self._moved(visit), self._all(self._rings.get(name))
        for name, ring in self._rings.items():
            if ring.kind is Kind.ARRIVAL and name not in self._visits and self._touches(ring, window):
                spans = self._all(ring)
                yield unfinished_call(name, spans), spans

    def samples(self) -> Iterator[Sample]:
        """The transport figures of its newest answer."""
        for sample in self._samples:
            last = None if sample.last_packet_at is None else sample.last_packet_at + self.offset
            yield replace(sample, last_packet_at=last, sampled_at=sample.sampled_at + self.offset)

    def current(self) -> Iterator[Span]:
        """The spans that were open in its newest answer."""
        return (span.shifted(self.offset) for span in self._open)

    def _ring(self, span: Span) -> _Ring:
        ring = self._rings.get(span.listener)
        if ring is None:
            ring = self._rings[span.listener] = _Ring(span.kind)
        return ring

    def _log(self, listener: str) -> StatisticsLog:
        log = self._logs.get(listener)
        if log is None:
            log = self._logs[listener] = StatisticsLog(listener)
        return log

    def _reopen(self, spans: tuple[Span, ...]) -> None:
        for span in self._open:
            if span.listener in self._rings:
                self._rings[span.listener].open = None
        self._open = spans
        for span in spans:
            self._hear(span)
            self._ring(span).open = span

    def _hear(self, span: Span) -> None:
        if span.state is State.LIVE and span.kind is Kind.RESIDENT:
            self._first_live[span.listener] = min(span.start, self._first_live.get(span.listener, math.inf))

    def _touches(self, ring: _Ring, window: Window) -> bool:
        first, last = ring.ends()
        return first + self.offset < window.end and last + self.offset >= window.start

    def _all(self, ring: _Ring | None) -> list[Span]:
        if ring is None:
            return []
        return [span.shifted(self.offset) for span in ring.between(*ring.ends())]

    def _moved(self, visit: Arrival) -> Arrival:
        def moved(instant: float | None) -> float | None:
            return None if instant is None else instant + self.offset

        return replace(
            visit,
            called=visit.called + self.offset,
            joined=moved(visit.joined),
            first_audio=moved(visit.first_audio),
            first_live=moved(visit.first_live),
            left=moved(visit.left),
            seen_until=visit.seen_until + self.offset,
            sure_until=visit.sure_until + self.offset,
        )
