"""Timeline: what is known of all listeners of a room, from any number of feeds, on the operator's clock."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from operator import attrgetter
from typing import TypeVar

from showstopper.availability.boots import Boot
from showstopper.availability.feed import Feed, Sample
from showstopper.availability.spans import NOISE, Span, State, Window
from showstopper.availability.statistics import Statistics
from showstopper.availability.tracks import Track, View, arrival_track, resident_track

T = TypeVar("T", Span, Statistics)

KEEP_SECONDS = 3600.0
"""As long as the ring of a listener (audio/spans.py): a restarted operator can read no more than that."""


class Timeline:
    """What is known of all listeners of one room.

    Adding is idempotent and order does not matter. What no feed tells (a restarted pod, spans that a ring has dropped,
    a listener that never called) is Unknown. Memory is bounded: what ended more than `keep` seconds before the newest
    feed is forgotten.
    """

    def __init__(self, keep: float = KEEP_SECONDS) -> None:
        self.held = False
        """Whether nothing is forgotten now: a run needs all of it from its baseline on, however long it lasts."""
        self._keep = keep
        self._boots: dict[str, Boot] = {}
        self._forgotten = float("-inf")

    def add(self, feed: Feed) -> None:
        """Take in one answer of one pod."""
        boot = self._boots.get(feed.boot)
        if boot is None:
            boot = self._boots[feed.boot] = Boot(feed)
        boot.add(feed, self._forgotten)
        horizon = boot.seen_until - self._keep
        if horizon > self._forgotten + self._keep / 60 and not self.held:
            self.forget(horizon)

    def forget(self, before: float) -> None:
        """Drop what ended before that instant, for good: adding it again changes nothing."""
        self._forgotten = max(self._forgotten, before)
        for boot in list(self._boots.values()):
            boot.forget(self._forgotten)
            if boot.seen_until <= self._forgotten:
                del self._boots[boot.id]

    def after(self, pod: str) -> int:
        """The sequence number to ask this pod's feed `after`: the highest one read of its newest boot, or 0."""
        return max((boot.next for boot in self._newest() if boot.pod == pod), default=0)

    def boot(self, pod: str) -> str | None:
        """The newest boot id of the pod. An answer with another one needs asking again with after=0."""
        return next((boot.id for boot in self._newest() if boot.pod == pod), None)

    def offsets(self) -> dict[str, tuple[float, float]]:
        """By boot, what to add to the clock of a process that answered last to have ours, and how wrong that may be."""
        return {boot.id: (boot.offset, boot.uncertainty) for boot in self._newest()}

    def ahead(self) -> dict[str, float]:
        """By pod, how far its wall clock is ahead of ours. Pods that do not say are left out."""
        return {boot.pod: boot.ahead for boot in self._newest() if not math.isnan(boot.ahead)}

    def clock_stepped(self) -> None:
        """Our own clock was put right: what was too old by it need not be so any more."""
        self._forgotten = float("-inf")

    def known_until(self, pods: Collection[str] | None = None) -> float | None:
        """The instant up to which all these pods (None: all ever seen) have reported, or None if one never has."""
        known = {boot.pod: boot.known_until for boot in self._newest()}
        wanted = known if pods is None else pods
        return min((known[pod] for pod in wanted), default=None) if set(wanted) <= set(known) else None

    def known_from(self, pods: Collection[str]) -> float:
        """The instant from which on these pods have told all that they saw. Infinity: one of them never answered."""
        boots: dict[str, list[Boot]] = {pod: [] for pod in pods}
        for boot in self._boots.values():
            boots.setdefault(boot.pod, []).append(boot)
        return max((_reach(boots[pod]) for pod in pods), default=float("-inf"))

    def seen_until(self) -> float | None:
        """The instant of the newest answer of any pod, or None if there was none."""
        return max((boot.seen_until for boot in self._boots.values()), default=None)

    def latest(self) -> dict[str, Sample]:
        """The newest transport figures of each listener that is in, times on the operator's clock."""
        return {sample.listener: sample for boot in self._newest() for sample in boot.samples()}

    def current(self) -> dict[str, Span]:
        """The newest span of each listener that has not left, times on the operator's clock."""
        return {span.listener: span for boot in self._newest() for span in boot.current()}

    def view(
        self,
        window: Window,
        residents: int | Collection[str],
        following: float = 0.0,
        were_in: Collection[str] = frozenset(),
    ) -> View:
        """What is known of a window, and of at most `following` seconds after it.

        `residents` are those who are meant to be in: their names, or how many. One that was never seen is Unknown
        throughout. Of a number, all that were seen count, even if they are more. `were_in` are residents of whom it is
        known from elsewhere that they heard the host before all that was told here.
        """
        boots = self._ordered()
        calls = [(call, spans) for boot in boots for call, spans in boot.calls(window)]
        until = max(window.end, min(window.end + following, self.seen_until() or window.end))
        told_by = _told_by(boots, self._names(window, residents))
        arrivals = (arrival_track(call, spans, window, until) for call, spans in calls)
        return View(
            window=window,
            residents=tuple(
                _resident(name, window, until, tellers, was_in=name in were_in) for name, tellers in told_by.items()
            ),
            arrivals=tuple(track for track in arrivals if track is not None),
            calls=tuple(call for call, _ in calls),
            following=until - window.end,
        )

    def _names(self, window: Window, residents: int | Collection[str]) -> list[str]:
        if not isinstance(residents, int):
            return sorted(set(residents))
        seen = {name for boot in self._boots.values() for name in boot.residents(window)}
        return sorted(seen) + [f"unseen/{index}" for index in range(residents - len(seen))]

    def _ordered(self) -> list[Boot]:
        return sorted(self._boots.values(), key=attrgetter("seen_until", "id"))

    def _newest(self) -> list[Boot]:
        """The boot of each pod that answered last."""
        return list({boot.pod: boot for boot in self._ordered()}.values())


