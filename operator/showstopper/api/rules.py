"""Rules: the validation of resources, for `kubectl apply` (as CEL in the CRDs) and for the models alike."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

KEY = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule of a CRD. The message says what to write instead.

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


@dataclass(frozen=True, slots=True)
class Matching:
    """A text that matches a pattern (valid in RE2 and Python, without backslashes), with a message for people."""

    pattern: str
    message: str

    @property
    def rule(self) -> Rule:
        """The same for the CRD."""
        return Rule(f"self.matches('^({self.pattern})$')", self.message)

    def check(self, text: str) -> str:
        """The text itself.

        Raises:
            ValueError: with the message, when it does not match.
        """
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"{text!r}: {self.message}")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), KEY: [self.rule.dump()]}


def exactly_one(fields: Iterable[str], message: str) -> Rule:
    """Exactly one of the optional fields is given."""
    given = ", ".join(f"has(self.{field})" for field in fields)
    return Rule(f"[{given}].filter(given, given).size() == 1", message)


def unique_names(field: str, what: str, *, optional: bool = False) -> Rule:
    """No two entries of a list of named objects share a name."""
    there = f"!has(self.{field}) || " if optional else ""
    return Rule(
        f"{there}self.{field}.all(entry, self.{field}.exists_one(other, other.name == entry.name))",
        f"two {what} have the same name: give each its own name",
    )


def refuse_doubled_names(names: Iterable[str], what: str) -> None:
    """The same for a model.

    Raises:
        ValueError: with the name that occurs twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {what} have the same name, {name}: give each its own name")
        seen.add(name)


def immutable(required: Iterable[str], optional: Iterable[str], message: str) -> Rule:
    """None of the fields ever changes. The rule belongs on the object that holds them, where it also sees removals."""
    return Rule(_kept(required, optional), message)


def immutable_spec(required: Iterable[str], optional: Iterable[str], message: str, *, moving: str) -> Rule:
    """None of the spec's fields ever changes, as a rule on the whole resource, where `moving` is a field of its status.

    The API server also evaluates the rules at each write of the status, and needs 1.5 ms to compare a spec. But no
    write changes both spec and status, so the comparison is skipped where `moving` changes.
    """
    fields = [[f"spec.{field}" for field in some] for some in (required, optional)]
    there = f"has(self.status) && has(self.status.{moving}) && has(oldSelf.status)"
    moves = f"(!has(oldSelf.status.{moving}) || self.status.{moving} != oldSelf.status.{moving})"
    return Rule(f"{there} && {moves} || {_kept(*fields)}", message)


def _kept(required: Iterable[str], optional: Iterable[str]) -> str:
    kept = [f"self.{field} == oldSelf.{field}" for field in required]
    kept += [
        f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
        for field in optional
    ]
    return " && ".join(kept)
