"""The protocol of hands: how faults are started, observed, lifted and swept, whoever carries them out."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from showstopper.api.injection import Executor
from showstopper.api.run import ChangeRecord, ExperimentRun, FaultRecord, TargetRecord
from showstopper.availability.verdict import Finding
from showstopper.engine.planning.plan import PlannedFault

Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds, or until something happens. Raises RunEnded when the run has to end."""


@dataclass(frozen=True, slots=True)
class FaultState:
    """What a hand knows of one fault of a run.

    Attributes:
        record: the fault's record as it is to be written.
        targets: the records of its targets as they are to be written.
        touched: something was done, or asked for, by this life of the operator or an earlier one.
        armed: every target was hit, at some time.
        done: an instant fault has done all that it does. There is nothing to wait for.
        lifting: its end was asked for.
        over: nothing is left for the hand to do.
        silent: executors that have not answered.
        changes: the records of its changes of objects as they are to be written.
        trouble: why it could not begin, or ended though nobody had asked for its end.
    """

    record: FaultRecord
    targets: tuple[TargetRecord, ...]
    touched: bool = False
    armed: bool = False
    done: bool = False
    lifting: bool = False
    over: bool = False
    silent: tuple[Executor, ...] = ()
    changes: tuple[ChangeRecord, ...] = ()
    trouble: Finding | None = None


class Hand(Protocol):
    """Carries out the faults of its kinds. Every method may be called again: record and cluster say what is left."""

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Start these faults. Returns why they could not be started.

        Args:
            run: as its record is now.
            planned: the faults of this hand, with their targets.
            again: an earlier life of the operator may have started them: act only on what is certainly untouched.
        """

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What is known now, by the fault's name. Nothing of faults that were not started."""

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Follow pods that come and go while these faults last: targets that are replaced, peers that move."""

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:
        """Ask for the end of these faults. `late`: do not wait for the order in which they are best taken down."""
