"""The tally of a storm: who got in at the first try, by what error the others did not, and how long it took. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from showstopper.audio.crowd import stalls
from showstopper.audio.crowd.diary import Marks
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.crowd.stalls import Stall
from showstopper.faults.storm.schedule import LATEST_SECONDS

MOST_MESSAGES = 10
"""Kept of the messages with which visitors were refused: the most frequent ones."""


@dataclass(slots=True)
class JoinAttempt:
    """One visitor's first and only try. Times are monotonic seconds, NaN for what did not happen."""

    due: float
    marks: Marks = field(default_factory=Marks)
    ended: float = math.nan
    refusal: Refusal | None = None
    message: str = ""
    loss: Loss | None = None
    """How the session was lost again before the storm was over."""

    lost_at: float = math.nan
    first_packet: float = math.nan

    @property
    def is_in(self) -> bool:
        """Whether it got in."""
        return self.refusal is None and not math.isnan(self.ended)

    def is_unknown(self, stood_still: Iterable[Stall]) -> bool:
        """Whether it says nothing of the room: our own process failed, or stood still meanwhile."""
        if self.is_in:
            return False
        if self.refusal is None:
            return True
        meanwhile = stalls.before(self.ended, stood_still, self.ended - self.marks.called)
        return stalls.is_ours(self.refusal, meanwhile)

    def lost(self, stood_still: Iterable[Stall]) -> Loss | None:
        """How it was lost after it was in: INSTRUMENT, if our own process stood still before that."""
        if not self.is_in or self.loss is None:
            return None
        return Loss.INSTRUMENT if stalls.is_ours(self.loss, stalls.before(self.lost_at, stood_still)) else self.loss


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the call to a step, of those who reached it: percentiles by nearest rank."""

    count: int
    p50: float
    p95: float
    longest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self | None:
        """Of these seconds. NaN stands for who did not get there. None if nobody did."""
        ordered = sorted(value for value in values if not math.isnan(value))
        if not ordered:
            return None
        p50, p95 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95))
        return cls(len(ordered), p50, p95, ordered[-1])


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of a storm. Each visitor is let in, refused or unknown."""

    visitors: int
    called: int
    """Who has tried."""

    let_in: int
    refused: dict[Refusal, int]
    """By reason, without those who are unknown."""

    unknown: int
    """Whose try says nothing of the room: this process had no sockets left, stood still, or ran out of time."""

    messages: dict[str, int]
    """The most frequent messages of those who were refused."""

    heard: int
    """Who had a packet of sound before the storm was over."""

    lost: dict[Loss, int]
    """Who got in, and lost the session before the storm was over. INSTRUMENT for what may be our own doing."""

    upgraded: Latency | None
    """To the answer 101 of the signalling."""

    connected: Latency | None
    """To a transport for media: ICE and DTLS."""

    first_packet: Latency | None
    seconds: float
    """From the first call to the end of the last try."""

    latest: float
    """Seconds that a visitor came too late at most, by our own doing."""

    @classmethod
    def of(cls, tries: Sequence[JoinAttempt], stood_still: Iterable[Stall] = ()) -> Self:
        """Of all tries of a storm, at least one. `stood_still` is when this process did."""
        stood = list(stood_still)
        unknown = [each for each in tries if each.is_unknown(stood)]
        let_in = [each for each in tries if each.is_in]
        known = [each for each in tries if not (each.is_in or each.is_unknown(stood))]
        called = [each for each in tries if not math.isnan(each.marks.called)]
        first = min((each.marks.called for each in called), default=math.nan)
        return cls(
            visitors=len(tries),
            called=len(called),
            let_in=len(let_in),
            refused=dict(Counter(each.refusal for each in known if each.refusal is not None).most_common()),
            unknown=len(unknown),
            messages=dict(Counter(each.message for each in tries if each.message).most_common(MOST_MESSAGES)),
            heard=sum(not math.isnan(each.first_packet) for each in let_in),
            lost=dict(Counter(loss for each in let_in if (loss := each.lost(stood)) is not None).most_common()),
            upgraded=Latency.of(each.marks.upgraded - each.marks.called for each in tries),
            connected=Latency.of(each.marks.secured - each.marks.called for each in let_in),
            first_packet=Latency.of(each.first_packet - each.marks.called for each in let_in),
            seconds=max((each.ended - first for each in called if not math.isnan(each.ended)), default=0.0),
            latest=max((each.marks.called - each.due for each in called), default=0.0),
        )

    @property
    def is_as_asked(self) -> bool:
        """Whether it was the storm that was asked for, and every try is known: else it proves nothing."""
        return self.unknown == 0 and self.latest < LATEST_SECONDS
