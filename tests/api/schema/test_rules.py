"""Rules are written once: what the API server is told, the models check too."""

from collections.abc import Iterator

import pytest

from showstopper.api.faults.injected_kinds import InjectedKinds
from showstopper.api.generated.crds import KINDS
from showstopper.api.schema.base import Spec
from showstopper.api.schema.rules import CelRule, Rule, exactly_one, given, unique_names


def specs() -> Iterator[type[Spec]]:
    def below(model: type[Spec]) -> Iterator[type[Spec]]:
        for inner in model.__subclasses__():
            yield inner
            yield from below(inner)

    return (spec for spec in below(Spec) if spec.__module__.startswith("showstopper."))


def test_what_only_the_api_server_checks_is_about_a_change() -> None:
    rules = [rule for spec in specs() for rule in spec.rules] + [rule for kind in KINDS for rule in kind.rules]
    assert len(rules) > 30
    for rule in rules:
        assert isinstance(rule, Rule) is ("oldSelf" not in rule.rule), rule.rule


class Named(Spec):
    name: str = "a"


class Wish(Spec):
    this: int | None = None
    that_one: int | None = None
    parts: tuple[Named, ...] = ()

    rules = (
        exactly_one(("this", "thatOne"), "write this or that"),
        unique_names("parts", "parts"),
        Rule("self.this != 7", "no seven", holds=lambda wish: wish.this != 7, says=lambda wish: f"{wish.this} is bad"),
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "write this or that"),
        ({"this": 1, "thatOne": 1}, "write this or that"),
        ({"this": 1, "parts": [{"name": "a"}, {"name": "a"}]}, "two parts have the same name, a: give each"),
        ({"this": 7}, "7 is bad"),
    ],
)
def test_a_model_keeps_its_rules(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Wish.model_validate(fields)


def test_what_keeps_them_is_taken() -> None:
    wish = Wish.model_validate({"thatOne": 1, "parts": [{"name": "a"}, {"name": "b"}]})
    assert given(wish, ("this", "thatOne")) == ["thatOne"]


def test_rules_on_kinds_come_first_and_only_where_there_are_kinds() -> None:
    assert InjectedKinds.rules == ()
    for entry in InjectedKinds.__subclasses__():
        assert ".filter(given, given).size() == 1" in entry.rules[0].rule


def test_a_rule_for_the_server_alone_has_no_check() -> None:
    assert not hasattr(CelRule("true", "always"), "check")
