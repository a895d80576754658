"""Bands: how many of a crowd were in each state over time, drawn as layers on top of each other.

Who hears the host is at the bottom. Dead air hangs from the top, so that its height is read without what is not known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.path import Path

from showstopper.availability.density import Density
from showstopper.availability.spans import DEAD, UNCERTAIN, State
from showstopper.report import shapes
from showstopper.report.shapes import BAR, LETTER

_UPWARDS = sorted(State, key=lambda state: (state in DEAD, state in UNCERTAIN))


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a band: seconds from left to right, rows from top to bottom."""

    start: float
    end: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """Of how many rows it is."""
        return self.bottom - self.top


def draw(axes: Axes, band: Sequence[Density], place: tuple[float, float], origin: float, second: float) -> None:
    """Draw a band.

    Args:
        axes: in seconds and rows.
        band: without a hole.
        place: its middle and its height, in rows.
        origin: the instant where the axis begins.
        second: how many seconds an inch is.
    """
    for state, layer in layers(band, place, origin):
        groups = list(_connected(layer))
        if groups:
            shapes.fill(axes, state, [_outline(group) for group in groups])
        for group in groups if state is not State.LIVE else ():
            _letter(axes, group, state, second)


def layers(band: Sequence[Density], place: tuple[float, float], origin: float) -> Iterator[tuple[State, list[Part]]]:
    """The layer of each state, from the bottom to the top: a part for each piece of the band."""
    middle, height = place
    bottoms = [middle + height / 2] * len(band)
    for state in _UPWARDS:
        layer = [
            Part(
                piece.start - origin,
                piece.end - origin,
                bottom - height * piece.counts.get(state, 0.0) / (piece.listeners or 1.0),
                bottom,
            )
            for piece, bottom in zip(band, bottoms, strict=True)
        ]
        yield state, layer
        bottoms = [part.top for part in layer]


def _connected(layer: Iterable[Part]) -> Iterator[list[Part]]:
    """The parts of a layer that have a height, in groups without a gap."""
    for there, group in groupby(layer, key=lambda part: part.height > 0):
        if there:
            yield list(group)


def _outline(parts: Sequence[Part]) -> Path:
    """The shape of a group: along its upper edge, and back along its lower one."""
    upper = [(x, part.top) for part in parts for x in (part.start, part.end)]
    lower = [(x, part.bottom) for part in parts for x in (part.start, part.end)]
    return Path([*upper, *reversed(lower), upper[0]], closed=True)


def _letter(axes: Axes, parts: Sequence[Part], state: State, second: float) -> None:
    """The letter of a state where it is about as high as anywhere, if it has room for it there."""
    highest = max(part.height for part in parts)
    high = [part for part in parts if part.height >= 0.9 * highest]
    middle = high[len(high) // 2]
    if (high[-1].end - high[0].start) / second >= LETTER and middle.height >= BAR:
        shapes.letter(axes, (middle.start + middle.end) / 2, (middle.top + middle.bottom) / 2, state)
