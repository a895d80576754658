"""Cells: a track cut into as many pieces as there is room for: a report stays small, and hides no outage. Pure."""

from collections.abc import Iterator

from showstopper.availability.spans import DEAD, NOISE, UNCERTAIN, Kind, Span, State, Window, merge
from showstopper.availability.tracks import Track

SHORTEST_SECONDS = 0.1
"""A tenth of a second is the shortest that can be classified (docs/how-it-measures.md, Classes of sound)."""


def cells(track: Track, window: Window, count: int) -> list[State | None]:
    """The state of each of `count` equal pieces of the window. None where the listener was not meant to be in.

    Of what a piece holds, dead air is shown before what is not known, and that before sound.
    """
    length = window.seconds / count
    edges = [window.start + index * length for index in range(count)] + [window.end]
    spent: list[dict[State, float]] = [{} for _ in range(count)]
    for span in track.spans:
        for index in _touched(span, window, length, count):
            inside = min(span.end, edges[index + 1]) - max(span.start, edges[index])
            if inside > 0:
                spent[index][span.state] = spent[index].get(span.state, 0.0) + inside
    return [_state(seconds, min(SHORTEST_SECONDS, length)) for seconds in spent]


def coarse(track: Track, window: Window, most: int) -> tuple[Span, ...]:
    """The track's spans. If there are more than `most`: as many cells of the window, merged."""
    if len(track.spans) <= most:
        return track.spans
    length = window.seconds / most
    states = cells(track, window, most)
    return tuple(merge(_as_spans(track.listener, track.kind, states, window.start, length)))


def _touched(span: Span, window: Window, length: float, count: int) -> range:
    """The pieces that a span touches."""
    if length <= 0:
        return range(0)
    first = int((span.start - window.start) / length)
    last = int((span.end - window.start) / length)
    return range(max(0, first), min(count, last + 1))


def _state(spent: dict[State, float], shortest: float) -> State | None:
    shown = {state: seconds for state, seconds in spent.items() if seconds >= shortest - NOISE}
    dead = {state for state in shown if state in DEAD}
    uncertain = UNCERTAIN & set(shown)
    return max(dead or uncertain or spent, key=lambda state: spent[state], default=None)


def _as_spans(listener: str, kind: Kind, states: list[State | None], start: float, length: float) -> Iterator[Span]:
    for index, state in enumerate(states):
        if state is not None:
            yield Span(listener, kind, state, start + index * length, start + (index + 1) * length)
