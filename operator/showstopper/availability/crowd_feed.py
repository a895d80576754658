"""The feed of a crowd pod (`GET /v1/crowd`), read as any listener pod's: changes of state become spans again. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from showstopper.availability.feed import Arrival, Feed, Reader, read_arrival, read_document
from showstopper.availability.spans import Kind, Span, State, Window

MOST_LISTENERS = 10_000
"""Of a pod: more than any holds. What claims more is no crowd."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What crowd pods did themselves in a time: packets that kernels dropped, and the longest stall in seconds."""

    drops: int = 0
    stalled: float = 0.0


@dataclass(frozen=True, slots=True)
class _Instrument:
    """What one process says of itself in its newest answer. Times are the operator's.

    Attributes:
        drops: when its kernel was seen to have dropped packets, and how many.
        stalls: stretches in which it stood still.
    """

    drops: tuple[tuple[float, int], ...]
    stalls: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """From a time of the pod's clock on, a listener is in that state."""

    slot: int
    at: float
    state: State


@dataclass(slots=True)
class _Crowd:
    """What is known of one process: since when each listener is in its state, and what they are called."""

    boot: str
    names: list[str]
    newest: dict[int, _Change] = field(default_factory=dict)

    def close(self, change: _Change) -> Span | None:
        """The span that a change ends, if its beginning is known."""
        before, self.newest[change.slot] = self.newest.get(change.slot), change
        return None if before is None else self._span(before, change.at)

    def open(self, until: float) -> Iterator[Span]:
        """What goes on, as far as it is settled. Nothing is known yet of whoever has not changed at all."""
        for slot in range(len(self.names)):
            yield self._span(self.newest.get(slot, _Change(slot, until, State.UNKNOWN)), until)

    def _span(self, change: _Change, end: float) -> Span:
        return Span(self.names[change.slot], Kind.RESIDENT, change.state, change.at, max(end, change.at))


class CrowdReader:
    """Reads the feeds of a room's crowd pods. It remembers each listener's newest change, which opens its next span."""

    def __init__(self) -> None:
        self._crowds: dict[str, _Crowd] = {}
        self._refusals: dict[str, dict[str, int]] = {}
        self._instruments: dict[str, _Instrument] = {}

    def failures(self, pods: Iterable[str], window: Window) -> Failures:
        """What the instrument did in these pods, by what they say now of the time."""
        known = [instrument for pod in pods if (instrument := self._instruments.get(pod)) is not None]
        drops = (count for each in known for at, count in each.drops if window.start <= at < window.end)
        stalls = (min(end, window.end) - max(start, window.start) for each in known for start, end in each.stalls)
        return Failures(sum(drops), max((0.0, *stalls)))

    def refusals(self, pods: Iterable[str]) -> Counter[str]:
        """Joins that were refused in these pods since their processes began, by reason."""
        total = Counter[str]()
        for pod in pods:
            total.update(self._refusals.get(pod, {}))
        return total

    def keep(self, pods: Iterable[str]) -> None:
        """Forget all other pods. One that comes again is another process, and is read from its beginning."""
        there = set(pods)
        self._crowds = {pod: crowd for pod, crowd in self._crowds.items() if pod in there}
        self._refusals = {pod: refusals for pod, refusals in self._refusals.items() if pod in there}
        self._instruments = {pod: instrument for pod, instrument in self._instruments.items() if pod in there}

    def read(self, document: object, pod: str, offset: float, uncertainty: float = 0.0) -> Feed:
        """The feed in a JSON document. Answers of a pod are read in the order in which they were asked for.

        `offset` and `uncertainty` are those of `parse_feed`.

        Raises:
            FeedError: naming the field and what is wrong with it. Nothing of the document is remembered then.
        """
        root = read_document(pod, document)
        clock, settled = root.inside("clock"), root.seconds("settledUntil")
        if root.text("pod") != pod:
            raise root.wrong("pod", f"is {root.text('pod')!r}, not {pod!r}")
        if (size := root.count("size")) > MOST_LISTENERS:
            raise root.wrong("size", f"is {size}, more than {MOST_LISTENERS}")
        changes, newest = (list(root.each(name, partial(_change, size))) for name in ("changes", "newest"))
        feed = Feed(
            boot=root.text("boot"),
            room=root.text("room"),
            pod=pod,
            offset=offset,
            uncertainty=uncertainty,
            clock=clock.seconds("monotonic"),
            wall=clock.maybe_seconds("wall"),
            lag=0.0,
            next=root.count("next"),
            lost=root.count("lost"),
            spans=(),
            open=(),
            listeners=(),
            arrivals=tuple(root.each("arrivals", _arrival, optional=True)),
        )
        instrument = _instrument(root.inside("instrument"), feed)
        self._refusals[pod] = root.counts("refusals")
        self._instruments[pod] = instrument
        crowd = self._crowd(feed, size, afresh=bool(newest))
        spans = tuple(span for change in changes if (span := crowd.close(change)) is not None)
        for change in newest:
            crowd.newest.setdefault(change.slot, change)
        return replace(feed, spans=spans, open=tuple(crowd.open(settled)))

    def _crowd(self, feed: Feed, size: int, *, afresh: bool) -> _Crowd:
        known = self._crowds.get(feed.pod)
        if known is not None and known.boot == feed.boot and len(known.names) == size and not afresh:
            return known
        crowd = self._crowds[feed.pod] = _Crowd(feed.boot, [f"{feed.pod}/{slot}" for slot in range(size)])
        return crowd


def _arrival(item: Reader) -> Arrival:
    """A newcomer's visit, which may go on. Pods of an older version send none."""
    called, left = item.seconds("calledAt"), item.maybe_seconds("leftAt")
    seen, sure = item.seconds("seenUntil"), item.seconds("sureUntil")
    if not called <= sure <= seen:
        raise item.wrong("sureUntil", f"is {sure}, not between calledAt, {called}, and seenUntil, {seen}")
    if left is not None and left != seen:
        raise item.wrong("leftAt", f"is {left}, and seenUntil {seen}")
    return read_arrival(item, left=left, seen_until=seen, sure_until=sure, followed=False)


def _instrument(said: Reader, feed: Feed) -> _Instrument:
    """Pods of an older version do not say when packets were dropped: all of them may have been only just now."""
    drops, total = list(said.each("drops", _drop, optional=True)), said.count("kernelDrops")
    if total and not drops:
        drops = [(feed.clock, total)]
    return _Instrument(
        tuple((at + feed.offset, packets) for at, packets in drops),
        tuple((start + feed.offset, end + feed.offset) for start, end in said.each("stalls", _stretch)),
    )


def _drop(item: Reader) -> tuple[float, int]:
    return item.seconds("at"), item.count("packets")


def _stretch(item: Reader) -> tuple[float, float]:
    return item.seconds("from"), item.seconds("to")


def _change(size: int, item: Reader) -> _Change:
    slot = item.count("slot")
    if slot >= size:
        raise item.wrong("slot", f"is {slot}, and the crowd has {size} listeners")
    return _Change(slot, item.seconds("at"), item.choice("state", State))
