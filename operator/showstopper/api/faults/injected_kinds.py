"""The kinds of fault that Injections ask for, declared once for Experiments and for Injections."""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import NetworkKinds
from showstopper.api.faults.process import ProcessKinds
from showstopper.api.faults.stage import StageKinds
from showstopper.api.schema.base import own_first
from showstopper.api.schema.rules import CelRule, given


class InjectedKinds(StageKinds, ProcessKinds, NetworkKinds):
    """An entry with exactly one kind of fault. Subclasses add the kinds that are theirs alone."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Put the rules on the kinds before the others: only now the class knows its kinds."""
        cls.rules = (*cls.rules_on_kinds(), *cls.rules)

    @classmethod
    def rules_on_kinds(cls) -> tuple[CelRule, ...]:
        """The rules that name kinds."""
        return ()

    @classmethod
    @cache
    def kinds(cls) -> Mapping[str, type[FaultKind]]:
        """Every kind that an entry can have, by its name in YAML."""
        fields = {name: cls.model_fields[name] for name in own_first(cls)}
        kinds = {field.alias or name: _kind_of(field.annotation) for name, field in fields.items()}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    @property
    def kind(self) -> str:
        """The kind's name as written in YAML, such as packetLoss."""
        (only,) = given(self, self.kinds())
        return only

    @property
    def spec(self) -> FaultKind:
        """What is written under the kind's name."""
        # A run asks some seventy times on its way to a kill, and whether a None is of a model costs a call in Python.
        return next(spec for spec in vars(self).values() if spec is not None and isinstance(spec, FaultKind))


def _kind_of(annotation: Any) -> type[FaultKind] | None:
    """The kind that an optional field is for."""
    return next((kind for kind in get_args(annotation) if isinstance(kind, type) and issubclass(kind, FaultKind)), None)
