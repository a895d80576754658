"""The registry: from a kind of fault to its behaviour, by the type of what was declared."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from pydantic.alias_generators import to_snake

from showstopper import faults
from showstopper.api.faults.base import FaultKind
from showstopper.api.injection import InjectionSpec
from showstopper.faults.behaviour import Behaviour, InjectedBehaviour, K


def of(spec: K) -> Behaviour[K]:
    """The behaviour of a declared fault, such as `fault.spec`.

    Raises:
        LookupError: no module has a behaviour for it, which is a defect.
    """
    return of_kind(type(spec))


@cache
def of_kind(kind: type[FaultKind]) -> Behaviour[Any]:
    """The behaviour of a kind. Its module bears the kind's name, and is all that a new kind needs: it is found here.

    It is imported when the kind is first asked about. A process pays only for the kinds that it meets.

    Raises:
        LookupError: no module has a behaviour for it, which is a defect.
    """
    name = to_snake(kind.__name__)
    for module in pkgutil.walk_packages(faults.__path__, f"{faults.__name__}."):
        if module.name.rpartition(".")[2] != name:
            continue
        for member in vars(importlib.import_module(module.name)).values():
            if isinstance(member, type) and issubclass(member, Behaviour) and vars(member).get("kind") is kind:
                return member()
    raise LookupError(f"no module {name} of showstopper.faults has a behaviour for {kind.__name__}")


def of_injection(injection: InjectionSpec) -> InjectedBehaviour[Any]:
    """The behaviour of what an Injection asks for.

    Raises:
        TypeError: no executor carries that out, which is a defect.
    """
    behaviour = of(injection.spec)
    if not isinstance(behaviour, InjectedBehaviour):
        raise TypeError(f"{injection.kind} is not carried out by executors")
    return behaviour
