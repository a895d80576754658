"""Visits: what newcomers of a crowd did and heard, once nothing that may still come can change it. No clock, no I/O.

What our own process may have done is not known: it stood still, dropped packets or doubts its samples while a newcomer
waited, or it had no reference to find the packets in. From there on nothing is sure of the newcomer but what it heard.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from showstopper.audio.crowd import stalls
from showstopper.audio.crowd.diary import Visit
from showstopper.audio.crowd.feed import hearing
from showstopper.audio.crowd.feed.hearing import Hearing
from showstopper.audio.crowd.ledger import Ledger, Stretch
from showstopper.audio.crowd.matching import states
from showstopper.audio.crowd.stalls import Stall
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.availability.feed import Arrival
from showstopper.availability.spans import Span, State, Window

GLIMPSE_SECONDS = 0.5
"""Around each change of sound something is Unknown. Who heard the host for no longer than this has not heard it."""


class Visits:
    """Follows the newcomers, turn by turn."""

    def __init__(self, ledger: Ledger) -> None:
        self.under_way: tuple[Arrival, ...] = ()
        """Those that go on, as far as they are settled."""
        self._ledger = ledger
        self._hearings: defaultdict[int, Hearing] = defaultdict(Hearing)
        self._blind: list[tuple[float, float]] = []
        self._decided: dict[str, Arrival] = {}
        """Who has heard the host, by name, as it was when that was settled."""

    def hear(self, slot: int, heard: HeardSpan) -> None:
        """Take what the matcher told."""
        hearing.add(self._hearings[slot].heard, heard)

    def pause(self, stretch: Stretch) -> None:
        """Take a stretch without packets."""
        self._hearings[stretch.slot].pauses.append(stretch)

    def silence(self, stretch: Stretch) -> None:
        """Take a stretch of digital silence."""
        self._hearings[stretch.slot].silences.append(stretch)

    def blind(self, stretches: Iterable[tuple[float, float]]) -> None:
        """Take when our own instrument failed all of them."""
        self._blind += stretches

    def settle(
        self, visits: Iterable[Visit], until: float, paused: Mapping[int, float], stood_still: Sequence[Stall]
    ) -> list[tuple[Visit, Arrival]]:
        """The visits that are over by then. They are forgotten.

        Args:
            visits: all that have not been told as over.
            until: up to here everything is settled.
            paused: who has no packets now, and since when.
            stood_still: when our own process did.
        """
        called = [visit for visit in visits if visit.called <= until]
        oldest = min((visit.called for visit in called), default=until)
        self._blind = [each for each in self._blind if each[1] > oldest]
        settled = [(visit, self._tell(visit, until, paused, stood_still)) for visit in called]
        self.under_way = tuple(arrival for _, arrival in settled if arrival.left is None)
        over = [(visit, arrival) for visit, arrival in settled if arrival.left is not None]
        for visit, _ in over:
            self._hearings.pop(visit.slot, None)
            self._decided.pop(visit.listener, None)
        return over

    def _tell(self, visit: Visit, until: float, paused: Mapping[int, float], stood_still: Sequence[Stall]) -> Arrival:
        left = visit.left if visit.left is not None and visit.left <= until else None
        end = until if left is None else left
        joined = visit.joined if visit.joined is not None and visit.joined <= end else None
        if (known := self._decided.get(visit.listener)) is not None:
            sure_until = end if known.sure_until == known.seen_until else known.sure_until
            return replace(known, joined=joined, left=left, seen_until=end, sure_until=sure_until)
        spans = self._spans(visit, end, paused)
        live = next((span.start for span in spans if span.state is State.LIVE), None)
        doubts = [*self._doubts(visit, spans, end, live, is_over=left is not None)]
        if left is not None and live is None:
            doubts += _ours(visit, left, stood_still)
        sure_until = min([end, *doubts])
        sound = self._first_sound(visit)
        arrival = Arrival(
            listener=visit.listener,
            called=visit.called,
            joined=joined,
            # What came later than it would have without us is no figure of the room.
            first_audio=sound if sound is not None and sound <= sure_until else None,
            first_live=live,
            left=left,
            error=visit.error if left is not None else "",
            seen_until=end,
            sure_until=sure_until,
            followed=False,
        )
        if live is not None:
            self._decided[visit.listener] = arrival
        return arrival

    def _spans(self, visit: Visit, end: float, paused: Mapping[int, float]) -> tuple[Span, ...]:
        known = self._hearings[visit.slot]
        pauses, silences = hearing.going_on(self._ledger, visit.slot, paused.get(visit.slot))
        joined = math.inf if visit.joined is None else visit.joined
        return states.spans(
            visit.listener,
            Window(visit.called, end),
            sessions=[(visit.called, joined, State.JOINING)],
            pauses=[*pauses, *known.pauses],
            silences=[*silences, *known.silences],
            heard=known.heard,
            blind=self._blind,
        )

    def _doubts(
        self, visit: Visit, spans: Sequence[Span], end: float, live: float | None, *, is_over: bool
    ) -> Iterator[float]:
        """From when on, before it heard the host, it is not known what it heard."""
        waited = end if live is None else live
        for start, over in self._blind:
            if start < waited and over > visit.called:
                yield max(start, visit.called)
        for span in spans:
            may_be_longer = span.end >= end and not is_over
            if (
                span.state is State.UNKNOWN
                and span.start < waited
                and (span.seconds > GLIMPSE_SECONDS or may_be_longer)
            ):
                yield span.start

    def _first_sound(self, visit: Visit) -> float | None:
        """When the first packet came that holds more than digital silence. None: none has."""
        slot, first = visit.slot, float(self._ledger.first_at[visit.slot])
        for silence in self._hearings[slot].silences:
            if silence.start <= first < silence.end:
                first = silence.end
        if math.isnan(first) or first >= float(self._ledger.silent_since[slot]):
            return None
        return first


def _ours(visit: Visit, left: float, stood_still: Iterable[Stall]) -> list[float]:
    """From when on our own process may be why a newcomer was refused, or lost its session. Empty: it is not.

    Those who stay may have been lost by a stall before it called, and come back all at once.
    """
    stall = stalls.before(left, stood_still)
    if not visit.ended or not stalls.is_ours(visit.ended, stall):
        return []
    return [visit.called if stall is None else max(visit.called, stall[0])]