def _reach(boots: Collection[Boot]) -> float:
    """The instant from which on these boots of one pod have told everything."""
    begins = min((boot.begins for boot in boots), default=math.inf)
    return max([begins, *(boot.dropped_until for boot in boots)])


def _told_by(boots: Iterable[Boot], names: Iterable[str]) -> dict[str, list[Boot]]:
    """By listener, the boots that have told anything of it: of a thousand, few have of any one."""
    told_by: dict[str, list[Boot]] = {name: [] for name in names}
    for boot in boots:
        for name in boot.listeners & told_by.keys():
            told_by[name].append(boot)
    return told_by


def _resident(name: str, window: Window, until: float, boots: Sequence[Boot], *, was_in: bool) -> Track:
    spans = list(_in_turn(_seen(name, Window(window.start, until), boots, was_in=was_in)))
    statistics = (boot.statistics(name, window) for boot in boots)
    return resident_track(name, spans, window, _in_turn(statistics), until)


def _seen(name: str, window: Window, boots: Iterable[Boot], *, was_in: bool) -> Iterator[list[Span]]:
    """What each boot saw of a resident.

    A process that starts again has to join first, whatever the room does. So once a resident was in, what a later boot
    tells of it before it has heard the host says something about us, and nothing about the room: it is Unknown.
    """
    for boot in boots:
        first_live = boot.first_live(name)
        spans = boot.spans(name, window)
        yield [_unless_before(span, first_live) for span in spans] if was_in else spans
        was_in = was_in or first_live is not None


def _unless_before(span: Span, first_live: float | None) -> Span:
    if first_live is not None and span.start >= first_live - NOISE:
        return span
    return replace(span, state=State.UNKNOWN, delay=None, missing=0.0)


def _in_turn(boots: Iterable[Sequence[T]]) -> Iterator[T]:
    """What several boots of its pod tell of one listener: each boot counts until the next one begins."""
    pieces = [piece for piece in boots if piece]
    for piece, following in zip_longest(pieces, pieces[1:]):
        end = following[0].start if following else math.inf
        yield from (part for entry in piece if (part := entry.clipped(entry.start, end)) is not None)
