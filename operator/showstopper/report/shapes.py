"""Shapes: a state on an axis: its colour and pattern, and its letter where there is room for it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from showstopper.availability.spans import State
from showstopper.report import looks
from showstopper.report.drawing import INK

BAR = 0.72
"""How much of its row a bar takes."""

LETTER = 0.11
"""How many inches a letter needs."""


def fill(axes: Axes, state: State, shapes: Sequence[Path]) -> None:
    """All shapes of a state as one: a page of a long day stays small."""
    look = looks.STATES[state]
    axes.add_patch(
        PathPatch(
            Path.make_compound_path(*shapes),
            facecolor=look.colour,
            hatch=look.hatch or None,
            edgecolor="#999999" if state is State.UNKNOWN else INK,
            linewidth=0 if state is State.LIVE else 0.3,
        )
    )


def letter(axes: Axes, x: float, y: float, state: State) -> None:
    """The letter of a state."""
    box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    text = looks.STATES[state].character
    axes.text(x, y, text, ha="center", va="center", fontsize=7, color=INK, bbox=box, zorder=3)
