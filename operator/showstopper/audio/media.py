"""When media reached a listener: the stretches in which packets came, from statistics that are polled now and then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

PACKET_SECONDS = 0.02
"""Opus packets of WebRTC clients hold 20 ms."""

STATISTICS_RATE = 48000
"""Samples per second in which the statistics count."""

CODED_PATIENCE_SECONDS = 0.12
"""Without a packet for longer, media is missing: what the codec makes up when packets end lasts 0.11 s (measured)."""

LATE_SECONDS = 0.2
"""Media that was held up for less, and then came in a burst, is late and not missing: a busy machine does that."""

REACH_SECONDS = 0.3
"""Sound so near to a loss may be read badly because of that: the codec needs some frames to find back, a window is 100
ms long, and sound and statistics reach us up to 60 ms apart."""

KEEP_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Poll:
    """One track's figures at monotonic time `at`. Counters run since the track began.

    `made_up` counts the samples that the player made up for want of packets, `concealed` the audible ones of them.
    """

    source: str
    at: float
    received: int = 0
    lost: int = 0
    last_packet_at: float | None = None
    concealed: int = 0
    made_up: int = 0
    total: int = 0
    jitter: float = 0.0


@dataclass
class Flow:
    """The stretches in which one track's packets came, without a pause longer than `patience` seconds."""

    patience: float
    stretches: list[tuple[float, float]] = field(default_factory=list)
    latest: Poll | None = None
    fed: Poll | None = None
    """The newest poll that told of packets."""

    def polled(self, poll: Poll) -> None:
        """Take the next poll. The last packet's time, the count and the player place a pause between two polls."""
        before = self.latest
        grown = poll.received - (before.received if before else 0)
        self.latest = poll
        if poll.last_packet_at is None or grown <= 0:
            return
        last = poll.last_packet_at
        earliest, began = self._came_again(before, poll, last, last - (grown - 1) * PACKET_SECONDS)
        self.fed = poll
        if self.stretches:
            start, end = self.stretches[-1]
            everything_came = last - end - grown * PACKET_SECONDS <= self.patience
            if earliest - end <= (max(self.patience, LATE_SECONDS) if everything_came else self.patience):
                self.stretches[-1] = (start, max(end, last))
                return
            began = max(began, end)
        self.stretches.append((began, last))

    def _came_again(self, before: Poll | None, poll: Poll, last: float, evenly: float) -> tuple[float, float]:
        """When the first packet since the poll before came, at the earliest and probably.

        `evenly` is when, if they came one after the other. If that is before that poll, they were held up and came in a
        burst, at any time between the polls. A player that had nothing to play any more says when: until then it made
        up everything. One that still had sound does not know.
        """
        if before is None or evenly >= before.at:
            return evenly, evenly
        first = min(last, before.at)
        if self.fed is None or before.at - self.stretches[-1][1] <= self.patience:
            return first, first
        if before.made_up > self.fed.made_up:
            sounded = min(last, before.at + (poll.made_up - before.made_up) / STATISTICS_RATE)
            return sounded, sounded
        return first, (first + last) / 2

    def until(self, now: float) -> list[tuple[float, float]]:
        """The stretches. One that may still go on reaches `now`."""
        if not self.stretches or now - self.stretches[-1][1] > self.patience:
            return self.stretches
        start, end = self.stretches[-1]
        return [*self.stretches[:-1], (start, max(now, end))]


