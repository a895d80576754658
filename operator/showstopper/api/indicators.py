"""Indicators in the API: their names as they are written, the bounds on them, and the reference's table of them.

All of it is made from the indicators that `availability` declares, so that a new one needs no line here.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf, PlainSerializer, StringConstraints, WithJsonSchema

from showstopper.api.rules import Rule, exactly_one
from showstopper.availability.indicators import INDICATORS, Indicator, named
from showstopper.availability.measurements import Measured
from showstopper.availability.units import Unit

# Bounds are written in the indicator's unit: "99.5%", "20s" or "3". Longer ones are no bound in any unit.
Bound = Annotated[str, StringConstraints(min_length=1, max_length=24)]

_NAMES = [indicator.name for indicator in INDICATORS]


def _named(name: object) -> Indicator:
    """The indicator of that name.

    Raises:
        ValueError: when there is none, saying which there are.
    """
    if isinstance(name, Indicator):
        return name
    indicator = named(name) if isinstance(name, str) else None
    if indicator is None:
        raise ValueError(f"{name!r} is not an indicator: write one of {', '.join(_NAMES)}")
    return indicator


IndicatorName = Annotated[
    InstanceOf[Indicator],
    BeforeValidator(_named),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "enum": _NAMES}),
]
"""An indicator, written by its name."""


def bound_value(measured: Measured, text: str) -> float:
    """A bound in the unit of what is measured: a share 0 to 1, seconds, or a count.

    Raises:
        ValueError: when the text is not in that unit, saying what to write.
    """
    try:
        return measured.unit.bound(text)
    except ValueError as error:
        raise ValueError(f"{measured.name} {error}") from None


def bounds_in_unit(lower: str, upper: str) -> tuple[Rule, ...]:
    """Of two optional fields beside the field `indicator`, exactly one is given, in the unit of the indicator."""

    def in_unit(unit: Unit, indicators: Iterable[Indicator]) -> Rule:
        names = [indicator.name for indicator in indicators]
        message = f"is {unit.noun}: {unit.hint}"
        fits = " && ".join(
            f"(!has(self.{field}) || self.{field}.matches('{unit.pattern}'))" for field in (lower, upper)
        )

        def problem(bounded: Any) -> str:
            """What is wrong with a bound; empty: nothing, or the indicator has another unit."""
            for text in (getattr(bounded, lower), getattr(bounded, upper)):
                if text is not None and bounded.indicator.name in names:
                    try:
                        bound_value(bounded.indicator, text)
                    except ValueError as error:
                        return str(error)
            return ""

        return Rule(
            f"!(self.indicator in {names}) || ({fits})",
            f"{', '.join(names)}: each {message}",
            f"self.indicator + ' {message}'",
            holds=lambda bounded: not problem(bounded),
            says=problem,
        )

    message = f"write exactly one of {lower} and {upper} (for both, two entries)"
    return (exactly_one((lower, upper), message), *(in_unit(*group) for group in _by_unit()))


def _by_unit() -> Iterator[tuple[Unit, list[Indicator]]]:
    """The indicators whose bounds are written alike, with a unit that says how."""
    written = list(dict.fromkeys(indicator.unit.pattern for indicator in INDICATORS))
    ordered = sorted(INDICATORS, key=lambda indicator: written.index(indicator.unit.pattern))
    for _, group in groupby(ordered, key=lambda indicator: indicator.unit.pattern):
        indicators = list(group)
        yield indicators[0].unit, indicators


def table() -> Iterator[str]:
    """The lines of a Markdown table of all indicators, for the reference."""
    yield "| indicator | of whom | a bound is | better is | `abortIf` looks at | what it is |"
    yield "|---|---|---|---|---|---|"
    for indicator in INDICATORS:
        over = "the last `for`" if indicator.trailing else "the time since the fault began, up to `for` ago"
        cells = (f"`{indicator.name}`", indicator.listeners, indicator.unit.noun, indicator.better, over)
        yield f"| {' | '.join((*cells, indicator.meaning))} |"
