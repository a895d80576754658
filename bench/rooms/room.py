"""A room: what happened in it, what listeners could not tell of it, and what is expected of it.

All instants are cells of a grid of 20 ms. A mask has one row a resident and one column a cell.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from showstopper.availability.indicators.indicator import Indicator

GRID = 0.02
SECOND = round(1 / GRID)
FOLLOWING = 5 * SECOND
"""So much is known of the time after the window (engine/runs/judging.py)."""
DUE = 5 * SECOND
"""So long a newcomer waits for the host (availability/indicators/arriving.py)."""
ROW = 2 * SECOND
"""The length of a row of statistics."""

# [from, to) in cells.
Stretch = tuple[int, int]
# The least and the most that a figure can be, whatever happened in what was not told.
Range = tuple[float, float]
ANYTHING: Range = (-math.inf, math.inf)
Mask = NDArray[np.bool_]
Figures = NDArray[np.float64]


def cells(seconds: float) -> int:
    """The cell in which that instant lies."""
    return round(seconds / GRID)


def runs(row: Mask) -> list[Stretch]:
    """The stretches in which a row is true, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], row, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


@dataclass(frozen=True)
class Times:
    """When the fault began and was over, where the judged window ends, and how much is known."""

    fault: int
    lifted: int
    end: int

    @property
    def known(self) -> int:
        """The first cell of which nothing is known."""
        return self.end + FOLLOWING


@dataclass(frozen=True)
class Absence:
    """[first, last) in which the host could not be heard, and by when every listener has it again."""

    first: int
    last: int
    stall: bool

    @property
    def felt(self) -> int:
        """Documented: two seconds after a new process of the host, half a second after one that stood still."""
        return self.last + (SECOND // 2 if self.stall else 2 * SECOND)


@dataclass(frozen=True)
class Call:
    """One newcomer: when it called, was in, got a sound and the live host of the room (None: did not), and left.

    `heard`: when it heard the live host, which is later than `live` if the host was not there. `refused`: the room did
    not let it in. `deaf`: an outage while it was in. `lost`: its process ended while it was there, so that no more is
    told of it than up to then.
    """

    called: int
    joined: int | None
    audio: int | None
    live: int | None
    heard: int | None
    left: int
    refused: bool = False
    deaf: Stretch | None = None
    lost: int | None = None

    @property
    def seen(self) -> int:
        """Up to here it is told of."""
        return self.left if self.lost is None else self.lost


@dataclass(frozen=True)
class Rows:
    """What transport and player counted, by resident and row of two seconds. NaN: there was no figure."""

    expected: Figures
    lost: Figures
    samples: Figures
    concealed: Figures
    jitter: Figures
    delay: Figures
    told: Mask


@dataclass(frozen=True)
class Asked:
    """An expectation: the figure has to be at least, or at most, the bound."""

    indicator: Indicator
    bound: float
    least: bool

    def met(self, figure: float) -> bool:
        """Whether a figure is within the bound."""
        return figure >= self.bound - 1e-9 if self.least else figure <= self.bound + 1e-9


@dataclass(frozen=True)
class Room:
    """What happened, what is told of it, and what is expected.

    Attributes:
        deaf: when residents did not hear the host, because of the room.
        offline: the part of that without a connection.
        silent: when they did not hear the host because that was not there.
        hidden: what they do not tell, and what the host explains.
        untold: the part of `hidden` that no listener tells.
        later: by resident, when its process died, from when on another tells, and when that hears the host.
        pods: the residents of each pod.
    """

    times: Times
    deaf: Mask
    offline: Mask
    silent: Mask
    hidden: Mask
    untold: Mask
    pods: Sequence[range]
    later: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)
    absences: Sequence[Absence] = ()
    calls: Sequence[Call] = ()
    rows: Rows | None = None
    asked: Sequence[Asked] = ()


@dataclass(frozen=True)
class Hearing:
    """What one listener who was in did not hear, and what of that is hidden. `stays`: has not left."""

    deaf: Mask
    offline: Mask
    hidden: Mask
    first: int
    stays: bool


def everybody(room: Room) -> Iterator[Hearing]:
    """All whose outages count: newcomers while they were in, and residents but those seen deaf before the fault."""
    times = room.times
    heard = ~room.deaf & ~room.hidden
    before = slice(0, times.fault)
    for index in range(len(room.deaf)):
        if heard[index, before].any() or room.hidden[index, before].all():
            yield Hearing(room.deaf[index], room.offline[index], room.hidden[index], 0, stays=True)
    for call in room.calls:
        first = call.heard
        if first is None or first >= min(call.seen, times.known):
            continue
        deaf = np.zeros(call.seen - first, dtype=np.bool_)
        hidden = np.zeros_like(deaf)
        if call.deaf is not None:
            deaf[call.deaf[0] - first : call.deaf[1] - first] = True
        for absence in room.absences:
            hidden[max(0, absence.first - first) : max(0, absence.felt - first)] = True
        stays = call.lost is None and call.left >= times.known
        inside = slice(max(0, times.known - first))
        yield Hearing(deaf[inside], np.zeros_like(deaf[inside]), hidden[inside], first, stays)


def spans_of(codes: NDArray[np.int8]) -> Iterator[tuple[int, int, int, int]]:
    """The stretches of equal codes of each row: row, code, from, to."""
    change = np.ones(codes.shape, dtype=np.bool_)
    change[:, 1:] = codes[:, 1:] != codes[:, :-1]
    rows, columns = (each.tolist() for each in np.nonzero(change))
    width = codes.shape[1]
    values = codes[rows, columns].tolist()
    for (row, first, code), (after, following, _) in pairwise(
        [*zip(rows, columns, values, strict=True), (len(codes), 0, 0)]
    ):
        yield row, code, first, following if after == row else width
