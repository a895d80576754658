"""StartDelay: how late the show began, for those who had come to hear it."""

import math
from collections.abc import Iterable, Iterator
from itertools import chain

from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.indicators.listening import NOBODY
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.spans import NOISE, UNCERTAIN, Span, State
from showstopper.availability.tracks import Track, View
from showstopper.availability.units import DURATION

# A show has begun when that share of its residents hears it at once.
AUDIENCE = 0.5
NOT_YET = "the announced start is after this window: let the run begin, or its fault last, until program.startsAt"
BEGUN = "half of the residents heard the host when this window began, and what they heard before is not in it"
SILENT = "half of the residents had not heard the host at once when the window ended"

_LIVE = frozenset({State.LIVE})
_PERHAPS = _LIVE | UNCERTAIN


def start_delay(view: View) -> Measurement:
    """From the announced start to the first instant from then on at which half of the residents hear the live host.

    Without an announced start, from the window's. The lower bound takes every uncertain resident as hearing, the value
    and the upper bound only those who certainly do. A show that was announced before the window may have begun before
    it, too: then there is no value, or no lower bound.
    """
    if not any(span.state not in UNCERTAIN for track in view.residents for span in track.spans):
        return unmeasured(START_DELAY, NOBODY)
    announced = view.window.start if view.starts_at is None else view.starts_at
    if announced >= view.known_until - NOISE:
        return unmeasured(START_DELAY, NOT_YET)
    since = max(announced, view.window.start)
    seen, perhaps = (_first(view.residents, states, since) for states in (_LIVE, _PERHAPS))
    unseen = announced < view.window.start - NOISE
    if unseen and seen is not None and seen <= since + NOISE:
        return Measurement(START_DELAY, None, len(view.residents), 0.0, since - announced, BEGUN)
    earliest = view.known_until if perhaps is None else perhaps
    return Measurement(
        measured=START_DELAY,
        value=None if seen is None else seen - announced,
        samples=len(view.residents),
        lower=0.0 if unseen else earliest - announced,
        upper=math.inf if seen is None else seen - announced,
        reason=SILENT if seen is None else "",
    )


def _first(residents: Iterable[Track], states: frozenset[State], since: float) -> float | None:
    """The first instant from `since` on at which half of the residents are in one of the states. None: never."""
    tracks = list(residents)
    edges = sorted(edge for track in tracks for edge in _edges(track, states, since))
    count = 0
    for at, change in edges:
        count += change
        if count >= AUDIENCE * len(tracks):
            return at
    return None


def _edges(track: Track, states: frozenset[State], since: float) -> Iterator[tuple[float, int]]:
    """When a resident enters these states, and leaves them. Who leaves when another enters was not with that one."""
    for start, end in _stretches(chain(track.spans, track.following), states):
        if end > since + NOISE:
            yield max(start, since), 1
            yield end, -1


def _stretches(spans: Iterable[Span], states: frozenset[State]) -> Iterator[tuple[float, float]]:
    """Neighbours in these states as one."""
    start = end = math.nan
    for span in spans:
        if span.state not in states:
            continue
        if span.start - end <= NOISE:
            end = span.end
            continue
        if not math.isnan(start):
            yield start, end
        start, end = span.start, span.end
    if not math.isnan(start):
        yield start, end


START_DELAY = Indicator(
    name="StartDelay",
    rank=130,
    meaning="From the announced start (`program.startsAt` of the room, else the window's beginning) to the first "
    "instant at which half of the residents hear the live host.",
    unit=DURATION,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=False,
    measure=lambda view, _: start_delay(view),
    needs_fault=True,
)
