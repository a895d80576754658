"""Agreement: whether the fleet and the crowd of a room tell the same of the outages that both saw. Pure.

The crowd stamps packets in the kernel, so that it knows best when media stopped. The fleet decodes, so that it knows
best what was heard. Where a relay stops, it stops for all who listen to it in the same instant: then both kinds have to
tell the same instant, or one of the instruments is wrong, and it is not known which.

What a member of the fleet hears goes on until its player has no sound left, some tenths of a second (0.33 to 0.39 s
after a kill in a busy cluster). When its media stopped follows from how much of it is missing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from showstopper.availability.spans import DEAD, DISCONNECTED, ROUNDING_SECONDS, Span, State
from showstopper.availability.tracks import Track, View

APART_SECONDS = 0.02
"""Starts that are farther apart do not agree. Measured: 0 to 3 ms after a kill."""

SAME_SECONDS = 1.0
"""Outages of both kinds that begin within this are of one cause."""

TOGETHER_SECONDS = 0.06
"""Nine in ten of a crowd whose media stops at once lose it within this: the last packets reach some of them only."""

LEAST_SECONDS = 0.5
"""A shorter loss of media may be a listener's own."""

DOUBTFUL_SECONDS = 0.5
"""Before a pause a crowd does not know for so long at most what was heard (docs/crowd.md)."""

MOST_OF = 0.5
"""A relay that stops takes more than this of either kind with it. Where fewer miss media each has lost its own."""

Stop = Callable[[Sequence[Span]], float | None]
"""When media stopped, by the spans of an outage in order. None: that is not known well enough."""


@dataclass(frozen=True, slots=True)
class Start:
    """When media stopped, as the fleet and as the crowd saw it, in Unix seconds: the median of either's listeners."""

    fleet: float
    crowd: float

    @property
    def apart(self) -> float:
        """By how many seconds the fleet saw it later."""
        return self.fleet - self.crowd

    @property
    def agrees(self) -> bool:
        """Whether both tell the same."""
        return abs(self.apart) <= APART_SECONDS


def starts(fleet: View, crowd: View) -> tuple[Start, ...]:
    """The starts of all outages that both kinds saw in a window, in order.

    Media that stops for the crowd's listeners at different times does so for causes of their own: that has no start
    that the fleet could share.
    """
    heard = sorted(_stops(fleet.residents, _as_the_fleet_tells))
    return tuple(
        Start(median(near), median(stopped))
        for stopped in _events(sorted(_stops(crowd.residents, _as_the_crowd_tells)))
        if len(stopped) > MOST_OF * len(crowd.residents) and _together(stopped)
        if len(near := _near(heard, median(stopped))) > MOST_OF * len(fleet.residents)
    )


def _stops(tracks: Iterable[Track], stop: Stop) -> Iterator[float]:
    """When media stopped for listeners who had heard the host until then."""
    for track in tracks:
        for outage in _outages((*track.spans, *track.following)):
            if (instant := stop(outage)) is not None:
                yield instant


def _outages(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Rows of dead spans that are long enough, and before which the host was heard."""
    heard_until, row = -1.0, list[Span]()
    for span in (*spans, None):
        if span is not None and span.state in DEAD:
            row.append(span)
            continue
        if row and row[0].start - heard_until <= DOUBTFUL_SECONDS and row[-1].end - row[0].start >= LEAST_SECONDS:
            yield row
        row = []
        if span is not None and span.state is State.LIVE:
            heard_until = span.end


def _as_the_crowd_tells(outage: Sequence[Span]) -> float | None:
    first = outage[0]
    return first.start if first.state is State.NO_MEDIA else None


def _as_the_fleet_tells(outage: Sequence[Span]) -> float | None:
    """Of who came back without having lost the session it is not known how much was missing at the end.

    Nor of whose media came before the session stood again: less is missing then than the outage is long.
    """
    first = outage[0]
    for_good = first.state in DISCONNECTED or (len(outage) > 1 and outage[1].state in DISCONNECTED)
    came_back = first.missing < first.seconds - ROUNDING_SECONDS
    if not for_good or came_back or first.state not in {State.NO_MEDIA, *DISCONNECTED}:
        return None
    return first.start - (first.missing - first.seconds)


def _events(instants: Sequence[float]) -> Iterator[list[float]]:
    """Instants in order, in groups that are apart."""
    group: list[float] = []
    for instant in instants:
        if group and instant - group[-1] > SAME_SECONDS:
            yield group
            group = []
        group.append(instant)
    if group:
        yield group


def _together(instants: Sequence[float]) -> bool:
    """Whether nine in ten of them are one event."""
    spare = len(instants) // 20
    return instants[-1 - spare] - instants[spare] <= TOGETHER_SECONDS


def _near(instants: Iterable[float], instant: float) -> list[float]:
    return [each for each in instants if abs(each - instant) <= SAME_SECONDS]