class Media:
    """All tracks of one listener."""

    def __init__(self, patience: float = CODED_PATIENCE_SECONDS) -> None:
        """`patience`: seconds without a packet that are no pause yet."""
        self._patience = patience
        self._flows: dict[str, Flow] = {}
        self._concealed: list[tuple[float, float, float]] = []  # from, to, seconds made up audibly
        self._repaired: list[tuple[float, float]] = []
        self._undecoded: list[tuple[float, float]] = []
        self._ended = Poll("", 0.0)
        self.checked = float("-inf")

    def polled(self, at: float, polls: Sequence[Poll]) -> None:
        """Take what the statistics said at `at`. A track that they no longer name has ended."""
        for poll in polls:
            flow = self._flows.setdefault(poll.source, Flow(self._patience))
            made_up = poll.concealed - (flow.latest.concealed if flow.latest else poll.concealed)
            if made_up > 0:
                self._concealed.append((self.checked, at, made_up / STATISTICS_RATE))
            if _repaired(flow.latest or Poll(poll.source, at), poll):
                self._repaired.append((self.checked, at))
            if flow.latest is not None and poll.received > flow.latest.received and poll.total <= flow.latest.total:
                self._undecoded.append((flow.latest.at, poll.at))
            flow.polled(poll)
        gone = self._flows.keys() - {poll.source for poll in polls} if polls else set()
        for source in gone:
            self._ended = _sum(self._ended, self._flows[source].latest)
            self._flows[source].latest = None
        self.checked = at
        self._forget(at - KEEP_SECONDS)

    def absences(self, start: float, end: float) -> list[tuple[float, float]]:
        """The stretches within [start, end) in which no packet of any track came."""
        flows = sorted(
            stretch for flow in self._flows.values() for stretch in flow.until(self.checked if flow.latest else 0.0)
        )
        absences, at = [], start
        for began, ended in flows:
            if began > at:
                absences.append((at, min(began, end)))
            at = max(at, ended + PACKET_SECONDS)
            if at >= end:
                break
        if at < end:
            absences.append((at, end))
        return [(first, last) for first, last in absences if last > first]

    def concealed_seconds(self, start: float, end: float) -> float:
        """Seconds of sound that the player made up in [start, end), but for those at the edge of an absence."""
        return sum(
            seconds
            for first, last, seconds in self._concealed
            if start < last <= end and not self.absences(max(first, last - 2.0), last)
        )

    def undecoded(self, start: float, end: float) -> list[tuple[float, float]]:
        """The stretches within [start, end) in which a track's packets came and its player made no sound of them.

        A player that runs makes sound all the time, if only silence. One that is suspended has heard nothing.
        """
        return [(max(start, first), min(end, last)) for first, last in self._undecoded if first < end and last > start]

    def doubtful(self, start: float, end: float) -> list[tuple[float, float]]:
        """The stretches within [start, end) in which sound may be the player's own: nearby it made some up, or packets
        were lost, or it has not been asked yet.
        """
        stretches = [*self._repaired, (self.checked, math.inf)]
        near = ((first - REACH_SECONDS, last + REACH_SECONDS) for first, last in stretches)
        return [(max(start, first), min(end, last)) for first, last in near if first < end and last > start]

    def totals(self) -> Poll:
        """The counters since the listener first called, and the newest jitter and packet."""
        total = self._ended
        for flow in self._flows.values():
            if flow.latest is not None:
                total = _sum(total, flow.latest)
        return total

    def _forget(self, before: float) -> None:
        self._concealed = [entry for entry in self._concealed if entry[1] >= before]
        self._repaired = [entry for entry in self._repaired if entry[1] >= before]
        self._undecoded = [entry for entry in self._undecoded if entry[1] >= before]
        for source, flow in list(self._flows.items()):
            recent = [stretch for stretch in flow.stretches if stretch[1] >= before]
            flow.stretches = recent or flow.stretches[-1:]
            if flow.latest is None and not recent:
                del self._flows[source]


def _repaired(before: Poll, poll: Poll) -> bool:
    """Whether the player had to mend sound between two polls.

    What it mends a lost packet with from the next one (in-band FEC, RFC 6716, 2.1.7) is sound of a lower rate that
    counts as lost and not as concealed.
    """
    return poll.concealed > before.concealed or poll.lost > before.lost


def _sum(poll: Poll, other: Poll | None) -> Poll:
    if other is None:
        return poll
    times = [time for time in (poll.last_packet_at, other.last_packet_at) if time is not None]
    return Poll(
        source="",
        at=max(poll.at, other.at),
        received=poll.received + other.received,
        lost=poll.lost + other.lost,
        last_packet_at=max(times, default=None),
        concealed=poll.concealed + other.concealed,
        made_up=poll.made_up + other.made_up,
        total=poll.total + other.total,
        jitter=other.jitter,
    )
