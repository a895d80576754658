"""What the hands have in common that ask executors by Injections: what is reported, and the end of it."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.run import ExperimentRun
from showstopper.engine.hands.injections.run_injections import RunInjections
from showstopper.engine.hands.protocol import FaultState


class InjectedHand:
    """The faults of one run that executors carry out who need nothing else done before or after."""

    hand: ClassVar[Hand]

    def __init__(self, injections: RunInjections) -> None:
        self._injections = injections

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What executors report of each fault."""
        states = {fault.name: await self._injections.state(run, fault) for fault in self._own(run)}
        return {name: state for name, state in states.items() if state is not None}

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:  # noqa: ARG002
        """Ask for the end of these faults. Their order does not matter, so there is nothing to be late for."""
        names = {fault.name for fault in self._own(run)} & set(faults)
        await self._injections.lift(each for each in await self._injections.all() if each.spec.fault in names)

    def _own(self, run: ExperimentRun) -> list[Fault]:
        return [fault for fault in run.spec.faults if fault.spec.hand is self.hand]
