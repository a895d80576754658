"""The stage as a hand: the room's managed host and its door, each pod asked by an Injection under the run's Lease."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from showstopper.api.faults.base import Hand
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.injections import asking
from showstopper.engine.hands.injections.injected import InjectedHand
from showstopper.engine.planning.plan import PlannedFault


class StageHand(InjectedHand):
    """The faults of one run that the room's managed host, or all pods of its door, carry out on themselves.

    A pod that is replaced comes back without the fault, so nothing is followed.
    """

    hand: ClassVar[Hand] = Hand.STAGE

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Make the Lease and the Injections. After a restart only the Lease: the pods may be others by now."""
        if again:
            await self._injections.take_up(run)
            return None
        self._injections.watch()
        return await self._injections.ask(
            run, [asking.of_stage(run, each.fault, pod) for each in planned for pod in each.targets]
        )

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Nobody takes the place of a pod that is gone."""
