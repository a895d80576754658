"""Recovery: how long after a fault the room hears again, as it did before."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from showstopper.availability.indicators.indicator import Better, Indicator, Listeners, Recovery
from showstopper.availability.indicators.listening import NOBODY
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.spans import DEAD, NOISE, State
from showstopper.availability.tracks import Track, View
from showstopper.availability.units import DURATION

# The room must go on hearing for so long (docs/how-it-measures.md). Shorter relapses belong to the same drop.
HOLD_SECONDS = 10.0
# Dips that last less than this together, 10 s apart from others, are no drop: single class windows (100 ms) of some
# listener, which OutageCount and LongestDeadAir tell. The shortest failovers measured take 0.7 s.
NOISE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Drop:
    """A time in which fewer residents heard than must: from the first dip to the last, `low` of its seconds below."""

    start: float
    end: float
    low: float


def recovery_time(view: View, recovery: Recovery | None) -> Measurement:
    """From `since` until as many residents hear as in the baseline and go on doing so for 10 s. 0 if it never dropped.

    The lower bound takes every Unknown resident as hearing, the upper one as not hearing. A room that has not recovered
    inside the window has no value: its recovery takes at least as long as it was watched not to hear.
    """
    if recovery is None:
        return unmeasured(RECOVERY_TIME, "there is no fault in this window to recover from")
    if not any(span.state is not State.UNKNOWN for track in view.residents for span in track.spans):
        return unmeasured(RECOVERY_TIME, NOBODY)
    since, end = max(recovery.since, view.window.start), view.window.end
    base = recovery.baseline
    lenient, strict = (base.lower, base.upper) if base is not None else (1.0, 1.0)
    spare_at_most = _spare(view.residents, lenient)
    certain = [
        drop for drop in _drops(_dips(view.residents, DEAD, spare_at_most, since, end)) if drop.low >= NOISE_SECONDS
    ]
    doubtful = DEAD | {State.UNKNOWN}
    possible = [
        drop
        for drop in _drops(_dips(view.residents, doubtful, _spare(view.residents, strict), since, end))
        if drop.low >= NOISE_SECONDS or drop.end >= end
    ]
    upper = _latest(certain, possible, since, end)
    return Measurement(
        measured=RECOVERY_TIME,
        value=None if upper == math.inf else upper,
        samples=len(view.residents),
        lower=_earliest(certain, possible, since),
        upper=upper,
        reason="" if upper < math.inf else _unfinished(certain, end),
    )


def _spare(residents: tuple[Track, ...], share: float) -> int:
    """How many residents may not hear while the room still counts as hearing with that share."""
    return len(residents) - math.ceil(min(1.0, share) * len(residents) - NOISE)


def _dips(
    tracks: Iterable[Track], states: frozenset[State], spare: int, since: float, end: float
) -> Iterator[tuple[float, float]]:
    """The times between `since` and `end` in which more listeners than `spare` are in one of the states."""
    steps = [
        step
        for track in tracks
        for span in track.spans
        if span.state in states and span.end > since and span.start < end
        for step in ((max(span.start, since), 1), (min(span.end, end), -1))
    ]
    count, began = 0, since
    for at, step in sorted(steps):
        was_low, count = count > spare, count + step
        if not was_low and count > spare:
            began = at
        elif was_low and count <= spare:
            yield began, at


def _drops(dips: Iterable[tuple[float, float]]) -> list[Drop]:
    """The dips, those that are less than the hold apart as one."""
    drops: list[Drop] = []
    for start, end in dips:
        if drops and start - drops[-1].end < HOLD_SECONDS:
            last = drops.pop()
            drops.append(Drop(last.start, end, last.low + end - start))
        else:
            drops.append(Drop(start, end, end - start))
    return drops


def _latest(certain: list[Drop], possible: list[Drop], since: float, end: float) -> float:
    """The latest recovery that fits: from the first drop that surely was one, or from any that may have been."""
    latest = 0.0
    for drop in possible:
        latest = drop.end - since if end - drop.end >= HOLD_SECONDS - NOISE else math.inf
        if any(drop.start <= sure.start <= drop.end for sure in certain):
            break
    return latest


def _earliest(certain: list[Drop], possible: list[Drop], since: float) -> float:
    """The earliest recovery that fits: from the first sure drop, unless one may have begun and been over before it."""
    if not certain:
        return 0.0
    sure, first = certain[0], possible[0]
    return sure.end - since if sure.start - first.start <= HOLD_SECONDS else first.start - since


def _unfinished(certain: list[Drop], end: float) -> str:
    if certain and certain[-1].end >= end:
        return "the room had not recovered when the window ended"
    return f"the room was not seen to hear for {HOLD_SECONDS:g} s before the window ended: allow more time to recover"


RECOVERY_TIME = Indicator(
    name="RecoveryTime",
    rank=70,
    meaning="From the fault's end until the residents hear as in the baseline, and go on hearing for ten seconds.",
    unit=DURATION,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=False,
    measure=recovery_time,
    needs_fault=True,
)
