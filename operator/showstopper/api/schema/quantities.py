"""Durations and shares as people write them: "1500ms", "1m30s", "99.5%"."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    InstanceOf,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from showstopper.api.schema.rules import KEY, CelRule, Rule
from showstopper.availability.units import (
    DURATION_PATTERN,
    SHARE_PATTERN,
    WRITE_A_DURATION,
    WRITE_A_SHARE,
    milliseconds,
)
from showstopper.errors import InvalidQuantity


def parse_duration(text: Any) -> timedelta:
    """A Gateway-API duration as a timedelta.

    Raises:
        InvalidQuantity: when the text is not of that form.
    """
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not re.fullmatch(DURATION_PATTERN, text):
        raise InvalidQuantity(f"{text!r} is not a valid duration: {WRITE_A_DURATION}")
    return timedelta(milliseconds=milliseconds(text))


def format_duration(value: timedelta) -> str:
    """The shortest Gateway-API string of a duration, to the millisecond. Negative durations are written as zero."""
    rest = max(0, round(value.total_seconds() * 1000))
    parts = []
    for unit, length in (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        number, rest = divmod(rest, length)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


class Share(float):
    """A part of a whole, from 0.0 to 1.0, written as a percentage."""

    @classmethod
    def parse(cls, text: Any) -> "Share":
        """Read "99.5%".

        Raises:
            InvalidQuantity: when it is not a percentage between 0% and 100%.
        """
        if isinstance(text, cls) and 0 <= text <= 1:
            return text
        if not isinstance(text, str) or not re.fullmatch(SHARE_PATTERN, text):
            raise InvalidQuantity(f"{text!r} is not a valid share: {WRITE_A_SHARE}")
        return cls(float(text[:-1]) / 100)

    def __str__(self) -> str:
        """Percentage with up to three decimals, rounded down, so that a share is never shown better than it is."""
        percent = math.floor(round(float(self) * 1e5, 6)) / 1e3
        return f"{percent:.3f}".rstrip("0").rstrip(".") + "%"


def on_the_calendar(text: str) -> str:
    """A date and time of the right form, if there is such a day. Raises ValueError."""
    datetime.fromisoformat(text)
    return text


@dataclass(frozen=True, slots=True)
class DurationBounds:
    """Bounds of a duration, both included.

    Attributes:
        low: the shortest duration.
        high: the longest duration.
        whole_seconds: whether the duration must be in whole seconds.
        zero: the meaning of "0s", if it is accepted in addition.
    """

    low: str
    high: str
    whole_seconds: bool = False
    zero: str = ""

    @property
    def rule(self) -> Rule:
        """The rule on the duration. Its CEL accepts what is not a duration, so that one mistake gives one message."""
        right = f"(duration(self) >= duration('{self.low}') && duration(self) <= duration('{self.high}'))"
        if self.zero:
            right += " || duration(self) == duration('0s')"
        if self.whole_seconds:
            right = f"({right}) && duration(self).getMilliseconds() % 1000 == 0"
        return Rule(
            f"!self.matches('{DURATION_PATTERN}') || ({right})",
            self.message,
            holds=self._holds,
            says=lambda value: f'"{format_duration(value)}": {self.message}',
        )

    @property
    def message(self) -> str:
        """What to write."""
        whole = ", in whole seconds" if self.whole_seconds else ""
        zero = f', or "0s" for {self.zero}' if self.zero else ""
        return f'write a duration from "{self.low}" to "{self.high}"{whole}{zero}'

    def check(self, value: timedelta) -> timedelta:
        """The duration itself.

        Raises:
            ValueError: when it is out of bounds.
        """
        if not self._holds(value):  # asked first, for a rule is more work to make
            self.rule.check(value)
        return value

    def _holds(self, value: timedelta) -> bool:
        if self.whole_seconds and value % timedelta(seconds=1):
            return False
        return parse_duration(self.low) <= value <= parse_duration(self.high) or bool(self.zero and not value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        inner = handler(schema)
        return {**inner, KEY: [*inner[KEY], self.rule.dump()]}


@dataclass(frozen=True, slots=True)
class NotZero:
    """A share of more than 0%."""

    message: str = '"0%" has no effect: write more, like "5%"'

    @property
    def rule(self) -> Rule:
        """The rule on the share."""
        return Rule("!self.matches('^[0.]+%$')", self.message, holds=bool)

    def check(self, value: Share) -> Share:
        """The share itself.

        Raises:
            ValueError: when it is zero.
        """
        if not value:
            self.rule.check(value)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        inner = handler(schema)
        return {**inner, KEY: [*inner[KEY], self.rule.dump()]}


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 24,
            KEY: [CelRule(f"self.matches('{DURATION_PATTERN}')", f"not a valid duration: {WRITE_A_DURATION}").dump()],
        }
    ),
]
Percent = Annotated[
    InstanceOf[Share],
    BeforeValidator(Share.parse),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 8,
            KEY: [CelRule(f"self.matches('{SHARE_PATTERN}')", f"not a valid share: {WRITE_A_SHARE}").dump()],
        }
    ),
]
SomePercent = Annotated[Percent, NotZero()]
"""A share that is not zero."""
