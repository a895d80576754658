"""Recovery: how long after a fault the room hears again, as it did before.

The room hears in a second in which the residents who hear are, on average, the baseline's share less five points. It
has recovered at the first instant from which it hears in every second, for ten seconds, and behind which no relapse was
seen in the window.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise, takewhile

from showstopper.availability.indicators.indicator import Better, Indicator, Listeners, Recovery
from showstopper.availability.indicators.listening import NOBODY, RESOLUTION_SECONDS
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.spans import DEAD, NOISE, UNCERTAIN, Span, State
from showstopper.availability.tracks import Track, View
from showstopper.availability.units import DURATION

HOLD_SECONDS = 10.0
"""The room must go on hearing for so long (docs/how-it-measures.md)."""

SLIDING_SECONDS = 1.0
"""What is averaged: single class windows (100 ms) of single listeners, which no large room is ever without, are then no
relapse. The shortest failovers measured take 0.7 s."""

SPARE_SHARE = 0.05
"""By how much of all residents the room may fall short of its baseline: the same 5 % as Ready, Unknown and the
baseline."""

BLIND_SHARE = 0.5
"""A second of which more of the room than this is Unknown may hide a relapse: most of those who would tell did not
look. Where less is Unknown the others look: a probe that is late now and then does not spoil what they heard."""

_DOUBTFUL = DEAD | UNCERTAIN


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many residents do not hear: `deaf[i]` from `edges[i]` on and until the next edge, in seconds since the fault.

    In a second that begins in one of the stretches [first, last) of `low`, the room does not hear: more than `spare`
    listener-seconds of it are without the host.
    """

    edges: list[float]
    deaf: list[int]
    spare: float
    low: list[tuple[float, float]]

    def heard_from(self, instant: float) -> float:
        """The first instant from that one on at which no more residents than may be spared do not hear."""
        index = max(0, bisect_right(self.edges, instant + NOISE) - 1)
        for edge, deaf in zip(self.edges[index:], self.deaf[index:], strict=True):
            if deaf <= self.spare:
                return max(instant, edge)
        return self.edges[-1]

    def heard_to_the_end_from(self) -> float:
        """The instant behind which the room hears in every second. 0 if it always did."""
        return self.heard_from(self.low[-1][1]) if self.low else 0.0

    def held_from(self, instant: float) -> float:
        """The first instant from that one on from which the room hears in every second of ten. 0: it never stopped."""
        start = self.heard_from(instant) if instant else 0.0
        for first, last in self.low:
            if last > start and first < start + HOLD_SECONDS - SLIDING_SECONDS - NOISE:
                start = self.heard_from(last)
        return start


def recovery_time(view: View, recovery: Recovery | None) -> Measurement:
    """From `since` until the room hears again, in seconds. 0 if it never stopped.

    The lower bound takes every Unknown resident as hearing, and the least that the baseline may have been. The value
    does so too, with what is known of the baseline. The upper bound takes every Unknown resident as not hearing, until
    ten seconds were certainly heard: a relapse counts only if it was seen, or if most of the room was Unknown. A room
    that was not heard for ten seconds has no value: its recovery takes at least as long as it was seen not to hear.
    """
    if recovery is None:
        return unmeasured(RECOVERY_TIME, "there is no fault in this window to recover from")
    if not any(span.state not in UNCERTAIN for track in view.residents for span in track.spans):
        return unmeasured(RECOVERY_TIME, NOBODY)
    since, end = max(recovery.since, view.window.start), view.known_until
    base = recovery.baseline
    least, known, most = (base.lower, base.value, base.upper) if base is not None else (1.0, 1.0, 1.0)

    def heard_from(states: frozenset[State], spare: float) -> float:
        spans = (span for track in view.residents for span in _of_the_window(track, states))
        return _gaps(spans, spare, since, end, view.window.end - since).heard_to_the_end_from()

    shares = (least, most if known is None else known, most)
    seen = {share: heard_from(DEAD, _spare(view, share)) for share in set(shares)}
    lower, value, latest = (seen[share] for share in shares)
    blind = heard_from(UNCERTAIN, BLIND_SHARE * len(view.residents) + NOISE)
    doubtful = (
        span for track in view.residents for span in (*track.spans, *track.following) if span.state in _DOUBTFUL
    )
    upper = _gaps(doubtful, _spare(view, most), since, end, end - since).held_from(max(latest, blind))
    return Measurement(
        measured=RECOVERY_TIME,
        value=value if _held(value, end - since) else None,
        samples=len(view.residents),
        lower=lower,
        upper=upper if _held(upper, end - since) else math.inf,
        reason=_reason(value, upper, view.window.end - since, end - since),
    )


