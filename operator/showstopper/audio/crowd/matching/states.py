"""The state of a listener at any time: what it was sent of the reference, and when it was sent nothing. No clock.

Of what holds at a time, the first of these counts:

1. where our own instrument was blind: Unknown
2. what was heard: Live, Hold, Stale, Garbled, Silent
3. without a packet: Offline or Joining without a session, or Unknown where that is our own doing, and NoMedia in one
4. payloads of digital silence: Silent
5. anything else is Unknown: packets came, and the reference does not know them
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from showstopper.audio.crowd.ledger import Stretch
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.availability.spans import DISCONNECTED, Kind, Span, State, Window, merge

Layer = Sequence[tuple[float, float, State]]


def spans(
    listener: str,
    window: Window,
    *,
    sessions: Layer,
    pauses: Iterable[Stretch],
    silences: Iterable[Stretch],
    heard: Iterable[HeardSpan],
    blind: Iterable[tuple[float, float]] = (),
) -> tuple[Span, ...]:
    """Exactly the window, in spans of this resident, in monotonic seconds.

    Args:
        listener: its name.
        window: from when to when.
        sessions: when it was Joining or Offline, or without a session by our own doing: Unknown.
        pauses: when no packet came.
        silences: when packets held digital silence.
        heard: what the follower told.
        blind: when our own process stood still, or its buffers were full.
    """
    assert all(state in DISCONNECTED or state is State.UNKNOWN for _, _, state in sessions)
    layers: list[Layer] = [
        [(start, end, State.UNKNOWN) for start, end in blind],
        [(each.start, each.end, each.state) for each in heard],
        [part for pause in pauses for part in _without_media(pause, sessions)],
        [(each.start, each.end, State.SILENT) for each in silences],
    ]
    edges = {window.start, window.end}
    edges |= {edge for layer in layers for start, end, _ in layer for edge in (start, end)}
    inside = sorted(edge for edge in edges if window.start <= edge <= window.end)
    return tuple(
        merge(
            Span(listener, Kind.RESIDENT, _topmost(layers, (start + end) / 2), start, end)
            for start, end in pairwise(inside)
        )
    )


def _without_media(pause: Stretch, sessions: Layer) -> Layer:
    """A pause, with the time in it without a session before the rest: of two layers the first counts."""
    cut = [(max(start, pause.start), min(end, pause.end), state) for start, end, state in sessions]
    return [*(part for part in cut if part[0] < part[1]), (pause.start, pause.end, State.NO_MEDIA)]


def _topmost(layers: Sequence[Layer], at: float) -> State:
    return next((state for layer in layers for start, end, state in layer if start <= at < end), State.UNKNOWN)
