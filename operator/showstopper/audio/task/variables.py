"""Environment variables that must be set, read one by one. A missing or wrong one is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from showstopper.errors import SettingsError

_Word = TypeVar("_Word", bound=StrEnum)


class Variables:
    """An environment. Every reader raises SettingsError with what to write instead."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def optional(self, name: str) -> str:
        """A text without blanks around it. Empty when it is not set."""
        return self._environment.get(name, "").strip()

    def text(self, name: str) -> str:
        """A text that is not empty."""
        value = self.optional(name)
        if not value:
            raise SettingsError(f"{name} is not set, and it has no default")
        return value

    def list(self, name: str) -> list[str]:
        """Texts with commas between them. None of them when it is not set."""
        return [word.strip() for word in self.optional(name).split(",") if word.strip()]

    def whole(self, name: str, least: int, most: int, alternative: str = "") -> int:
        """A whole number within bounds."""
        text = self.text(name)
        value = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else least - 1
        if not least <= value <= most:
            raise SettingsError(f"{name} is {text!r}; write a whole number from {least} to {most}{alternative}")
        return value

    def number(self, name: str, least: float, most: float) -> float:
        """A number within bounds."""
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise SettingsError(f"{name} is {text!r}; write a number from {least:g} to {most:g}")
        return value


def word(kind: type[_Word], name: str, text: str) -> _Word:
    """The text as one of the words of an enumeration."""
    try:
        return kind(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}; write one of {', '.join(kind)}") from error