def _spare(view: View, share: float) -> float:
    """How many residents the room may be short of, if the baseline had that share of them."""
    residents = len(view.residents)
    return residents * (1.0 - min(1.0, share)) + max(residents * SPARE_SHARE, RESOLUTION_SECONDS) + NOISE


def _of_the_window(track: Track, states: frozenset[State]) -> Iterator[Span]:
    """The spans in one of the states. What begins after the window does not count, and what goes on then does."""
    yield from (span for span in track.spans if span.state in states)
    if track.spans and track.spans[-1].state in states:
        yield from takewhile(lambda span: span.state in states, track.following)


def _gaps(spans: Iterable[Span], spare: float, since: float, end: float, last: float) -> Gaps:
    """What the spans leave unheard between `since` and `end`, in seconds that begin at most `last` after `since`.

    Whatever comes behind `end` counts as heard.
    """
    changes = Counter({0.0: 0, end - since: 0})
    for span in spans:
        if span.end > since and span.start < end:
            changes[max(span.start, since) - since] += 1
            changes[min(span.end, end) - since] -= 1
    edges = sorted(changes)
    deaf = list(accumulate(changes[edge] for edge in edges))
    return Gaps(edges, deaf, spare, list(_low(edges, deaf, spare, last)))


def _low(edges: list[float], deaf: list[int], spare: float, end: float) -> Iterator[tuple[float, float]]:
    """Where a second begins that has more than `spare` listener-seconds without the host, as [first, last) in order.

    The listener-seconds of a second are a function of where it begins that is linear between the edges and the instants
    one second before them. So it is enough to look at it there and at the window's end, and to draw lines.
    """
    if max(deaf) <= spare:
        return
    totals = list(
        accumulate((count * (to - at) for count, (at, to) in zip(deaf, pairwise(edges), strict=False)), initial=0.0)
    )

    def until(instant: float) -> float:
        index = bisect_right(edges, instant) - 1
        return totals[index] + deaf[index] * (instant - edges[index])

    begins = sorted(
        {max(0.0, end), *(begin for edge in edges for begin in (edge, edge - SLIDING_SECONDS) if 0 <= begin <= end)}
    )
    excess = [until(begin + SLIDING_SECONDS) - until(begin) - spare for begin in begins]
    first: float | None = 0.0 if excess[0] > 0 else None
    for index, (before, after) in enumerate(pairwise(excess)):
        if (before > 0) == (after > 0):
            continue
        crossing = begins[index] + before / (before - after) * (begins[index + 1] - begins[index])
        if first is None:
            first = crossing
        else:
            yield first, crossing
            first = None
    if first is not None:
        yield first, end


def _held(instant: float, end: float) -> bool:
    return instant + HOLD_SECONDS <= end + NOISE


def _reason(value: float, upper: float, end: float, known: float) -> str:
    if not _held(value, known):
        if value >= end - NOISE:
            return "the room had not recovered when the window ended"
    elif _held(upper, known):
        return ""
    return f"the room was not seen to hear for {HOLD_SECONDS:g} s before the window ended: allow more time to recover"


RECOVERY_TIME = Indicator(
    name="RecoveryTime",
    rank=70,
    meaning="From the fault's end until the residents hear as in the baseline, less five points, in every second of "
    "ten, with no relapse after that.",
    unit=DURATION,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=False,
    measure=recovery_time,
    needs_fault=True,
    seen_after=HOLD_SECONDS,
    of_crowds=True,
)
