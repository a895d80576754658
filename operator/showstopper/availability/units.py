"""Units: what a figure's number means, how a bound in it is written in YAML, and how its figures are shown."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

DURATION_PATTERN = "^([0-9]{1,5}(h|m|s|ms)){1,4}$"
"""Gateway API durations (GEP-2257): at most four parts, each of at most five digits."""

# 0% to 100%, with up to three decimals.
SHARE_PATTERN = "^(100([.]0{1,3})?|[0-9]{1,2}([.][0-9]{1,3})?)%$"
COUNT_PATTERN = "^[0-9]{1,9}$"

WRITE_A_DURATION = 'write whole hours, minutes, seconds or milliseconds, like "1m30s"'
WRITE_A_SHARE = 'write a percentage from "0%" to "100%", like "99.5%"'
WRITE_A_COUNT = 'write a whole number in quotes, like "3"'

_PART = re.compile(r"([0-9]{1,5})(ms|h|m|s)")
_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


def milliseconds(duration: str) -> int:
    """The length of a text that matches DURATION_PATTERN."""
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(duration))


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number means. Two units whose bounds are written alike share `pattern`, `noun` and `hint`.

    Attributes:
        noun: what a bound is called in a message, such as "a share".
        pattern: what a bound looks like in YAML (RE2 and Python alike).
        hint: what to write instead of a bound that does not match.
        value: the number that a bound means. Takes a text that matches.
        scale: what a number is multiplied by to be shown, such as 100 for a percentage.
        suffix: what follows the shown number.
        decimals: how many decimals are shown where they are not zeros.
        most: the largest number that there can be.
        rounded: math.floor or math.ceil, where a figure must never be shown better than it is. None if to the nearest.
    """

    noun: str
    pattern: str
    hint: str
    value: Callable[[str], float]
    scale: float = 1.0
    suffix: str = ""
    decimals: int = 0
    most: float = math.inf
    rounded: Callable[[float], int] | None = None

    def bound(self, text: str) -> float:
        """The number that a bound means.

        Raises:
            ValueError: when it is not in this unit, saying what to write.
        """
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"is {self.noun}: {self.hint}, not {text!r}")
        return self.value(text)


SHARE = Unit(
    noun="a share",
    pattern=SHARE_PATTERN,
    hint=WRITE_A_SHARE,
    value=lambda text: float(text.removesuffix("%")) / 100,
    scale=100.0,
    suffix="%",
    decimals=1,
    most=1.0,
    rounded=math.floor,
)
"""A part of what should be, 0 to 1, shown like "76.4%": rounded down."""

FLAW_SHARE = replace(SHARE, decimals=2, rounded=math.ceil)
"""A part that should not be, 0 to 1, shown like "0.35%": rounded up, and finer, for a few tenths of a percent count."""

DURATION = Unit(
    noun="a duration",
    pattern=DURATION_PATTERN,
    hint=WRITE_A_DURATION,
    value=lambda text: milliseconds(text) / 1000,
    suffix="s",
    decimals=2,
)
"""Seconds, shown like "9.48s"."""

MILLISECONDS = replace(DURATION, scale=1000.0, suffix="ms", decimals=1)
"""Seconds like a DURATION, but shown in thousandths, like "4.2ms"."""

COUNT = Unit(noun="a count", pattern=COUNT_PATTERN, hint=WRITE_A_COUNT, value=float)
"""How many, shown like "3"."""
