"""Feed: one answer of a listener pod (`GET /v1/spans`), checked field by field. Times stay on that pod's clock."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from showstopper.availability.errors import FeedError
from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.statistics import Statistics

_LARGEST = 2**100
"""JSON has integers of any length. One beyond this is no count and no time, and does not fit into a float of 32
bits."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """A listener's transport figures when they were last read (`sampled_at`). Counters run since it first called."""

    listener: str
    kind: Kind
    relay_address: str | None
    relay_port: int | None
    packets_received: int
    packets_lost: int
    last_packet_at: float | None
    concealed_samples: int
    total_samples: int
    jitter: float
    reconnects: int
    sampled_at: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """One newcomer's visit: when it called, joined, heard its first sound and the live host, and left (None: did not).

    `seen_until` is the last instant at which anything is known of it: where it left, or how far it was seen.
    `sure_until` is how far everything is. `followed`: spans tell what it heard, as none do of a crowd's.
    """

    listener: str
    called: float
    joined: float | None
    first_audio: float | None
    first_live: float | None
    left: float | None
    error: str
    seen_until: float
    sure_until: float
    followed: bool = True

    @property
    def surely_left(self) -> float | None:
        """When it left, if everything is known until then: what had not happened by then never did."""
        return self.left if self.left is not None and self.sure_until >= self.left else None


@dataclass(frozen=True, slots=True)
class Feed:
    """What a pod said. All times are on the pod's own clock. `offset` added to them gives the operator's.

    `wall` is what the pod's wall clock showed at `clock` (None: it did not say). `statistics` are rows that are over,
    `counting` those that go on. Listeners of an older version send neither.
    """

    boot: str
    room: str
    pod: str
    offset: float
    uncertainty: float
    clock: float
    wall: float | None
    lag: float
    next: int
    lost: int
    spans: tuple[Span, ...]
    open: tuple[Span, ...]
    listeners: tuple[Sample, ...]
    arrivals: tuple[Arrival, ...]
    statistics: tuple[Statistics, ...] = ()
    counting: tuple[Statistics, ...] = ()


def parse_feed(document: object, offset: float, uncertainty: float = 0.0) -> Feed:
    """The feed in a JSON document.

    `offset` is what must be added to the pod's monotonic clock to get the operator's unix seconds: the middle of the
    request on the operator's clock minus `clock.monotonic`. `uncertainty` is half of the round trip.

    Raises:
        FeedError: naming the pod, the field and what is wrong with it.

    """
    pod = document.get("pod") if isinstance(document, Mapping) else None
    root = Reader(pod if isinstance(pod, str) else "", "", document)
    clock = root.inside("clock")
    return Feed(
        boot=root.text("boot"),
        room=root.text("room"),
        pod=root.text("pod"),
        offset=offset,
        uncertainty=uncertainty,
        clock=clock.seconds("monotonic"),
        wall=clock.maybe_seconds("wall"),
        lag=root.seconds("lagSeconds", default=0.0),
        next=root.count("next"),
        lost=root.count("lost", default=0),
        spans=tuple(root.each("spans", _span)),
        open=tuple(root.each("open", _span)),
        listeners=tuple(root.each("listeners", _sample)),
        arrivals=tuple(root.each("arrivals", _arrival)),
        statistics=tuple(root.each("statistics", _statistics, optional=True)),
        counting=tuple(root.each("openStatistics", _statistics, optional=True)),
    )


def read_document(pod: str, document: object) -> "Reader":
    """Reads the fields of another document of a pod.

    Raises:
        FeedError: it is no object.
    """
    return Reader(pod, "", document)


def _span(item: "Reader") -> Span:
    start, end = item.seconds("from"), item.seconds("to")
    if end < start:
        raise item.wrong("to", f"{end} is before from, {start}")
    return Span(
        listener=sys.intern(item.text("listener")),
        kind=item.choice("kind", Kind),
        state=item.choice("state", State),
        start=start,
        end=end,
        delay=item.maybe_seconds("delaySeconds"),
        missing=item.seconds("missingSeconds", default=0.0),
    )


def _sample(item: "Reader") -> Sample:
    relay = item.inside("relay") if item.value.get("relay") is not None else None
    return Sample(
        listener=sys.intern(item.text("listener")),
        kind=item.choice("kind", Kind),
        relay_address=relay.text("address") if relay else None,
        relay_port=relay.count("port") if relay else None,
        packets_received=item.count("packetsReceived", default=0),
        packets_lost=item.whole("packetsLost"),
        last_packet_at=item.maybe_seconds("lastPacketAt"),
        concealed_samples=item.count("concealedSamples", default=0),
        total_samples=item.count("totalSamples", default=0),
        jitter=item.seconds("jitterSeconds", default=0.0),
        reconnects=item.count("reconnects", default=0),
        sampled_at=item.seconds("sampledAt"),
    )


