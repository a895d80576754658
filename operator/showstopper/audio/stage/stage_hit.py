"""A hit of the stage: what a pod of it does to itself for an Injection, as agents do to others (see `executor.hit`)."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.injection import InjectedTarget, Injection, InjectionTarget, TargetState
from showstopper.clock import Clock, to_timestamp
from showstopper.executor.hit import Hit
from showstopper.executor.leases import Lease


class Action(Protocol):
    """What is done for a fault. It ends by itself at a monotonic time."""

    until: float


D = TypeVar("D", bound=Action)
P = TypeVar("P")


class StageHit(ABC, Generic[D]):
    """A fault that a pod of the stage carries out on itself, for as long as the lease holds.

    Attributes:
        record: the target in the Injection's status.
        method: by what means it is done, for people. None if it is not armed yet.
    """

    technique: ClassVar[str]

    def __init__(self, target: InjectionTarget, clock: Clock) -> None:
        self.record = InjectedTarget(uid=target.uid, pod=target.pod, state=TargetState.REFUSED)
        self.method: str | None = None
        self._clock = clock
        self._doing: D | None = None
        self._lease: Lease | None = None

    @abstractmethod
    def _busy(self) -> str:
        """Why it cannot be done now: something else is. Empty: it can."""

    @abstractmethod
    def _begin(self, until: float) -> D:
        """Do it at once, until that monotonic time."""

    @abstractmethod
    def _end(self, action: D) -> None:
        """Do it no more."""

    @abstractmethod
    def _count(self, action: D) -> bool:
        """Have the record say what was counted of it. Returns whether that proves it."""

    def arm(self, until: float) -> None:
        """Have it done until that monotonic time."""
        lease = Lease(until)
        if lease.lost:
            self.record.message = "the lease has run out already"
            return
        if busy := self._busy():
            self.record.message = busy
            return
        self._lease = lease
        self._doing = self._begin(lease.until)
        self.method = self.technique
        self.record.state, self.record.armed_at = TargetState.ARMED, self._now()

    def refresh(self, until: float) -> None:
        """Let it last until then.

        Raises:
            LeaseLost: it has ended by itself.
        """
        if self._doing is None or self._lease is None:
            return
        self._lease.renew(until)
        self._doing.until = self._lease.until

    def follow(self, peers: tuple[str, ...]) -> None:
        """Nothing: the stage has no peers."""

    def look(self) -> bool:
        """Read what was counted. Returns whether it has just been proven."""
        if self._doing is None:
            return False
        before = self.record.proven
        self.record.proven = self._count(self._doing)
        return self.record.proven and not before

    def lift(self) -> None:
        """End it. Nothing of it is left: whatever comes next is as without it."""
        if self._doing is None:
            return
        self._end(self._doing)
        self.look()
        self._doing = self._lease = None
        self.record.state, self.record.lifted_at = TargetState.LIFTED, self._now()

    def _now(self) -> str:
        return to_timestamp(self._clock.now())


@dataclass(frozen=True, slots=True)
class StageHits(ABC, Generic[P]):
    """Makes the hits of a pod of the stage (see `executor.hit.Hits`).

    Attributes:
        part: what its faults act on.
        uid: of the pod.
    """

    name: ClassVar[str]

    part: P
    uid: str
    clock: Clock

    @abstractmethod
    def _hit(self, fault: FaultKind, target: InjectionTarget) -> StageHit[Any]:
        """One hit of that kind."""

    @property
    def executor(self) -> str:
        """Whose they are."""
        return self.name

    def on(self, clock: Clock) -> Self:
        """The same, with the times of records by that clock."""
        return replace(self, clock=clock)

    def begun(self, injection: Injection) -> bool:  # noqa: ARG002
        """No: what an earlier life had begun ended with it, and its status says that it had begun."""
        return False

    def left(self, injection: Injection) -> Mapping[str, str]:  # noqa: ARG002
        """Nothing: see above."""
        return {}

    def begin(self, injection: Injection) -> None:
        """Nothing: what is begun ends with this process."""

    def of(self, injection: Injection) -> list[Hit]:
        """One hit on this pod, if it is the one that is meant."""
        hits: list[Hit] = []
        for target in injection.spec.targets:
            hit = self._hit(injection.spec.spec, target)
            if target.uid != self.uid:
                hit.record.message = (
                    f"pod {target.pod} is another one now: it has the UID {self.uid}, and not {target.uid}"
                )
            hits.append(hit)
        return hits

    def keep(self, uids: Collection[str]) -> None:
        """Nothing is remembered."""

    def forget(self, uid: str) -> None:
        """Nothing is remembered."""
