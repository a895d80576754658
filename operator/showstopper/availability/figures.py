"""Figures: how values of a unit are written, in a status ("76.4%") and in a sentence ("76.4 %")."""

import math
from collections.abc import Callable

from showstopper.availability.units import DURATION, SHARE, Unit

# A margin that the unit's decimals would round to nothing gets so many more.
_MORE_DECIMALS = 3
AT_LEAST = "at least "


def share(ratio: float) -> str:
    """Percent with one decimal, rounded down: never shown better than it is."""
    return figure(SHARE, ratio)


def duration(seconds: float) -> str:
    """Seconds with two decimals."""
    return figure(DURATION, seconds)


def figure(unit: Unit, value: float) -> str:
    """A value as a status has it."""
    return sentence_figure(unit, value).replace(" ", "")


def at_least(unit: Unit, value: float) -> str:
    """As a status has a figure that has no value: it was still growing when it was last seen."""
    return f"{AT_LEAST}{figure(unit, value)}"


def parse(unit: Unit, text: str) -> float:
    """The value of a figure as a status has it, or what it is at least.

    Raises:
        ValueError: it is not in that unit.
    """
    return float(text.removeprefix(AT_LEAST).removesuffix(unit.suffix)) / unit.scale


def sentence_figure(unit: Unit, value: float, decimals: int | None = None) -> str:
    """A value as a sentence has it."""
    number = _number(value * unit.scale, unit.decimals if decimals is None else decimals, unit.rounded)
    return f"{number} {unit.suffix}".rstrip()


def apart(unit: Unit, value: float, bound: float) -> tuple[str, str]:
    """Both as a sentence has them, with as many decimals as it takes to tell them apart."""
    for decimals in range(unit.decimals, 6):
        texts = sentence_figure(unit, value, decimals), sentence_figure(unit, bound, decimals)
        if texts[0] != texts[1]:
            return texts
    return sentence_figure(unit, value), sentence_figure(unit, bound)


def difference(unit: Unit, value: float) -> str:
    """A margin as a sentence has it: of shares in percentage points, rounded down, as a margin is never embellished."""
    shown = value * unit.scale
    finest = 10.0**-unit.decimals if unit.decimals else 0.0
    decimals = unit.decimals + (_MORE_DECIMALS if abs(shown) < finest else 0)
    number = _number(shown, decimals, math.floor if unit.rounded else None)
    return f"{number} {'points' if unit.suffix == '%' else unit.suffix}".rstrip()


def margin(unit: Unit, value: float) -> str:
    """A margin as a status has it."""
    text = difference(unit, value)
    return text if unit.suffix == "%" else text.replace(" ", "")


def _number(shown: float, decimals: int, rounded: Callable[[float], int] | None) -> str:
    if rounded is not None:
        scale = 10**decimals
        # Products of doubles that mean a whole number may miss it by a little.
        shown = rounded(round(shown * scale, 4)) / scale
    text = f"{shown:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
