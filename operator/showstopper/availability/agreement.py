"""Agreement: whether the fleet and the crowd of a room tell the same of the outages that both saw. Pure.

The crowd stamps packets in the kernel, so that it knows best when media stopped. The fleet decodes, so that it knows
best what was heard. Where a relay stops, it stops for all who listen to it in the same instant: then both kinds have to
tell the same instant, or one of the instruments is wrong, and it is not known which.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from showstopper.availability.spans import State
from showstopper.availability.tracks import Track, View

APART_SECONDS = 0.02
"""Starts that are farther apart do not agree. Measured: the fleet is 0 to 12 ms behind (docs/how-it-measures.md)."""

SAME_SECONDS = 1.0
"""Outages of both kinds that begin within this are of one cause."""

LEAST_SECONDS = 0.5
"""A shorter loss of media may be a listener's own."""

MOST_OF = 0.5
"""A relay that stops takes more than this of either kind with it. Where fewer miss media each has lost its own."""


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
    heard = sorted(_stops(fleet.residents))
    return tuple(
        Start(median(near), median(stopped))
        for stopped in _events(sorted(_stops(crowd.residents)))
        if len(stopped) > MOST_OF * len(crowd.residents) and _together(stopped)
        if len(near := _near(heard, median(stopped))) > MOST_OF * len(fleet.residents)
    )


def _stops(tracks: Iterable[Track]) -> Iterator[float]:
    """When media stopped for listeners who had heard the host until then."""
    for track in tracks:
        for before, span in pairwise((*track.spans, *track.following)):
            if before.state is State.LIVE and span.state is State.NO_MEDIA and span.seconds >= LEAST_SECONDS:
                yield span.start


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
    """Whether nine in ten of them are within what two kinds may be apart."""
    spare = len(instants) // 20
    return instants[-1 - spare] - instants[spare] <= APART_SECONDS


def _near(instants: Iterable[float], instant: float) -> list[float]:
    return [each for each in instants if abs(each - instant) <= SAME_SECONDS]
