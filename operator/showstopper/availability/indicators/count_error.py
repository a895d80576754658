"""CountError: how wrong the public number of listeners is, by those of whom we know that they are in."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from showstopper.availability.counts import STALE_SECONDS, CountSample
from showstopper.availability.feed import Arrival
from showstopper.availability.indicators.aggregates import ranked
from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.spans import DISCONNECTED, NOISE, State, Window
from showstopper.availability.tracks import Track, View
from showstopper.availability.units import COUNT

# As for Jitter: in one second of twenty it may be worse, for a count is always a little behind.
QUANTILE = 0.95
NOTHING = (
    "no public count was sampled in this window: write door.counts in the AudioRoom. There is none of a room with a "
    "crowd, of a run with a storm of joins, nor of the time before a restart of the operator"
)

# From an instant on: by how many more are certainly in, and by how many more may be.
Change = tuple[float, int, int]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a window in which one number was shown."""

    shown: int
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def count_error(view: View) -> Measurement:
    """By how many listeners the public count was off, at most, in 95 % of the sampled time.

    The truth is the fleet's own: residents and newcomers with a connection. Who is Unknown, or was lost sight of, may
    be in or not. What was shown holds until the next sample, and for three seconds at the most. Time without one may
    have held any count.
    """
    pieces = list(_pieces(view.counts, view.window))
    if not pieces:
        return unmeasured(COUNT_ERROR, NOTHING)
    hidden = max(0.0, view.window.seconds - sum(piece.seconds for piece in pieces))
    hidden = hidden if hidden > NOISE * (1 + len(pieces)) else 0.0
    values: list[tuple[float, float]] = []
    lowers, uppers = [(0.0, hidden)], [(math.inf, hidden)]
    for shown, least, most, seconds in _compared(view, pieces):
        values.append((float(abs(shown - least)), seconds))
        lowers.append((float(max(0, least - shown, shown - most)), seconds))
        uppers.append((float(max(abs(shown - least), abs(shown - most))), seconds))
    return Measurement(
        measured=COUNT_ERROR,
        value=ranked(values, QUANTILE),
        samples=len(pieces),
        lower=ranked(lowers, QUANTILE),
        upper=ranked(uppers, QUANTILE),
        reason=f"{hidden:.1f} s of {view.window.seconds:.1f} s were not sampled" if hidden else "",
    )


def _pieces(samples: tuple[CountSample, ...], window: Window) -> Iterator[_Piece]:
    """Each sample, and for which part of the window it speaks."""
    for sample, following in pairwise([*samples, CountSample(math.inf, 0)]):
        start, end = max(sample.at, window.start), min(following.at, sample.at + STALE_SECONDS, window.end)
        if end > start:
            yield _Piece(sample.shown, start, end)


def _compared(view: View, pieces: Iterable[_Piece]) -> Iterator[tuple[int, int, int, float]]:
    """What was shown, how many were certainly in and how many may have been, and for how many seconds that was so."""
    changes = sorted(_changes(view))
    least = most = position = 0
    for piece in pieces:
        at = piece.start
        while at < piece.end:
            while position < len(changes) and changes[position][0] <= at:
                least, most = least + changes[position][1], most + changes[position][2]
                position += 1
            until = min(piece.end, changes[position][0] if position < len(changes) else math.inf)
            yield piece.shown, least, most + view.unmade, until - at
            at = until


def _changes(view: View) -> Iterator[Change]:
    for track in view.residents:
        yield from _of_resident(track)
    for call in view.calls:
        yield from _of_newcomer(call)


def _of_resident(track: Track) -> Iterator[Change]:
    """In while it has a connection. Of what is Unknown that is not known."""
    for span in track.spans:
        if span.state not in DISCONNECTED:
            certain = int(span.state is not State.UNKNOWN)
            yield span.start, certain, 1
            yield span.end, -certain, -1


def _of_newcomer(call: Arrival) -> Iterator[Change]:
    """In from its join to its leaving. One that we lost sight of may be in for ever since."""
    if call.left is not None and call.joined is not None:
        yield call.joined, 1, 1
        yield max(call.joined, call.left), -1, -1
    elif call.left is not None and call.surely_left is None:
        yield call.called, 0, 1
        yield call.left, 0, -1
    elif call.left is None and call.joined is not None:
        yield call.joined, 1, 1
        yield max(call.joined, call.sure_until), -1, 0
    elif call.left is None:
        yield call.sure_until, 0, 1


COUNT_ERROR = Indicator(
    name="CountError",
    rank=140,
    meaning="By how many listeners the public count (`door.counts` of the room) differs from those who are in: what "
    "was not exceeded in 95 % of the time.",
    unit=COUNT,
    better=Better.LOWER,
    listeners=Listeners.ALL,
    trailing=True,
    measure=lambda view, _: count_error(view),
    needs_fault=True,
)
