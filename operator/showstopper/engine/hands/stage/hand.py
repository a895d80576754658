"""The stage as a hand: the room's managed host and its door, each pod asked by an Injection under the run's Lease."""

from collections.abc import Collection, Mapping, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.agent import asking
from showstopper.engine.hands.agent.injections import RunInjections
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.planning.plan import PlannedFault


class StageHand:
    """The faults of one run that the room's managed host, or all pods of its door, carry out on themselves.

    A pod that is replaced comes back without the fault, so nothing is followed.
    """

    def __init__(self, injections: RunInjections) -> None:
        self._injections = injections

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Make the Lease and the Injections. After a restart only the Lease: the pods may be others by now."""
        if again:
            await self._injections.take_up(run)
            return None
        self._injections.watch()
        return await self._injections.ask(
            run, [asking.of_stage(run, each.fault, pod) for each in planned for pod in each.targets]
        )

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What host and door report of each fault."""
        states = {fault.name: await self._injections.state(run, fault) for fault in _own(run)}
        return {name: state for name, state in states.items() if state is not None}

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Nobody takes the place of a pod that is gone."""

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:  # noqa: ARG002
        """Ask for the end of these faults."""
        names = {fault.name for fault in _own(run)} & set(faults)
        await self._injections.lift(each for each in await self._injections.all() if each.spec.fault in names)


def _own(run: ExperimentRun) -> list[Fault]:
    return [fault for fault in run.spec.faults if fault.spec.hand is Hand.STAGE]
