"""Hosts: when a room's managed host was not there to be heard, by what its processes say of themselves. Pure.

The host is part of the instrument: a process that ended, started anew (and plays hold music first), stood still or did
not answer explains what listeners missed (`excuses`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from showstopper.availability.boots import DRIFT, STEP_SECONDS
from showstopper.availability.clocks import HostClock
from showstopper.availability.feed import read_document
from showstopper.availability.spans import Window

AFTER_SECONDS = 2.0
"""How long after a host is back its listeners may need until they hear it: a subscription and a full player."""

REFILL_SECONDS = 0.5
"""The same after it stood still: only their players have to be filled again."""

UNANSWERED_SECONDS = 5.0
"""A host is asked each second, with a time limit of two: so long it may owe an answer, and be well."""

UNANSWERED = "its pod did not answer"
STARTED_ANEW = "its process started anew"
STOOD_STILL = "its process stood still"


@dataclass(frozen=True, slots=True)
class HostFeed:
    """What a host said (`GET /v1/host`). All times are on its own clock. `offset` added gives the operator's.

    Attributes:
        boot: of its process.
        clock: what its monotonic clock showed.
        wall: what its wall clock showed then.
        started: when the process began.
        speaks_from: when its hold music was over. None: the room has not taken its sound once.
        stalls: [from, to) in which it said nothing because it stood still.
    """

    boot: str
    offset: float
    uncertainty: float
    clock: float
    wall: float
    started: float
    speaks_from: float | None
    stalls: tuple[tuple[float, float], ...]


def parse_host(document: object, pod: str, offset: float, uncertainty: float) -> HostFeed:
    """The feed in a JSON document.

    Raises:
        FeedError: naming the pod, the field and what is wrong with it.
    """
    root = read_document(pod, document)
    clock = root.inside("clock")
    return HostFeed(
        boot=root.text("boot"),
        offset=offset,
        uncertainty=uncertainty,
        clock=clock.seconds("monotonic"),
        wall=clock.seconds("wall"),
        started=root.seconds("startedAt"),
        speaks_from=root.maybe_seconds("holdUntil"),
        stalls=tuple(root.each("stalls", lambda item: (item.seconds("from"), item.seconds("to")))),
    )


@dataclass(frozen=True, slots=True)
class Absence:
    """[start, end) on the operator's clock in which the host could not be heard, and why."""

    start: float
    end: float
    why: str

    @property
    def felt_until(self) -> float:
        """Until when listeners may miss something because of it."""
        return self.end + (REFILL_SECONDS if self.why == STOOD_STILL else AFTER_SECONDS)


@dataclass(frozen=True, slots=True)
class HostKnown:
    """All that is known of a room's host during a run. By default nothing, as of a speaker who is not ours.

    `seen_until`: when it answered last. `absences`: when it could not be heard. `clocks`: those of its processes.
    """

    seen_until: float | None = None
    absences: tuple[Absence, ...] = ()
    clocks: tuple[HostClock, ...] = ()

    def sure_until(self, now: float) -> float:
        """Up to when it is known whether it could be heard: until its last answer, as long as it may owe the next."""
        if self.seen_until is None or now - self.seen_until > UNANSWERED_SECONDS:
            return now
        return min(now, self.seen_until)


