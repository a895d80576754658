"""Proving: whether what a run hit is gone, and whether its media stopped at the listeners."""

from collections.abc import Mapping
from functools import partial

import structlog

from showstopper.api.run import ExperimentRun, TargetRecord
from showstopper.clock import Clock, from_timestamp, to_timestamp
from showstopper.engine.hands.api_server import ApiServerHand, Presence
from showstopper.engine.hands.media import MediaWatch
from showstopper.engine.rooms import LiveRoom
from showstopper.engine.runs import targets
from showstopper.engine.status_writer import StatusWriter
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

log = structlog.get_logger()


class Proving:
    """The proofs of one run. It remembers the newest packets, and writes what is new."""

    def __init__(self, hand: ApiServerHand, clock: Clock, recorder: StatusWriter[ExperimentRun]) -> None:
        self._hand = hand
        self._clock = clock
        self._recorder = recorder
        self._watches: dict[str, MediaWatch] = {}

    @property
    def _run(self) -> ExperimentRun:
        return self._recorder.resource

    def proven(self) -> bool:
        """Whether every kill is proven, or can no longer be: agents look no more when they have lifted it."""
        return all(target.proven or self._given_up(target) for target in targets.ends_media(self._run))

    async def prove(self, room: LiveRoom | None) -> None:
        """Look once more at every target that is not proven; write down what is new."""
        found: dict[tuple[str, str], TargetRecord] = {}
        for target in targets.ends_media(self._run):
            if target.proven or targets.missed(target):
                continue
            looked = await self._look(target, room)
            if looked != target:
                found[target.fault, target.uid] = looked
        if not found:
            return

        await self._recorder.write(partial(_note, found=found))
        for target in found.values():
            if target.proven:
                log.info("fault_proven", run=self._run.metadata.name, fault=target.fault, pod=target.pod)

    def _given_up(self, target: TargetRecord) -> bool:
        by_agents = target.fault in targets.by_agents(self._run)
        return by_agents and target.lifted_at is not None and target.gone_at is None

    async def _look(self, target: TargetRecord, room: LiveRoom | None) -> TargetRecord:
        looked = target.model_copy()
        if looked.gone_at is None:
            if target.fault in targets.by_agents(self._run):
                return target  # of its processes the agent tells
            if await self._hand.presence(targets.pod_of(self._run, target)) is not Presence.GONE:
                return target
            looked.gone_at = to_timestamp(self._clock.now())
        if room is None:
            return looked
        watch = self._watches.setdefault(target.uid, MediaWatch(target.address))
        samples = room.timeline.latest()
        watch.observe(samples)
        since = from_timestamp(looked.answered_at or looked.requested_at or looked.gone_at)
        if watch.stopped(room.residents, samples, room.timeline.current(), since=since):
            looked.proven = True
            if watch.last_packet is not None and watch.last_packet >= since:
                looked.media_stopped_at = to_timestamp(watch.last_packet)
        return looked


def _note(run: ExperimentRun, *, found: Mapping[tuple[str, str], TargetRecord]) -> None:
    run.status.targets = [found.get((target.fault, target.uid), target) for target in run.status.targets]
    for fault in run.status.faults:
        own = [target for target in targets.ends_media(run) if target.fault == fault.name]
        if not own:
            continue  # it lasts: its agents say what proves it
        behaviour = registry.of(run.fault(fault.name).spec)
        observed = Observed(fault.name, tuple(map(ObservedTarget.recorded, own)))
        fault.proven = behaviour.proof(observed) is None
        if fault.name not in targets.by_agents(run):
            # A deleted pod leaves nothing behind: what is gone is reverted by its owner.
            fault.reverted = all(target.gone_at is not None for target in own)
        if fault.proven:
            fault.message = behaviour.outcome(observed)[:1024]
