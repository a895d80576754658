"""Figures: how shares, durations and counts are written, in a status ("76.4%") and in a sentence ("76.4 %")."""

import math

from showstopper.api.indicators import Unit

_DECIMALS = {Unit.SHARE: 1, Unit.DURATION: 2, Unit.COUNT: 0}


def share(ratio: float) -> str:
    """Percent with one decimal, rounded down: never shown better than it is."""
    return f"{_number(Unit.SHARE, ratio, 1)}%"


def duration(seconds: float) -> str:
    """Seconds with two decimals."""
    return f"{_number(Unit.DURATION, seconds, 2)}s"


def figure(unit: Unit, value: float) -> str:
    """A value as a status has it."""
    return sentence_figure(unit, value).replace(" ", "")


def parse(unit: Unit, text: str) -> float:
    """The value of a figure as a status has it.

    Raises:
        ValueError: it is none of that unit.
    """
    number = float(text.removesuffix({Unit.SHARE: "%", Unit.DURATION: "s", Unit.COUNT: ""}[unit]))
    return number / 100 if unit is Unit.SHARE else number


def sentence_figure(unit: Unit, value: float, decimals: int | None = None) -> str:
    """A value as a sentence has it."""
    suffix = {Unit.SHARE: " %", Unit.DURATION: " s", Unit.COUNT: ""}[unit]
    return _number(unit, value, _DECIMALS[unit] if decimals is None else decimals) + suffix


def apart(unit: Unit, value: float, bound: float) -> tuple[str, str]:
    """Both as a sentence has them, with as many decimals as it takes to tell them apart."""
    for decimals in range(_DECIMALS[unit], 6):
        texts = sentence_figure(unit, value, decimals), sentence_figure(unit, bound, decimals)
        if texts[0] != texts[1]:
            return texts
    return sentence_figure(unit, value), sentence_figure(unit, bound)


def difference(unit: Unit, value: float) -> str:
    """A margin as a sentence has it: of shares in percentage points, rounded down as the shares themselves are."""
    if unit is not Unit.SHARE:
        return sentence_figure(unit, value, None if abs(value) >= 0.01 else 5)
    return f"{_number(unit, value, 1 if abs(value) >= 0.001 else 4)} points"


def margin(unit: Unit, value: float) -> str:
    """The same as a status has it."""
    text = difference(unit, value)
    return text if unit is Unit.SHARE else text.replace(" ", "")


def _number(unit: Unit, value: float, decimals: int) -> str:
    if unit is not Unit.SHARE:
        return _trimmed(value, decimals)
    scale = 10**decimals
    return _trimmed(math.floor(round(value * 100 * scale, 4)) / scale, decimals)


def _trimmed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
