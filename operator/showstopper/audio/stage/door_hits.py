"""Hits of a door: what it answers instead, for as long as the lease of an Injection holds."""

from typing import Any, ClassVar, Generic, Protocol, TypeVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import CountSkew, DoorFigures, RoomUnavailable
from showstopper.api.injection import InjectionTarget
from showstopper.audio.door.desk import Desk, Miscounting, Unavailable
from showstopper.audio.door.skewing import Skew
from showstopper.audio.settings import Identity
from showstopper.audio.stage import executing
from showstopper.audio.stage.stage_hit import Action, StageHit, StageHits
from showstopper.clock import Clock


class CountedAction(Action, Protocol):
    """What a door does for a fault, and how often."""

    asked: int
    answered: int


F = TypeVar("F", RoomUnavailable, CountSkew)
A = TypeVar("A", bound=CountedAction)


class DoorHit(StageHit[A], Generic[F, A]):
    """A fault that a door carries out on itself. Proven by the first who was answered as it wants."""

    def __init__(self, fault: F, target: InjectionTarget, desk: Desk, clock: Clock) -> None:
        super().__init__(target, clock)
        self._fault: F = fault
        self._desk = desk

    def _count(self, action: A) -> bool:
        self.record.door = DoorFigures(at=self._now(), asked=action.asked, answered=action.answered)
        return action.answered > 0


class UnavailableHit(DoorHit[RoomUnavailable, Unavailable]):
    """The door says that the room is not available. Proven by the first who was turned away."""

    technique: ClassVar[str] = "answers"

    def _busy(self) -> str:
        if self._desk.unavailable is None:
            return ""
        return "the door is closed by another fault now: run again when that is over"

    def _begin(self, until: float) -> Unavailable:
        share = 1.0 if self._fault.percent is None else float(self._fault.percent)
        made = Unavailable(share, self._fault.wait.total_seconds(), until)
        self._desk.unavailable = made
        return made

    def _end(self, action: Unavailable) -> None:
        action.end()
        self._desk.unavailable = None


class SkewHit(DoorHit[CountSkew, Miscounting]):
    """The door shows a wrong count. Proven by the first who was shown one."""

    technique: ClassVar[str] = "counts"

    def _busy(self) -> str:
        if self._desk.miscounting is None:
            return ""
        return "the door shows the wrong count of another fault now: run again when that is over"

    def _begin(self, until: float) -> Miscounting:
        self._desk.miscounting = made = Miscounting(Skew(self._fault.shows.value), self._fault.factor or 1, until)
        return made

    def _end(self, action: Miscounting) -> None:  # noqa: ARG002 - the door shows one wrong count at a time
        self._desk.miscounting = None


class DoorHits(StageHits[Desk]):
    """Makes the hits of a door."""

    name: ClassVar[str] = "door"

    def _hit(self, fault: FaultKind, target: InjectionTarget) -> StageHit[Any]:
        match fault:
            case RoomUnavailable():
                return UnavailableHit(fault, target, self.part, self.clock)
            case CountSkew():
                return SkewHit(fault, target, self.part, self.clock)
            case _:
                raise LookupError(f"{type(fault).__name__} is no fault of a door")


async def execute(identity: Identity, desk: Desk) -> None:
    """Carry out the Injections of this door until cancelled."""
    await executing.execute(identity, lambda clock: DoorHits(desk, identity.uid, clock))
