"""The agents as a hand: one Injection for each fault and node, alive only while the run's Lease is renewed."""

from collections.abc import Collection, Mapping, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.agent import asking
from showstopper.engine.hands.agent.injections import RunInjections
from showstopper.engine.hands.agent.reselect import Reselection
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.planning import peers
from showstopper.engine.planning.plan import PlannedFault


class AgentHand:
    """The faults of one run that the agents of the targets' nodes carry out."""

    def __init__(self, injections: RunInjections, reselection: Reselection) -> None:
        self._injections = injections
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

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What agents report of each fault."""
        states = {fault.name: await self._injections.state(run, fault) for fault in _own(run)}
        return {name: state for name, state in states.items() if state is not None}

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Have successors hit, and peers' addresses replaced."""
        lasting = {fault.name for fault in _own(run) if not fault.spec.instant}
        if names := lasting & set(faults):
            await self._reselection.look(run, names)

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:  # noqa: ARG002
        """Ask for the end of these faults. Their order does not matter, so there is nothing to be late for."""
        names = {fault.name for fault in _own(run)} & set(faults)
        await self._injections.lift(each for each in await self._injections.all() if each.spec.fault in names)


def _own(run: ExperimentRun) -> list[Fault]:
    return [fault for fault in run.spec.faults if fault.spec.hand is Hand.AGENT]
