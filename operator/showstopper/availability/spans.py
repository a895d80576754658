"""Spans: [start, end) of one listener in one state. Clipping, merging, and Unknown where nothing is known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

ROUNDING_SECONDS = 0.001
"""Holes up to a millisecond are rounding, not ignorance: edges are known to 20 ms (docs/how-it-measures.md)."""

NOISE = 1e-6
"""Two clocks added in double precision at 1.8e9 s differ by 0.24 µs. Sums of some thousand such stay below this."""


class State(StrEnum):
    """What a listener hears, or why it hears nothing. A listener that has left has no span."""

    LIVE = "Live"  # the host, with a fresh time code
    HOLD = "Hold"  # the hold loop
    STALE = "Stale"  # a time code that is too old
    SILENT = "Silent"  # media without sound
    GARBLED = "Garbled"  # sound that is certainly not the host: mangled, or somebody else's
    NO_MEDIA = "NoMedia"  # connected, no packets
    OFFLINE = "Offline"
    JOINING = "Joining"
    UNCLEAR = "Unclear"  # sound that may be the host's: lost packets, or what the player made of them, hide its code
    UNKNOWN = "Unknown"  # the probe could not see


# Connected, but not hearing the live host.
SILENCE = frozenset({State.HOLD, State.STALE, State.SILENT, State.GARBLED, State.NO_MEDIA})
DISCONNECTED = frozenset({State.OFFLINE, State.JOINING})
DEAD = SILENCE | DISCONNECTED
"""A listener who was in and has not left, and does not hear the live host."""

UNCERTAIN = frozenset({State.UNCLEAR, State.UNKNOWN})
"""Neither audible nor dead air for certain. Unclear is what the room made of the sound, Unknown what our probe
missed."""


class Kind(StrEnum):
    """Residents stay for the whole run. Arrivals join afresh, listen for some seconds and leave."""

    RESIDENT = "Resident"
    ARRIVAL = "Arrival"


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) on the operator's clock, in unix seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length. An inverted window has none."""
        return max(0.0, self.end - self.start)


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) of one listener in one state, in seconds of the pod's clock (in a feed) or the operator's.

    `delay` is the mean mouth-to-ear delay of a live span (None: unknown). `missing` is how many seconds of media did
    not arrive for it: in a span of dead air also what the codec concealed just before it.
    """

    listener: str
    kind: Kind
    state: State
    start: float
    end: float
    delay: float | None = None
    missing: float = 0.0

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start

    def shifted(self, by: float) -> "Span":
        """The same on a clock that is `by` seconds ahead."""
        return Span(self.listener, self.kind, self.state, self.start + by, self.end + by, self.delay, self.missing)

    def clipped(self, start: float, end: float) -> "Span | None":
        """The part inside [start, end), with its part of the missing media, or None if there is none."""
        if self.start >= start and self.end <= end:
            return self if self.end > self.start else None
        first, last = max(self.start, start), min(self.end, end)
        if last <= first:
            return None
        missing = self.missing * (last - first) / (self.end - self.start)
        return Span(self.listener, self.kind, self.state, first, last, self.delay, missing)

    def joined(self, following: "Span") -> "Span":
        """One span of itself and the one after it, which has the same state."""
        return replace(
            self, end=following.end, delay=_mean_delay(self, following), missing=self.missing + following.missing
        )


def _mean_delay(first: Span, second: Span) -> float | None:
    """Mean delay over both spans, weighted by their lengths."""
    if first.delay is None or second.delay is None:
        return second.delay if first.delay is None else first.delay
    seconds = first.seconds + second.seconds
    return first.delay if seconds <= 0 else (first.delay * first.seconds + second.delay * second.seconds) / seconds


def merge(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours in the same state as one span. Takes spans of one listener in order, without overlap."""
    last: Span | None = None
    for span in spans:
        if last is not None and last.state is span.state and span.start - last.end <= NOISE:
            last = last.joined(span)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def without_holes(spans: Iterable[Span], listener: str, kind: Kind, start: float, end: float) -> tuple[Span, ...]:
    """Exactly [start, end) from a listener's spans in order: clipped, merged, and Unknown wherever nothing is known."""
    return tuple(merge(_filled(spans, listener, kind, start, end)))


def _filled(spans: Iterable[Span], listener: str, kind: Kind, start: float, end: float) -> Iterator[Span]:
    at = start
    for span in spans:
        inside = span.clipped(at, end)
        if inside is None:
            continue
        hole = inside.start - at
        if hole > ROUNDING_SECONDS:
            yield Span(listener, kind, State.UNKNOWN, at, inside.start)
        elif hole > 0:
            inside = replace(inside, start=at)
        at = inside.end
        yield inside
    if end - at > NOISE:
        yield Span(listener, kind, State.UNKNOWN, at, end)
