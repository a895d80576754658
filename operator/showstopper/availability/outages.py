"""Outages: the stretches in which a listener did not hear the live host.

How Unknown is treated: it never counts as dead air, and it never ends an outage. Two pieces of dead air with Unknown
between them are one outage, whose dead air is their sum. It lasted at least as long as its longest piece, and at most
as long as everything between the two live spans around it. One that goes on when the window ends counts whole, with the
seconds after the window that belong to it. One that reaches the end of what is known may never end. Dead air after the
window, with Unknown between the window and it, may belong to an outage of the window, and may not: it is as good as
Unknown.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from showstopper.availability.spans import DEAD, SILENCE, UNCERTAIN, Span, State
from showstopper.availability.tracks import Track, View


@dataclass(frozen=True, slots=True)
class BadStretch:
    """A longest row of spans of one listener that are bad or Unknown.

    Attributes:
        within: when the window ends.
        goes_on: no good span is known behind it.
    """

    spans: tuple[Span, ...]
    bad: frozenset[State]
    within: float
    goes_on: bool

    @property
    def seconds(self) -> float:
        """From the first to the last instant."""
        return self.spans[-1].end - self.spans[0].start

    @property
    def known(self) -> tuple[Span, ...]:
        """Its spans that are certainly bad, and certainly part of an outage in the window."""
        return tuple(span for piece in self._pieces for span in piece)

    @property
    def known_seconds(self) -> float:
        """How long it was certainly bad."""
        return sum(span.end - span.start for span in self.known)

    @property
    def at_most(self) -> float:
        """How long the bad state may have lasted, if all that is Unknown was bad too: inf if it may still go on."""
        return math.inf if self.goes_on else self.seconds

    @property
    def at_least(self) -> float:
        """The longest piece that is bad without a doubt in it."""
        return max((sum(span.seconds for span in piece) for piece in self._pieces), default=0.0)

    @property
    def _pieces(self) -> Iterator[tuple[Span, ...]]:
        """Bad spans without Unknown between them, which begin in the window."""
        for is_bad, spans in groupby(self.spans, lambda span: span.state in self.bad):
            piece = tuple(spans)
            if is_bad and piece[0].start < self.within:
                yield piece


class OutageEnd(StrEnum):
    """How an outage ended, as far as is known."""

    RECOVERED = "Recovered"  # the live host was heard again
    LEFT = "Left"  # the listener left before that, as newcomers do
    UNKNOWN = "Unknown"  # nothing more is known of the listener, or not enough
    NOT_RECOVERED = "NotRecovered"  # it went on until the window's end


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage of one listener that touches a window. All lengths in seconds.

    `dead_air` is what was certainly not heard, `silence` the part of it while connected, `missing` how much media did
    not arrive (the codec conceals the first 0.11 s: more is missing than is heard to be).
    """

    listener: str
    start: float
    end: float
    dead_air: float
    at_least: float
    at_most: float
    silence: float
    missing: float
    ended: OutageEnd

    @property
    def recovered(self) -> bool:
        """Whether the live host was heard again, as far as is known, with nothing Unknown in between."""
        return self.ended is OutageEnd.RECOVERED


def stretches(track: Track, bad: frozenset[State]) -> Iterator[BadStretch]:
    """The stretches of a track in order, those that are wholly Unknown included.

    One that goes on when the window ends has its end in what follows, if that is known. Of a listener
    that was lost sight of only what was seen goes on: Unknown time just before that is no sign of an outage.
    """
    row: list[Span] = []
    within = track.spans[-1].end if track.spans else 0.0
    for span in (*track.spans, *track.following):
        if span.start >= within and not row:
            return
        if span.state in bad or span.state in UNCERTAIN:
            row.append(span)
        elif row:
            yield BadStretch(tuple(row), bad, within, goes_on=False)
            row = []
    if row:
        over = track.left or (track.lost and all(span.state in UNCERTAIN for span in row))
        yield BadStretch(tuple(row), bad, within, goes_on=not over)


def of_track(track: Track) -> list[Outage]:
    """The outages of one listener, in order."""
    return [outage for stretch in stretches(track, DEAD) if (outage := of_stretch(track, stretch)) is not None]


def of_view(view: View) -> list[Outage]:
    """The outages of all who were in, residents first."""
    return [outage for track in view.tracks for outage in of_track(track)]


def of_stretch(track: Track, stretch: BadStretch) -> Outage | None:
    """The outage in a stretch of a track, or None if nothing in it is certainly dead air."""
    known = stretch.known
    if not known:
        return None
    return Outage(
        listener=track.listener,
        start=known[0].start,
        end=known[-1].end,
        dead_air=stretch.known_seconds,
        at_least=stretch.at_least,
        at_most=stretch.at_most,
        silence=sum(span.seconds for span in known if span.state in SILENCE),
        missing=sum(span.missing for span in known),
        ended=_ended(track, stretch),
    )


def _ended(track: Track, stretch: BadStretch) -> OutageEnd:
    last = stretch.spans[-1]
    if last is not stretch.known[-1]:
        return OutageEnd.UNKNOWN
    if last.end < (track.following or track.spans)[-1].end:
        return OutageEnd.RECOVERED
    return OutageEnd.LEFT if track.left else OutageEnd.NOT_RECOVERED
