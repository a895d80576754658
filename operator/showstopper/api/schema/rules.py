"""Rules: what is refused, written once, for `kubectl apply` (as CEL in the CRDs) and for the models alike."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

KEY = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class CelRule:
    """A rule that only the API server checks, such as one on a change. The message says what to write instead.

    Attributes:
        rule: a CEL expression that is true for accepted objects.
        message: one line for a person.
        expression: CEL for a message that quotes the object. Where it fails, `message` is used.
    """

    rule: str
    message: str
    expression: str = ""

    def __post_init__(self) -> None:
        if "\n" in self.rule or "\n" in self.message:
            raise ValueError("a CRD takes rules and messages of one line only")

    def dump(self) -> dict[str, str]:
        """The rule as a CRD has it."""
        written = {"rule": self.rule, "message": self.message}
        return written | {"messageExpression": self.expression} if self.expression else written


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(CelRule):
    """A rule that the API server and the models check alike.

    Attributes:
        holds: the same in Python, of the model or of its value.
        says: the message of the models, where it names what was written.
    """

    holds: Callable[[Any], bool]
    says: Callable[[Any], str] | None = None

    def check(self, value: Any) -> None:
        """Refuse what breaks the rule.

        Raises:
            ValueError: with the message.
        """
        if not self.holds(value):
            raise ValueError(self.says(value) if self.says is not None else self.message)


@dataclass(frozen=True, slots=True)
class Matching:
    """A text that matches a pattern (valid in RE2 and Python, without backslashes), with a message for people."""

    pattern: str
    message: str

    @property
    def rule(self) -> Rule:
        """The rule on the text."""
        return Rule(
            f"self.matches('^({self.pattern})$')",
            self.message,
            holds=self._holds,
            says=lambda text: f"{text!r}: {self.message}",
        )

    def check(self, text: str) -> str:
        """The text itself.

        Raises:
            ValueError: with the message, when it does not match.
        """
        if not self._holds(text):  # asked first, for a rule is more work to make
            self.rule.check(text)
        return text

    def _holds(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), KEY: [self.rule.dump()]}


def exactly_one(fields: Iterable[str], message: str, says: Callable[[Any], str] | None = None) -> Rule:
    """Exactly one of the optional fields is given.

    Args:
        fields: their names in YAML.
        message: what to write.
        says: the message of the models, where it names what was written.
    """
    choice = tuple(fields)
    listed = ", ".join(f"has(self.{field})" for field in choice)
    return Rule(
        f"[{listed}].filter(given, given).size() == 1",
        message,
        holds=lambda model: len(given(model, choice)) == 1,
        says=says,
    )


def given(model: BaseModel, fields: Iterable[str]) -> list[str]:
    """Those of the optional fields, by their names in YAML, that the model has."""
    names = _by_alias(type(model))
    return [field for field in fields if getattr(model, names[field]) is not None]


@cache
def _by_alias(model: type[BaseModel]) -> Mapping[str, str]:
    return {field.alias or name: name for name, field in model.model_fields.items()}


def unique_names(field: str, what: str, *, optional: bool = False) -> Rule:
    """No two entries of a list of named objects share a name. `field` is spelled alike in YAML and in the model."""
    there = f"!has(self.{field}) || " if optional else ""

    def doubled(model: Any) -> list[str]:
        counts = Counter(entry.name for entry in getattr(model, field))
        return [name for name, times in counts.items() if times > 1]

    return Rule(
        f"{there}self.{field}.all(entry, self.{field}.exists_one(other, other.name == entry.name))",
        f"two {what} have the same name: give each its own name",
        holds=lambda model: not doubled(model),
        says=lambda model: f"two {what} have the same name, {doubled(model)[0]}: give each its own name",
    )


def immutable(required: Iterable[str], optional: Iterable[str], message: str) -> CelRule:
    """None of the fields ever changes. The rule belongs on the object that holds them, where it also sees removals."""
    return CelRule(_kept(required, optional), message)


def immutable_spec(required: Iterable[str], optional: Iterable[str], message: str, *, moving: str) -> CelRule:
    """None of the spec's fields ever changes, as a rule on the whole resource, where `moving` is a field of its status.

    The API server also evaluates the rules at each write of the status, and needs 1.5 ms to compare a spec. But no
    write changes both spec and status, so the comparison is skipped where `moving` changes.
    """
    fields = [[f"spec.{field}" for field in some] for some in (required, optional)]
    there = f"has(self.status) && has(self.status.{moving}) && has(oldSelf.status)"
    moves = f"(!has(oldSelf.status.{moving}) || self.status.{moving} != oldSelf.status.{moving})"
    return CelRule(f"{there} && {moves} || {_kept(*fields)}", message)


def _kept(required: Iterable[str], optional: Iterable[str]) -> str:
    kept = [f"self.{field} == oldSelf.{field}" for field in required]
    kept += [
        f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
        for field in optional
    ]
    return " && ".join(kept)