class HostLog:
    """What all processes of one room's host have said."""

    def __init__(self) -> None:
        self._newest: dict[str, HostFeed] = {}
        self._best: dict[str, HostFeed] = {}

    def add(self, feed: HostFeed) -> None:
        """Take in one answer."""
        best = self._best.get(feed.boot)
        if best is None or _worth(feed) < _worth(best) or _stepped(best, feed):
            self._best[feed.boot] = feed
        newest = self._newest.get(feed.boot)
        if newest is None or feed.clock >= newest.clock:
            self._newest[feed.boot] = feed

    def forget(self, before: float) -> None:
        """Drop the processes that were heard last before that instant."""
        for boot in [boot for boot in self._newest if self._seen(boot) < before]:
            del self._newest[boot], self._best[boot]

    @property
    def ahead(self) -> float | None:
        """How far the wall clock of the process that answered last is ahead of the operator's. None: none has."""
        return self._clock(max(self._newest, key=self._seen)).ahead if self._newest else None

    @property
    def clocks(self) -> tuple[HostClock, ...]:
        """The wall clock of each process that has answered, against the operator's."""
        return tuple(map(self._clock, self._newest))

    def _clock(self, boot: str) -> HostClock:
        newest, best = self._newest[boot], self._best[boot]
        return HostClock(
            since=newest.started + best.offset,
            ahead=newest.wall - newest.clock - best.offset,
            uncertainty=best.uncertainty + DRIFT * abs(newest.clock - best.clock),
        )

    @property
    def told_since(self) -> float | None:
        """From when on it is told of: since the first process began that has answered. None: none has."""
        began = (feed.started + self._best[boot].offset for boot, feed in self._newest.items())
        return min(began, default=None)

    @property
    def seen_until(self) -> float | None:
        """When it answered last, on the operator's clock."""
        return max(map(self._seen, self._newest), default=None)

    def absences(self, window: Window, *, seen: float | None = None) -> list[Absence]:
        """When the host could not be heard in a window, in order.

        Args:
            window: on the operator's clock.
            seen: when any process of it had answered last, as far as somebody else remembers.
        """
        absences = list(self._between(window, seen))
        for boot, feed in self._newest.items():
            offset = self._best[boot].offset
            absences += [Absence(start + offset, end + offset, STOOD_STILL) for start, end in feed.stalls]
        inside = (
            Absence(max(each.start, window.start), min(each.end, window.end), each.why)
            for each in absences
            if each.end > window.start and each.start < window.end
        )
        return sorted((each for each in inside if each.end > each.start), key=lambda each: each.start)

    def _between(self, window: Window, seen: float | None) -> Iterator[Absence]:
        """The times in which no process was known to be there, and in which a new one played its hold music."""
        last = max(window.start, seen) if seen is not None else window.start
        boots = sorted(self._newest, key=lambda boot: self._newest[boot].started + self._best[boot].offset)
        for boot in boots:
            feed, offset = self._newest[boot], self._best[boot].offset
            began = feed.started + offset
            speaks = feed.speaks_from + offset if feed.speaks_from is not None else math.inf
            yield Absence(min(began, last), speaks, STARTED_ANEW)
            last = max(last, self._seen(boot))
        if window.end - last > UNANSWERED_SECONDS:
            yield Absence(last, math.inf, UNANSWERED)

    def _seen(self, boot: str) -> float:
        return self._newest[boot].clock + self._best[boot].offset


def bounded(absences: Sequence[Absence], most: int) -> list[Absence]:
    """At most so many, in order: those that overlap as one, then those that are nearest to each other."""
    joined: list[Absence] = []
    for each in sorted(absences, key=lambda each: each.start):
        if joined and each.start <= joined[-1].end:
            joined[-1] = _joined(joined[-1], each)
        else:
            joined.append(each)
    while len(joined) > most:
        index = min(range(len(joined) - 1), key=lambda at: joined[at + 1].start - joined[at].end)
        joined[index : index + 2] = [_joined(joined[index], joined[index + 1])]
    return joined


def _joined(first: Absence, second: Absence) -> Absence:
    """Both as one, for the graver reason."""
    why = second.why if first.why == STOOD_STILL else first.why
    return Absence(first.start, max(first.end, second.end), why)


def _worth(feed: HostFeed) -> float:
    return feed.uncertainty - DRIFT * feed.clock


def _stepped(best: HostFeed, feed: HostFeed) -> bool:
    """Whether our own clock has stepped between two answers of one process."""
    doubt = feed.uncertainty + best.uncertainty + DRIFT * abs(feed.clock - best.clock) + STEP_SECONDS
    return feed.clock >= best.clock and abs(feed.offset - best.offset) > doubt
