"""Indicators in the API: their names as they are written, the bounds on them, and the reference's table of them.

All of it is made from the indicators that `availability` declares, so that a new one needs no line here.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf, PlainSerializer, StringConstraints, WithJsonSchema

from showstopper.api.schema.rules import Rule, exactly_one, given
from showstopper.availability.indicators import INDICATORS, Indicator, Population, named
from showstopper.availability.measurements import Measurable
from showstopper.availability.units import SHARE, Unit

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
    if indicator is None or indicator.population is not Population.FLEET:
        raise ValueError(f"{name!r} is not an indicator: write one of {', '.join(_NAMES)}")
    return indicator


IndicatorName = Annotated[
    InstanceOf[Indicator],
    BeforeValidator(_named),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "enum": _NAMES}),
]
"""An indicator, written by its name."""


def bound_value(measured: Measurable, text: str) -> float:
    """A bound in the unit of what is measured: a share 0 to 1, seconds, or a count.

    Raises:
        ValueError: when the text is not in that unit, saying what to write.
    """
    try:
        return measured.unit.bound(text)
    except ValueError as error:
        raise ValueError(f"{measured.name} {error}") from None


def bounds_in_unit(lower: str, upper: str, *, queries: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Of two optional fields, exactly one is given, in the unit of what is bounded.

    Args:
        lower: the field of the lower bound.
        upper: the field of the upper bound.
        queries: fields of sources that may be there instead of the field `indicator`, each bounded by a share.
    """
    sources = tuple(queries)

    def fits(unit: Unit) -> str:
        return " && ".join(
            f"(!has(self.{field}) || self.{field}.matches('{unit.pattern}'))" for field in (lower, upper)
        )

    def problem(bounded: Any, measured: Measurable) -> str:
        """What is wrong with a bound on what is measured, or an empty string."""
        for text in (getattr(bounded, lower), getattr(bounded, upper)):
            if text is not None:
                try:
                    bound_value(measured, text)
                except ValueError as error:
                    return str(error)
        return ""

    def of_indicators(unit: Unit, indicators: Iterable[Indicator]) -> Rule:
        names = [indicator.name for indicator in indicators]
        message = f"is {unit.noun}: {unit.hint}"

        def says(bounded: Any) -> str:
            indicator = bounded.indicator
            return problem(bounded, indicator) if indicator is not None and indicator.name in names else ""

        other = "!has(self.indicator) || " if sources else ""
        return Rule(
            f"{other}!(self.indicator in {names}) || ({fits(unit)})",
            f"{', '.join(names)}: each {message}",
            f"self.indicator + ' {message}'",
            holds=lambda bounded: not says(bounded),
            says=says,
        )

    def of_query(field: str) -> Rule:
        def says(bounded: Any) -> str:
            query = bounded.query
            return problem(bounded, query) if query is not None and given(bounded, [field]) else ""

        return Rule(
            f"!has(self.{field}) || ({fits(SHARE)})",
            f"{field} is {SHARE.noun}: {SHARE.hint}",
            holds=lambda bounded: not says(bounded),
            says=says,
        )

    message = f"write exactly one of {lower} and {upper} (for both, two entries)"
    either = exactly_one((lower, upper), message)
    return (either, *(of_indicators(*group) for group in _by_unit()), *map(of_query, sources))


def told_by_crowds(field: str) -> Rule:
    """Of a crowd only those indicators can be bounded that it can tell.

    Args:
        field: that says of whom the field `indicator` is measured.
    """
    told = [indicator.name for indicator in INDICATORS if indicator.of_crowds]
    fleet = str(Population.FLEET)

    def holds(bounded: Any) -> bool:
        population = getattr(bounded, field)
        of_fleet = population is None or population is Population.FLEET
        return of_fleet or (bounded.indicator is not None and bounded.indicator.of_crowds)

    message = f"a crowd tells {', '.join(told)}: leave out {field}, or write one of these indicators"
    return Rule(
        f"!has(self.{field}) || self.{field} == '{fleet}' || (has(self.indicator) && self.indicator in {told})",
        message,
        holds=holds,
    )


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