def _statistics(item: "Reader") -> Statistics:
    start, end = item.seconds("from"), item.seconds("to")
    if end < start:
        raise item.wrong("to", f"{end} is before from, {start}")
    return Statistics(
        listener=sys.intern(item.text("listener")),
        start=start,
        end=end,
        received=item.count("packetsReceived"),
        lost=item.whole("packetsLost"),
        concealed=item.count("concealedSamples"),
        samples=item.count("totalSamples"),
        jitter=item.maybe_seconds("jitterSeconds"),
        delay=item.maybe_seconds("delaySeconds"),
    )


def _arrival(item: "Reader") -> Arrival:
    called, left = item.seconds("calledAt"), item.seconds("leftAt")
    if left < called:
        raise item.wrong("leftAt", f"{left} is before calledAt, {called}")
    return read_arrival(item, left=left, seen_until=left, sure_until=left)


def read_arrival(
    item: "Reader", *, left: float | None, seen_until: float, sure_until: float, followed: bool = True
) -> Arrival:
    """A newcomer's visit, of which it is known when it left, and how far it was seen and is sure (see Arrival).

    Raises:
        FeedError: naming the field and what is wrong with it.
    """
    return Arrival(
        listener=sys.intern(item.text("listener")),
        called=item.seconds("calledAt"),
        joined=item.maybe_seconds("joinedAt"),
        first_audio=item.maybe_seconds("firstAudioAt"),
        first_live=item.maybe_seconds("firstLiveAt"),
        left=left,
        error=item.text("error", default=""),
        seen_until=seen_until,
        sure_until=sure_until,
        followed=followed,
    )


class Reader:
    """Reads the fields of one JSON object and says where a wrong one stands."""

    __slots__ = ("path", "pod", "value")

    def __init__(self, pod: str, path: str, value: object) -> None:
        self.pod = pod
        self.path = path
        self.value: Mapping[str, Any] = {}
        if not isinstance(value, Mapping):
            raise FeedError(pod, path.rstrip(".") or "the document", f"is {_kind_of(value)}, not an object")
        self.value = value

    def wrong(self, field: str, problem: str) -> FeedError:
        """What to raise for a field."""
        return FeedError(self.pod, self.path + field, problem)

    def inside(self, field: str) -> "Reader":
        """Reads the object in a field."""
        return Reader(self.pod, f"{self.path}{field}.", self.value.get(field))

    def each(self, field: str, read: Callable[["Reader"], T], *, optional: bool = False) -> Iterator[T]:
        """What `read` makes of each object in a list."""
        items = self.value.get(field, [] if optional else None)
        if not isinstance(items, list):
            raise self.wrong(field, f"is {_kind_of(items)}, not a list")
        for index, item in enumerate(items):
            yield read(Reader(self.pod, f"{self.path}{field}[{index}].", item))

    def text(self, field: str, default: str | None = None) -> str:
        """A text, which is not empty unless there is a default."""
        value = self.value.get(field, default)
        if isinstance(value, str) and (value or default is not None):
            return value
        raise self.wrong(field, "is empty" if value == "" else f"is {_kind_of(value)}, not a text")

    def seconds(self, field: str, default: float | None = None) -> float:
        """A number of seconds."""
        value = self.maybe_seconds(field)
        if value is not None:
            return value
        if default is not None:
            return default
        raise self.wrong(field, "is missing")

    def maybe_seconds(self, field: str) -> float | None:
        """A number of seconds, or None where there is none."""
        value = self.value.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise self.wrong(field, f"is {_kind_of(value)}, not a number of seconds")
        return float(value)

    def whole(self, field: str) -> int:
        """A whole number, 0 if absent. RTP's packets-lost may fall below zero (RFC 3550, section 6.4.1: duplicates)."""
        value = self.value.get(field, 0)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
            raise self.wrong(field, f"is {_kind_of(value)}, not a whole number")
        return value

    def count(self, field: str, default: int | None = None) -> int:
        """A whole number from 0."""
        if field not in self.value and default is None:
            raise self.wrong(field, "is missing")
        value = self.whole(field)
        if value < 0:
            raise self.wrong(field, f"is {value}, below zero")
        return value if field in self.value else default or 0

    def counts(self, field: str) -> dict[str, int]:
        """The whole numbers from 0 of an object, by their names."""
        inside = self.inside(field)
        return {name: inside.count(name) for name in inside.value}

    def choice(self, field: str, choices: type[E]) -> E:
        """One of the choices, by its value."""
        try:
            return choices(str(self.value.get(field)))
        except ValueError:
            names = ", ".join(choices)
            raise self.wrong(field, f"is {str(self.value.get(field))[:40]!r}, not one of {names}") from None


def _kind_of(value: object) -> str:
    """What a wrong value is, for a person: a short text as it stands, a long one or a structure by its kind."""
    if value is None:
        return "missing"
    if isinstance(value, str | int | float | bool):
        return repr(value)[:40]
    return "a list" if isinstance(value, list) else f"of type {type(value).__name__}"
