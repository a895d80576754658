"""Abort: has an indicator been beyond its bound for so long that the run must end early?

Nothing is remembered between two questions: an operator that restarts asks the timeline and gets the same answer.
Ending early is the safe side, so that, other than an expectation, a condition goes by what is known, not by what is
certain. But it needs sight of at least half of the listening time: who is blind does not know that the room suffers.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from showstopper.api.reasons import Reason
from showstopper.availability import coverage, excuses
from showstopper.availability.errors import BoundError
from showstopper.availability.figures import apart, sentence_figure
from showstopper.availability.hosts import HostKnown
from showstopper.availability.indicators import Indicator, Recovery
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.availability.verdict import Finding

BLIND_SHARE = 0.5
PATIENCE_SECONDS = 3.0
"""A probe tells of the last instants late, when its windows of sound are complete: without this patience most of a
short window would always be Unknown. It is long enough for a lost poll. A pod that is gone holds nobody up."""

# What is taken over the last seconds needs some to be taken over, where `for` is 0 s: a newcomer is due after so many,
# and statistics come in rows of two.
LEAST_SECONDS = 5.0
HOST_UNKNOWN = HostKnown()


@dataclass(frozen=True, slots=True)
class AbortCondition:
    """An indicator below or above a bound (in its unit) for some seconds.

    Raises:
        BoundError: when there is no bound, or two, or one that is no number.

    """

    indicator: Indicator
    below: float | None = None
    above: float | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if (self.below is None) == (self.above is None):
            raise BoundError(f"{self.indicator}: an abort condition needs either below or above")
        if not math.isfinite(self.bound) or not math.isfinite(self.seconds) or self.seconds < 0:
            raise BoundError(f"{self.indicator}: {self.bound} for {self.seconds} s bounds nothing")

    @property
    def bound(self) -> float:
        """The one bound."""
        return self.below if self.below is not None else self.above or 0.0

    @property
    def over(self) -> float:
        """The seconds that a trailing indicator is taken over."""
        return self.seconds or LEAST_SECONDS


def breached(
    condition: AbortCondition,
    timeline: Timeline,
    residents: int | Collection[str],
    *,
    since: float,
    now: float,
    recovery: Recovery | None = None,
    host: HostKnown = HOST_UNKNOWN,
    beside: Callable[[View], View] = lambda view: view,
) -> Finding | None:
    """Why the run must end now, or None. `since` is when the fault began: nothing before it counts.

    What `host` explains is Unknown, as for the verdict, and nothing counts behind the host's last answer: it may be
    gone, which ends no run as the room's doing.

    A trailing indicator is taken over the last `seconds` seconds (if they are 0: the last five), all of them after
    `since`. One that can only grow in a run is taken from `since` until `seconds` seconds ago. `beside` adds to a view
    what else than its listeners tell of the room.
    """
    now = min(_end(timeline, now), host.sure_until(now))
    window = Window(since, now - condition.seconds)
    if condition.indicator.trailing:
        window = Window(now - condition.over, now)
    if window.start < since or window.seconds <= 0:
        return None
    observed = beside(replace(timeline.view(window, residents), host_clocks=host.clocks))
    view = excuses.excused(observed, host.absences)
    if coverage.of(view).unknown_share > BLIND_SHARE:
        return None
    figure = _figure(condition.indicator.measure(view, recovery))
    if figure is None or not _beyond(condition, figure):
        return None
    return Finding(Reason.ABORT_IF, _sentence(condition, figure))


def _end(timeline: Timeline, now: float) -> float:
    """The newest instant that every pod has told of, unless one is too late."""
    seen = min(now, timeline.seen_until() or now)
    return min(seen, max(timeline.known_until() or seen, seen - PATIENCE_SECONDS))


def _figure(measurement: Measurement) -> float | None:
    """What is known of it, which for an outage that goes on is how long it has lasted."""
    if measurement.value is not None or not measurement.samples:
        return measurement.value
    return measurement.lower


def _beyond(condition: AbortCondition, figure: float) -> bool:
    return figure < condition.below if condition.below is not None else figure > condition.bound


def _sentence(condition: AbortCondition, figure: float) -> str:
    unit = condition.indicator.unit
    value, bound = apart(unit, figure, condition.bound) if math.isfinite(figure) else ("endless", "")
    bound = bound or sentence_figure(unit, condition.bound)
    side = "below" if condition.below is not None else "above"
    length = condition.over if condition.indicator.trailing else condition.seconds
    held = f", for {length:g} s" if length else ""
    return f"{condition.indicator} was {value}, {side} {bound}{held}: the run was ended early"
