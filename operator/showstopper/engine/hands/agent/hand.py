"""The agents as a hand: one Injection for each fault and node, alive only while the run's Lease is renewed."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from showstopper.api.faults.base import Hand
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.agent.reselect import Reselection
from showstopper.engine.hands.injections import asking
from showstopper.engine.hands.injections.injected import InjectedHand
from showstopper.engine.hands.injections.run_injections import RunInjections
from showstopper.engine.planning import peers
from showstopper.engine.planning.plan import PlannedFault


class AgentHand(InjectedHand):
    """The faults of one run that the agents of the targets' nodes carry out."""

    hand: ClassVar[Hand] = Hand.AGENT

    def __init__(self, injections: RunInjections, reselection: Reselection) -> None:
        super().__init__(injections)
        self._reselection = reselection

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Make the Lease and the Injections, all at once.

        After a restart only the Lease: what an earlier life did not ask for is `InjectionLost`, for its peers and
        targets may be others by now.
        """
        if again:
            await self._injections.take_up(run)
            return None
        self._injections.watch()
        names = peers.peers_of_all(each.fault for each in planned)
        addresses = await self._injections.peers(run, names)
        if (alone := peers.missing(addresses)) is not None:
            self._injections.untouched = not self._injections.lease.held
            return alone
        bodies = [body for each in planned for body in asking.compose(run, each, addresses)]
        return await self._injections.ask(run, bodies)

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Have successors hit, and peers' addresses replaced."""
        lasting = {fault.name for fault in self._own(run) if not fault.spec.instant}
        if names := lasting & set(faults):
            await self._reselection.look(run, names)
