"""Excuses: what listeners missed because the managed host was not there to be heard is Unknown. Pure.

No verdict on the room may rest on that. A host whose process is well and whom the room has thrown out is another
matter: so would any speaker have been, and that is the room's.

What a listener heard live was spoken. So nothing is explained by a host that somebody heard meanwhile.

Nor by one whom a run has cut off from the room: who did not hear it before and does not after would not have heard it
in between.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from showstopper.availability.feed import Arrival
from showstopper.availability.hosts import REFILL_SECONDS, Absence
from showstopper.availability.spans import DEAD, SILENCE, Span, State, Window, merge
from showstopper.availability.tracks import Track, View

SHORT_SECONDS = 1.0
"""Nobody gets back into a room and loses it again in so short an absence: who was deaf before and is after was so."""

EDGE_SECONDS = 0.1
"""What edges and clocks are not known better than."""


def excused(view: View, absences: Iterable[Absence], cut_off: Sequence[Window] = ()) -> View:
    """The same view, with Unknown for what listeners missed because the host was not there to be heard.

    Who had no connection has lost it without the host. Who heard it live keeps that.

    Args:
        view: as listeners told it.
        absences: of the host.
        cut_off: when faults were in force that let nothing of the host through.
    """
    pieces = _unheard(view, absences)
    if not pieces:
        return view
    return replace(
        view,
        residents=tuple(_excused(track, pieces, cut_off) for track in view.residents),
        arrivals=tuple(_excused(track, pieces, cut_off) for track in view.arrivals),
        calls=tuple(_undecided(call, pieces) for call in view.calls),
    )


def _unheard(view: View, absences: Iterable[Absence]) -> list[tuple[float, float]]:
    """The parts of the absences in which nobody heard the host live, and the time to come back after each."""
    spans = (span for track in view.tracks for span in (*track.spans, *track.following))
    live = sorted((span.start, span.end) for span in spans if span.state is State.LIVE)
    pieces = []
    for absence in absences:
        at = absence.start
        for start, end in live:
            if start >= absence.end:
                break
            if start > at:
                pieces.append((at, start + absence.felt_until - absence.end))
            at = max(at, end)
        if at < absence.end:
            pieces.append((at, absence.felt_until))
    return pieces


def _excused(track: Track, pieces: list[tuple[float, float]], cut_off: Sequence[Window]) -> Track:
    felt = [piece for piece in pieces if not _deaf_anyway(track, piece, cut_off)]
    return replace(
        track,
        spans=tuple(merge(part for span in track.spans for part in _cut(span, felt))),
        following=tuple(merge(part for span in track.following for part in _cut(span, felt))),
        statistics=tuple(
            row for row in track.statistics if not any(row.start < end and row.end > start for start, end in pieces)
        ),
    )


def _deaf_anyway(track: Track, piece: tuple[float, float], cut_off: Sequence[Window]) -> bool:
    """Whether a listener was deaf before an absence and is after it, so that it explains nothing of that.

    It may have been back in between, unless the absence was short, or the host was cut off.
    """
    start, end = piece
    known = (*track.spans, *track.following)
    around = [span for span in known if span.end > start - EDGE_SECONDS and span.start < end + EDGE_SECONDS]
    short = end - start <= SHORT_SECONDS + REFILL_SECONDS
    return (
        (short or any(window.start <= start and end <= window.end for window in cut_off))
        and bool(around)
        and around[0].start <= start - EDGE_SECONDS
        and around[-1].end >= end + EDGE_SECONDS
        and all(span.state in DEAD for span in around)
    )


def _cut(span: Span, pieces: list[tuple[float, float]]) -> Iterator[Span]:
    """A span in its parts: Unknown where the host explains it."""
    if span.state not in SILENCE:
        yield span
        return
    edges = sorted(
        {span.start, span.end, *(edge for piece in pieces for edge in piece if span.start < edge < span.end)}
    )
    for start, end in pairwise(edges):
        part = span.clipped(start, end)
        if part is not None and any(first <= start and end <= last for first, last in pieces):
            part = replace(part, state=State.UNKNOWN, delay=None, missing=0.0)
        if part is not None:
            yield part


def _undecided(call: Arrival, pieces: list[tuple[float, float]]) -> Arrival:
    """A newcomer who was in the room and waited for the host when that was not there: what it heard is not known.

    Until it had joined it waited for the room.
    """
    if call.joined is None:
        return call
    waited_until = call.first_live if call.first_live is not None else call.seen_until
    missed = next((start for start, end in pieces if start < waited_until and end > call.joined), None)
    if missed is None:
        return call
    heard = call.first_audio if call.first_audio is not None and call.first_audio <= missed else None
    sure_until = min(call.sure_until, max(call.joined, missed))
    return replace(call, first_audio=heard, left=None, sure_until=sure_until)
