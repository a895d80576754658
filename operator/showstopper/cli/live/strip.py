"""Strip: what one listener or a crowd heard, one cell per second, distinguished by letter and by colour. Pure."""

import math
from collections.abc import Iterator

from rich.text import Text

from showstopper.availability import density
from showstopper.availability.spans import DEAD, NOISE, State, Window
from showstopper.availability.tracks import Track, View
from showstopper.report import looks

SHORTEST_SHOWN = 0.1
"""The shortest sound that can be classified (docs/how-it-measures.md). Shorter gaps are not shown."""


STYLES = {
    State.LIVE: "green",
    State.HOLD: "yellow",
    State.STALE: "yellow",
    State.SILENT: "bold red",
    State.GARBLED: "bold yellow",
    State.UNCLEAR: "dim",
    State.NO_MEDIA: "bold red",
    State.OFFLINE: "bold magenta",
    State.JOINING: "magenta",
    State.UNKNOWN: "dim",
}
"""Of the terminal. Characters and words are those of reports (report/looks.py)."""


def cells(track: Track, window: Window, columns: int) -> Iterator[State | None]:
    """The state of each of the last whole seconds of the window, oldest first. None: before it, or not reported yet.

    A second with dead air shows the state that made most of the dead air, however much was heard in the rest.
    """
    last = math.ceil(window.end)
    for start in range(last - columns, last):
        yield _cell(track, Window(max(start, window.start), min(start + 1, window.end)))


def _cell(track: Track, second: Window) -> State | None:
    spent: dict[State, float] = {}
    for span in track.spans:
        inside = min(span.end, second.end) - max(span.start, second.start)
        if inside > 0:
            spent[span.state] = spent.get(span.state, 0.0) + inside
    dead = {state: seconds for state, seconds in spent.items() if state in DEAD and seconds >= SHORTEST_SHOWN - NOISE}
    return max(dead or spent, key=lambda state: spent[state], default=None)


def draw(track: Track, window: Window, columns: int) -> Text:
    """The strip as coloured text. Unknown states are left blank before the first known one, and in the last seconds."""
    return _drawn(list(cells(track, window, columns)), columns)


def crowd_cells(view: View, window: Window, columns: int) -> list[State | None]:
    """What stands for all of a crowd in each of the last whole seconds of the window. None: not known yet."""
    last = math.ceil(window.end)
    pieces = density.means(density.steps(view), [float(edge) for edge in range(last - columns, last + 1)])
    return [piece.shown if piece.counts else None for piece in pieces]


def draw_crowd(view: View, window: Window, columns: int) -> Text:
    """The strip of a crowd."""
    return _drawn(crowd_cells(view, window, columns), columns)


def _drawn(states: list[State | None], columns: int) -> Text:
    for column in range(next((n for n, state in enumerate(states) if state not in {None, State.UNKNOWN}), 0)):
        states[column] = None
    while states and states[-1] is State.UNKNOWN and len(states) > columns - 3:
        states.pop()
    text = Text(no_wrap=True)
    for state in states:
        if state is None:
            text.append(" ")
        else:
            text.append(looks.STATES[state].character, style=STYLES[state])
    return text


def marker(moment: float, window: Window, columns: int, label: str) -> Text:
    """A line with a mark in the second of `moment`, and a label beside it. Empty: it has scrolled out of the window."""
    column = columns - (math.ceil(window.end) - math.floor(moment))
    if not 0 <= column < columns:
        return Text()
    room_right = columns - column - 2
    text = f"{' ' * column}▼ {label[:room_right]}" if room_right >= min(len(label), 12) else _before(column, label)
    return Text(text, style="bold", no_wrap=True)


def _before(column: int, label: str) -> str:
    return f"{label[: max(0, column - 1)]} ▼".rjust(column + 1)[-column - 1 :]


def legend(states: set[State]) -> Text:
    """What the characters of these states mean."""
    text = Text(style="dim")
    for state in (state for state in State if state in states):
        look = looks.STATES[state]
        text.append(" ").append(look.character, style=STYLES[state]).append(f" {look.words} ")
    return text
