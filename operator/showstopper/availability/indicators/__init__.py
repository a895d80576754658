"""Indicators: every figure about a room, computed from what is known of a window.

Each module of this package declares one or more `Indicator` objects. They are found here, so that a new one is one
module: the API's list of names, its rules for bounds, the reference and all reports are made from them.
"""

import importlib
import pkgutil
from collections.abc import Iterator

from showstopper.availability.indicators.indicator import Indicator, Listeners, Population, Recovery
from showstopper.availability.measurements import Measurable, Measurement
from showstopper.availability.tracks import View

__all__ = ["INDICATORS", "Indicator", "Population", "Recovery", "measure_all", "measure_crowd", "named"]


def _declared() -> Iterator[Indicator]:
    """All indicators that the modules of this package declare, with repeats where a module imports another's."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Indicator):
                yield value


def _in_order(declared: Iterator[Indicator]) -> tuple[Indicator, ...]:
    """Each once, by rank.

    Raises:
        ValueError: when two share a name or a rank.
    """
    indicators = sorted(set(declared), key=lambda indicator: indicator.rank)
    for attribute in ("name", "rank"):
        values = [getattr(indicator, attribute) for indicator in indicators]
        if len(set(values)) < len(values):
            raise ValueError(f"two indicators have the same {attribute}: {values}")
    return tuple(indicators)


INDICATORS = _in_order(_declared())
"""Every indicator, in the order in which people read them."""

_BY_NAME = {indicator.name: indicator for indicator in INDICATORS}
_BY_NAME |= {
    other.name: other
    for indicator in INDICATORS
    if indicator.of_crowds
    for other in (indicator.among(Population.CROWD), indicator.among(Population.ALL))
}


def named(name: str) -> Indicator | None:
    """The indicator of that name, in records too, or None if this version of Showstopper has no such."""
    return _BY_NAME.get(name)


def measure_all(view: View, recovery: Recovery | None = None) -> dict[Measurable, Measurement]:
    """Every indicator in a window. RecoveryTime needs to know what to recover from."""
    return {indicator: indicator.measure(view, recovery) for indicator in INDICATORS}


def measure_crowd(
    view: View, population: Population, recovery: Recovery | None = None, *, newcomers: bool = True
) -> dict[Measurable, Measurement]:
    """Every indicator that a crowd can tell, in a window of the crowd's listeners, or of those and the fleet's.

    Those about newcomers only where the crowd has `newcomers`.
    """
    of_crowds = [indicator for indicator in INDICATORS if indicator.of_crowds]
    indicators = (each.among(population) for each in of_crowds if newcomers or each.listeners is not Listeners.ARRIVALS)
    return {indicator: indicator.measure(view, recovery) for indicator in indicators}
