"""Indicator: all that is known of one figure about a room, in one object."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from showstopper.availability.measurements import Measurement
from showstopper.availability.tracks import View
from showstopper.availability.units import Unit


class Better(StrEnum):
    """Which figure a healthy room has."""

    HIGHER = "higher"
    LOWER = "lower"


class Listeners(StrEnum):
    """Whose hearing an indicator is about."""

    RESIDENTS = "residents"
    ARRIVALS = "arrivals"
    ALL = "residents and arrivals"


class Population(StrEnum):
    """Whom an indicator is measured of."""

    FLEET = "Fleet"
    """The residents and arrivals, who decode all that they hear."""
    CROWD = "Crowd"
    """The crowd and its newcomers, who count packets and match them with what two of the crowd decode."""
    ALL = "All"
    """Fleet and crowd together."""


_OF = {Population.FLEET: "", Population.CROWD: " of the crowd", Population.ALL: " of fleet and crowd"}


@dataclass(frozen=True, slots=True)
class Recovery:
    """What to recover from: since when (the kill, or the fault's end), and the baseline's AudibleRatio to return to.

    Without a baseline all residents must hear.
    """

    since: float
    baseline: Measurement | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Indicator:
    """A figure about a room that an experiment can bound.

    Attributes:
        name: as an Experiment names it, in CamelCase.
        rank: its position in the lists of the API and of reports. No two share one.
        meaning: one sentence for the reference: what is counted, and over what.
        unit: the unit of its value and of every bound on it.
        better: which figure a healthy room has.
        listeners: whose hearing it is about.
        trailing: for `abortIf`. True: it goes up and down and is taken over the last `for` seconds. False: it only
            grows in a run (or waits), so that it has been beyond a bound for that long if it was that long ago.
        measure: its figure in a window, and for what the room recovers from, if there was a fault in it.
        needs_fault: whether it means nothing in a window without a fault. The status of a room leaves it out.
        seen_after: seconds after a value of it that must be seen, before the value is known. A recovery that is no
            longer than an upper bound and this cannot show that the bound was met.
        of_crowds: whether a crowd can tell it: who gets in, who hears the host, and since when.
        population: whom it is measured of.
    """

    name: str
    rank: int
    meaning: str
    unit: Unit
    better: Better
    listeners: Listeners
    trailing: bool
    measure: Callable[[View, Recovery | None], Measurement]
    needs_fault: bool = False
    seen_after: float = 0.0
    of_crowds: bool = False
    population: Population = Population.FLEET

    def among(self, population: Population) -> "Indicator":
        """The same figure, measured of others. It is another indicator, with a name of its own."""
        return _among(self, population)

    def __str__(self) -> str:
        """The name."""
        return self.name


@cache
def _among(indicator: Indicator, population: Population) -> Indicator:
    if population is indicator.population:
        return indicator

    def measure(view: View, recovery: Recovery | None) -> Measurement:
        return replace(indicator.measure(view, recovery), measured=other)

    other = replace(indicator, name=f"{indicator.name}{_OF[population]}", population=population, measure=measure)
    return other
