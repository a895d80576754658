"""Re-selection: while a fault lasts, a pod that replaces a target becomes a target, and sets of peers are kept."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import structlog

from showstopper.api.experiment import Fault
from showstopper.api.injection import Injection, TargetState
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock
from showstopper.engine.hands.injections import asking
from showstopper.engine.hands.injections.run_injections import RunInjections
from showstopper.engine.planning import plan, policies
from showstopper.engine.planning.peers import missing, peers_of
from showstopper.engine.planning.plan import Plan, PlannedFault, Snapshot
from showstopper.errors import ClusterError
from showstopper.faults.effects import Pod

log = structlog.get_logger()

Addresses = Mapping[str, Sequence[str]]
LOOK_SECONDS = 0.5
"""How often successors are looked for, and the peers' addresses are read."""


def successors(fault: Fault, snapshot: Snapshot, own: Sequence[Injection], planned: int) -> tuple[Pod, ...]:
    """The pods that take the place of targets that are gone, or none where a bound of the experiment would be broken.

    Args:
        fault: one that lasts.
        snapshot: as it is now.
        own: its Injections, successors' included. What they name has been chosen, and is never chosen again.
        planned: how many targets it had at its start. There are never more at a time.
    """
    states = {target.uid: target.state for injection in own for target in injection.status.targets}
    asked = {target.uid for injection in own for target in injection.spec.targets}
    there = {uid for uid in asked if states.get(uid) is not TargetState.GONE}
    candidates = tuple(plan.candidates_of(snapshot, fault))
    # Both times are the API server's: what was there before the fault replaces nobody.
    since = min((injection.metadata.creation_timestamp for injection in own), default="")
    new = [pod for pod in candidates if pod.uid not in asked and pod.created > since and plan.may_hit(fault, pod)]
    chosen = sorted((pod for pod in new if pod.address), key=lambda pod: (pod.created, pod.name))
    chosen = chosen[: max(0, planned - len(there))]
    hit = (*(pod for pod in candidates if pod.uid in there), *chosen)
    if not chosen or policies.refusal(Plan(snapshot, (PlannedFault(fault, hit, candidates),), 0)) is not None:
        return ()
    return tuple(chosen)


class Reselection:
    """The re-selection of one run. It needs no memory: the Injections name every pod that was ever a target."""

    def __init__(
        self,
        injections: RunInjections,
        clock: Clock,
        snapshot: Callable[[ExperimentRun], Awaitable[Snapshot]],
    ) -> None:
        self._injections = injections
        self._clock = clock
        self._snapshot = snapshot
        self._looked = 0.0

    async def look(self, run: ExperimentRun, names: Collection[str]) -> None:
        """Look once more, unless that was just done. `names`: the faults that still last."""
        if self._clock.now() - self._looked < LOOK_SECONDS:
            return
        self._looked = self._clock.now()
        injections = await self._injections.all()
        for fault in run.spec.faults:
            if fault.name not in names:
                continue
            own = [injection for injection in injections if injection.spec.fault == fault.name]
            try:
                peers = await self._injections.peers(run, peers_of(fault))
                if missing(peers) is not None:
                    continue  # without peers the fault would be no more: the last ones are kept until there are some
                await self._replace(run, fault, own, peers)
                await self._update_peers(own, peers)
            except ClusterError as error:  # the fault goes on as it is, and is tried again
                log.warning("not_reselected", run=run.metadata.name, fault=fault.name, error=str(error))

    async def _replace(self, run: ExperimentRun, fault: Fault, own: Sequence[Injection], peers: Addresses) -> None:
        gone = [target for injection in own for target in injection.status.targets if target.state is TargetState.GONE]
        planned = next((record.targets for record in run.status.faults if record.name == fault.name), 0)
        if len(gone) <= sum(len(injection.spec.targets) for injection in own) - planned:
            return  # each has its successor
        chosen = successors(fault, await self._snapshot(run), own, planned)
        if not chosen:
            return
        await self._injections.start(asking.of_successor(run, fault, pod, peers) for pod in chosen)
        for pod in chosen:
            log.info("target_replaced", run=run.metadata.name, fault=fault.name, pod=pod.name)

    async def _update_peers(self, own: Sequence[Injection], peers: Addresses) -> None:
        addresses = asking.all_of(peers)
        for injection in own if peers else ():
            if not injection.spec.lift and injection.spec.peers != addresses:
                await self._injections.set_peers(injection, addresses)
