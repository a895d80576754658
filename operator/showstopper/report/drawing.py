"""Drawing: what all pictures of a report share: sizes, type, and how a figure becomes part of a page."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import StringIO

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#222222"
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
"""No date, no program, no address of either: the same record gives the same picture."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a picture.

    Attributes:
        name: of the size, in the page.
        inches: the width, each of 72 points.
        pieces: into how many a row may be cut.
        names: inches for the names of rows.
        legend: entries of the legend side by side.
    """

    name: str
    inches: float
    pieces: int
    names: float
    legend: int

    @property
    def letters(self) -> int:
        """How long a name may be."""
        return int(self.names / 0.08)


# For a page on a screen or on paper, and for a telephone.
WIDE = Size("wide", 10.4, 320, 1.15, 8)
NARROW = Size("narrow", 3.55, 120, 0.95, 3)


def styled(salt: str) -> AbstractContextManager[None]:
    """Draw figures in our style for the time of the block. `salt` makes names unique among the figures of a page."""
    return mpl.rc_context(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],  # what text is measured with; others stand in where it is not there
            "font.size": 9.0,
            "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
            "svg.hashsalt": salt,
            "hatch.linewidth": 0.6,
            "axes.edgecolor": "#888888",
            "axes.linewidth": 0.6,
            "text.parse_math": False,  # a dollar in a name is a dollar
        }
    )


def svg(figure: Figure, label: str) -> str:
    """The figure as an element of a page, with a label that says what it shows. The library's prologue is left out."""
    written = StringIO()
    figure.savefig(written, format="svg", metadata=_NO_METADATA, transparent=True)
    text = written.getvalue()
    start = text.index("<svg")
    named = text[start:].replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    # Names of groups, which nothing refers to, and which would be there once for each picture of the page.
    without_names = re.sub(r' id="[A-Za-z0-9.]+_[0-9]+"', "", named)
    return re.sub(r' d="[^"]+"', _shorter, without_names)


def _shorter(shape: re.Match[str]) -> str:
    """A shape to the hundredth of a point, without line breaks."""
    return re.sub(r"(\.\d\d)\d+", r"\1", shape[0]).replace(" \n", " ")
