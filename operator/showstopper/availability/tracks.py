"""Tracks: what each listener heard in a window, without a hole. A View is all tracks of a room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from showstopper.availability.clocks import HostClock
from showstopper.availability.counts import CountSample
from showstopper.availability.feed import Arrival
from showstopper.availability.spans import (
    DISCONNECTED,
    UNCERTAIN,
    Kind,
    Span,
    State,
    Window,
    merge,
    without_holes,
)
from showstopper.availability.statistics import Statistics

_HEARD_SOMETHING = frozenset({State.LIVE, State.HOLD, State.STALE, State.GARBLED})


@dataclass(frozen=True, slots=True)
class Track:
    """What one listener heard: its spans in order, merged, without a hole.

    A resident's track covers the window exactly. An arrival's begins when it first heard the live host (before that it
    was not in) and ends where it left or where the window or our knowledge ends. `left` says that it is known to have
    left by the end of what is known, so that nothing of it can go on. `lost` says that our knowledge of it ends inside
    the window. `statistics` are a resident's rows inside the window, in order and without overlap. Time in which it has
    none is Unknown to whatever is computed of them. `following` is what came right after the window, as far as it was
    handed in: it decides what the window's last instant leaves open.
    """

    listener: str
    kind: Kind
    spans: tuple[Span, ...]
    left: bool = False
    lost: bool = False
    statistics: tuple[Statistics, ...] = ()
    following: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A room in a window: residents, arrivals who were in, and every call of a newcomer that touches the window.

    `following` is how many seconds after the window are known of the residents too. `never_in` are residents who were
    seen not to hear the host before the fault: no outage of theirs is the fault's. `unmade` is how many calls newcomers
    should have made in it and did not: of those nothing is known. `host_clocks` are those of the host's processes, as
    far as they are known. `starts_at` is when the show is announced to start. None if it is not. `counts` are
    samples of the public number of listeners.
    """

    window: Window
    residents: tuple[Track, ...]
    arrivals: tuple[Track, ...] = ()
    calls: tuple[Arrival, ...] = ()
    following: float = 0.0
    never_in: frozenset[str] = frozenset()
    unmade: int = 0
    host_clocks: tuple[HostClock, ...] = ()
    starts_at: float | None = None
    counts: tuple[CountSample, ...] = ()

    @property
    def known_until(self) -> float:
        """The end of the window and of the seconds after it that are known."""
        return self.window.end + self.following

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All who were in."""
        return tuple(track for track in self.residents if track.listener not in self.never_in) + self.arrivals


def resident_track(
    name: str,
    spans: Sequence[Span],
    window: Window,
    statistics: Iterable[Statistics] = (),
    until: float | None = None,
) -> Track:
    """A resident is meant to be in for the whole window: what is not known of it is Unknown, from start to end.

    What is known up to `until` (None: the window's end) follows it.
    """
    following = () if until is None else without_holes(spans, name, Kind.RESIDENT, window.end, until)
    return Track(
        name,
        Kind.RESIDENT,
        without_holes(spans, name, Kind.RESIDENT, window.start, window.end),
        following=following,
        statistics=tuple(part for row in statistics if (part := row.clipped(window.start, window.end)) is not None),
    )


def arrival_track(call: Arrival, spans: Sequence[Span], window: Window, until: float | None = None) -> Track | None:
    """An arrival from when it was in to when it left, inside the window, or None if it was never in, or not then.

    None, too, of one whose spans nobody tells: it has a call and no track.

    Without the record of a finished visit, an Unknown stretch before the first live one may hide when it came in: from
    there on nothing counts as dead air until it is heard to be live.
    """
    if not call.followed:
        return None
    whole = without_holes(spans, call.listener, Kind.ARRIVAL, call.called, call.seen_until)
    present = _since_in(whole, call)
    inside = tuple(part for span in present if (part := span.clipped(window.start, window.end)))
    if not inside:
        return None
    until = window.end if until is None else until
    after = tuple(part for span in present if (part := span.clipped(window.end, until)))
    left = call.left is not None and call.left <= until
    lost = call.left is None and call.seen_until < window.end
    return Track(call.listener, Kind.ARRIVAL, inside, left=left, lost=lost, following=after)


def _since_in(spans: tuple[Span, ...], call: Arrival) -> tuple[Span, ...]:
    """The spans from when it was in."""
    if call.left is None:
        return _perhaps_in(spans)
    heard = call.first_live
    if heard is None:
        return ()
    for index, span in enumerate(spans):
        if span.state is State.LIVE:
            return spans[index:]
        if span.state in UNCERTAIN and span.end > heard:
            return (replace(span, start=max(span.start, heard)), *spans[index + 1 :])
    return ()


def _perhaps_in(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans from when it was in or, behind an Unknown one, may have been."""
    doubtful: list[Span] = []
    for index, span in enumerate(spans):
        if span.state is State.LIVE:
            return (*merge(doubtful), *spans[index:])
        if doubtful or span.state in UNCERTAIN:
            doubtful.append(replace(span, state=State.UNKNOWN, missing=0.0))
    return tuple(merge(doubtful))


def unfinished_call(listener: str, spans: Sequence[Span]) -> Arrival:
    """What the spans of an arrival say as long as there is no record of its visit. Takes at least one span.

    What happened behind an Unknown stretch may have happened in it: that is not told.
    """
    whole = without_holes(spans, listener, Kind.ARRIVAL, spans[0].start, spans[-1].end)
    sure_until = next((span.start for span in whole if span.state in UNCERTAIN), spans[-1].end)

    def first(wanted: frozenset[State]) -> float | None:
        return next((span.start for span in whole if span.state in wanted and span.start < sure_until), None)

    connected = frozenset(State) - DISCONNECTED - UNCERTAIN
    return Arrival(
        listener=listener,
        called=spans[0].start,
        joined=first(connected),
        first_audio=first(_HEARD_SOMETHING),
        first_live=first(frozenset({State.LIVE})),
        left=None,
        error="",
        seen_until=spans[-1].end,
        sure_until=sure_until,
    )
