"""Re-selection: while a fault lasts, a pod that replaces a target becomes one, and whoever is a peer now is meant."""

from collections.abc import Awaitable, Callable, Collection, Sequence

import structlog

from showstopper.api.experiment import Fault
from showstopper.api.injection import Injection, TargetState
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock
from showstopper.engine.hands.agent import injections
from showstopper.engine.hands.agent.client import AgentHand
from showstopper.engine.planning import plan, policies
from showstopper.engine.planning.plan import Plan, PlannedFault, Snapshot
from showstopper.errors import ClusterError
from showstopper.faults.effects import Pod

log = structlog.get_logger()

LOOK_SECONDS = 0.5
"""How often successors are looked for, and the peers' addresses are read."""


def successors(fault: Fault, snapshot: Snapshot, own: Sequence[Injection], planned: int) -> tuple[Pod, ...]:
    """The pods that take the place of targets that are gone; none where a bound of the experiment would be broken.

    Args:
        fault: one that lasts.
        snapshot: as it is now.
        own: its Injections, successors' included. What they name has been chosen, and is never chosen again.
        planned: how many targets it had at its start; there are never more at a time.
    """
    states = {target.uid: target.state for one in own for target in one.status.targets}
    asked = {target.uid for one in own for target in one.spec.targets}
    there = {uid for uid in asked if states.get(uid) is not TargetState.GONE}
    candidates = tuple(plan.candidates_of(snapshot, fault))
    # Both times are the API server's: what was there before the fault replaces nobody.
    since = min((one.metadata.creation_timestamp for one in own), default="")
    new = [pod for pod in candidates if pod.uid not in asked and pod.created > since and plan.may_hit(fault, pod)]
    chosen = sorted((pod for pod in new if pod.address), key=lambda pod: (pod.created, pod.name))
    chosen = chosen[: max(0, planned - len(there))]
    hit = (*(pod for pod in candidates if pod.uid in there), *chosen)
    if not chosen or policies.refusal(Plan(snapshot, (PlannedFault(fault, hit, candidates),), 0)) is not None:
        return ()
    return tuple(chosen)


class Reselecting:
    """The re-selection of one run. It needs no memory: the Injections name everybody who was ever a target."""

    def __init__(
        self,
        hand: AgentHand,
        clock: Clock,
        run: Callable[[], ExperimentRun],
        snapshot: Callable[[ExperimentRun], Awaitable[Snapshot]],
    ) -> None:
        self._hand = hand
        self._clock = clock
        self._run = run
        self._snapshot = snapshot
        self._looked = 0.0

    async def look(self, found: Sequence[Injection], names: Collection[str]) -> None:
        """Look once more, unless that was just done. `names`: the faults that still last."""
        if self._clock.now() - self._looked < LOOK_SECONDS:
            return
        self._looked = self._clock.now()
        for fault in self._run().spec.faults:
            if fault.name not in names:
                continue
            own = [one for one in found if one.spec.fault == fault.name]
            try:
                await self._replace(fault, own)
                await self._follow(fault, own)
            except ClusterError as error:  # the fault goes on as it is, and is tried again
                log.warning("not_reselected", run=self._run().metadata.name, fault=fault.name, error=str(error))

    async def peers(self, faults: Collection[Fault]) -> dict[str, tuple[str, ...]]:
        """The addresses that the components have now which are peers of these faults."""
        run = self._run()
        names = {name for fault in faults for name in injections.peers_of(fault)}
        components = [component for component in run.spec.room.spec.components if component.name in names]
        return {
            component.name: await self._hand.addresses(run.metadata.namespace, [component]) for component in components
        }

    async def _replace(self, fault: Fault, own: Sequence[Injection]) -> None:
        gone = [target for one in own for target in one.status.targets if target.state is TargetState.GONE]
        planned = next((record.targets for record in self._run().status.faults if record.name == fault.name), 0)
        if len(gone) <= sum(len(one.spec.targets) for one in own) - planned:
            return  # each has its successor
        chosen = successors(fault, await self._snapshot(self._run()), own, planned)
        if not chosen:
            return
        peers = await self.peers([fault])
        if injections.without_peers(peers) is not None:
            return
        await self._hand.start(injections.of_successor(self._run(), fault, pod, peers) for pod in chosen)
        for pod in chosen:
            log.info("target_replaced", run=self._run().metadata.name, fault=fault.name, pod=pod.name)

    async def _follow(self, fault: Fault, own: Sequence[Injection]) -> None:
        """While nobody is a peer, those before are meant: a set of nobody would end what the fault is."""
        peers = await self.peers([fault]) if injections.peers_of(fault) else {}
        if not peers or injections.without_peers(peers) is not None:
            return
        addresses = injections.all_of(peers)
        for one in own:
            if not one.spec.lift and one.spec.peers != addresses:
                await self._hand.follow(one, addresses)
