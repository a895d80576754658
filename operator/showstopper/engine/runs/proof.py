"""Proof at the listeners: whether the media of what was killed has stopped. Pure but for what it remembers."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from showstopper.api.run import ExperimentRun, FaultRecord, TargetRecord
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.hands import records
from showstopper.engine.hands.media import MediaWatch
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.rooms import LiveRoom
from showstopper.engine.rooms.fleet import names
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

log = structlog.get_logger()


class MediaProof:
    """The proofs of one run's kills. It remembers the newest packet of each target. The rest is in the record."""

    def __init__(self) -> None:
        self._watches: dict[str, MediaWatch] = {}

    def complete(self, run: ExperimentRun) -> bool:
        """Whether every kill is proven, or can no longer be: agents look no more when they have lifted it."""
        return all(target.proven or _given_up(run, target) for target in records.ends_media(run))

    def prove(
        self, run: ExperimentRun, states: Mapping[str, FaultState], room: LiveRoom | None
    ) -> Mapping[str, FaultState]:
        """The states of all faults, with what listeners tell of those that end media.

        A deletion alone proves nothing: with a grace period of zero the API server answers about two seconds before
        the process dies. So a kill is proven when its target is gone *and* no listener gets packets from its address.

        Args:
            run: as its record is now.
            states: what hands report. A kill that no hand reports any more is taken from the record.
            room: with the listeners. None if it is not known now.
        """
        proven = dict(states)
        for record in run.status.faults:
            if not self._ends_media(run, record):
                continue
            state = states.get(record.name) or FaultState(
                record, tuple(target for target in run.status.targets if target.fault == record.name)
            )
            targets = tuple(self._look(run, target, room) for target in state.targets)
            proven[record.name] = replace(state, record=_judged(run, state.record, targets), targets=targets)
        return proven

    def _ends_media(self, run: ExperimentRun, record: FaultRecord) -> bool:
        return run.fault(record.name).spec.instant

    def _look(self, run: ExperimentRun, target: TargetRecord, room: LiveRoom | None) -> TargetRecord:
        if target.proven or records.missed(target) or target.gone_at is None or room is None:
            return target
        watch = self._watches.setdefault(
            target.uid, MediaWatch(target.address, target.media, others_known=target.serving is not None)
        )
        samples = room.timeline.latest()
        watch.observe(samples)
        since = from_timestamp(target.answered_at or target.requested_at or target.gone_at)
        if not watch.stopped(names.residents(run.room), samples, room.timeline.current(), since=since):
            return target
        log.info("fault_proven", run=run.metadata.name, fault=target.fault, pod=target.pod)
        stopped = watch.last_packet if watch.last_packet is not None and watch.last_packet >= since else None
        known = {"media_stopped_at": to_timestamp(stopped)} if stopped is not None else {}
        return target.model_copy(update={"proven": True, **known})


def _judged(run: ExperimentRun, record: FaultRecord, targets: tuple[TargetRecord, ...]) -> FaultRecord:
    """The fault's record: proven when its kind finds nothing missing."""
    behaviour = registry.of(run.fault(record.name).spec)
    observed = Observed(record.name, tuple(map(ObservedTarget.recorded, targets)))
    if not targets or behaviour.proof(observed) is not None:
        return record.model_copy(update={"proven": False})
    # What is left of it, or what cut it short, stays what a person reads first.
    message = behaviour.outcome(observed) if record.reverted else record.message
    return record.model_copy(update={"proven": True, "reason": None, "message": message})


def _given_up(run: ExperimentRun, target: TargetRecord) -> bool:
    asked = target.fault in records.by_injections(run)
    return asked and target.lifted_at is not None and target.gone_at is None
