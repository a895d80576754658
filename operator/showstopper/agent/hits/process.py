"""Hits on processes: what all of them have in common, and the way from a kind of fault to its hit."""

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from pydantic.alias_generators import to_snake

from showstopper.agent import hits
from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import ProcessFault
from showstopper.api.injection import InjectedTarget, InjectionTarget, TargetState
from showstopper.clock import Clock, to_timestamp

P = TypeVar("P", bound=ProcessFault)


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """What hits on processes act through on this node."""

    containers: Containers
    changes: Changes
    clock: Clock


class ProcessHit(ABC, Generic[P]):
    """A process fault on one target (see `hits.Hit`).

    Attributes:
        kind: the fault that it carries out.
        record: the target in the Injection's status.
        method: by what means it is done, for people. None if it is not armed yet.
    """

    kind: ClassVar[type[FaultKind]]

    def __init__(self, fault: P, target: InjectionTarget, name: str, access: NodeAccess) -> None:
        self.record = InjectedTarget(uid=target.uid, pod=target.pod, state=TargetState.REFUSED)
        self.method: str | None = None
        self._fault, self._target, self._name, self._access = fault, target, name, access

    @abstractmethod
    def arm(self, until: float) -> None:
        """Do all of it, to last until that monotonic time, or nothing and say why in the record."""

    @abstractmethod
    def refresh(self, until: float) -> None:
        """Let it last until then.

        Raises:
            LeaseLost: it has ended already.
        """

    def follow(self, peers: tuple[str, ...]) -> None:
        """Nothing: processes have no peers."""

    @abstractmethod
    def look(self) -> bool:
        """Read what it has done. Returns whether it has just been proven."""

    @abstractmethod
    def lift(self) -> None:
        """End it, and record what it has done and what is left."""

    def _now(self) -> str:
        return to_timestamp(self._access.clock.now())


@cache
def hit_of(kind: type[FaultKind]) -> type[ProcessHit[Any]]:
    """The hit that carries out a kind. Its module bears the kind's name, and is all that a new kind needs here.

    Raises:
        LookupError: no module has a hit for it, which is a defect.
    """
    name = f"{hits.__name__}.{to_snake(kind.__name__)}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise LookupError(f"there is no {name}: {error}") from error
    for member in vars(module).values():
        if isinstance(member, type) and issubclass(member, ProcessHit) and vars(member).get("kind") is kind:
            return member
    raise LookupError(f"{name} has no hit for {kind.__name__}")
