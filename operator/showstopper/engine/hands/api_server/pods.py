"""Pods that the operator ends itself: each is deleted, evicted or replaced by its workload, and seen to be gone."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import structlog

from showstopper.api.faults.base import Hand
from showstopper.api.reasons import Reason
from showstopper.api.run import ChangeRecord, ExperimentRun, TargetRecord
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.engine.hands import records
from showstopper.engine.hands.api_server.changes import Changes
from showstopper.engine.hands.protocol import FaultState
from showstopper.errors import BudgetRefused, ClusterError, Conflict, Forbidden, NotFound
from showstopper.faults.effects import DeletePod, EvictPod
from showstopper.faults.pods.behaviour import effect_of

log = structlog.get_logger()


class Presence(StrEnum):
    """Whether a pod is there, by UID."""

    PRESENT = "Present"
    TERMINATING = "Terminating"
    GONE = "Gone"


class PodCalls:
    """The faults of one run that end their targets in an instant."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._called: dict[tuple[str, str], TargetRecord] = {}  # not yet observed

    async def call(self, run: ExperimentRun, names: Collection[str], *, again: bool) -> None:
        """Delete or evict every pod of these faults that is noted in the record and not answered for, all at once.

        After a restart only those that are there and not being deleted. What went before its answer was recorded may
        have been deleted by anybody, so that it proves nothing.
        What comes of a call is in the record of its target, and no reason not to make the others.
        """
        changed = {change.fault for change in run.status.changes}
        due = [
            target
            for target in _ending(run)
            if target.fault in names and target.fault not in changed and not _answered(target)
        ]
        if again:
            presences = await asyncio.gather(*(self._presence(run, target) for target in due))
            for target, presence in zip(due, presences, strict=True):
                if presence is not Presence.PRESENT:
                    self._called[target.fault, target.uid] = _missed(
                        target,
                        Reason.KILL_UNCERTAIN,
                        "the pod went while the operator was restarted, and no answer to a call of ours is recorded: "
                        "somebody else may have deleted it",
                    )
            due = [target for target, presence in zip(due, presences, strict=True) if presence is Presence.PRESENT]
        for target in await asyncio.gather(*(self._call(run, target) for target in due)):
            self._called[target.fault, target.uid] = target

    def answered(self, run: ExperimentRun, fault: str, changes: Sequence[ChangeRecord]) -> None:
        """The workloads of a fault were changed, or could not be: that is the answer for each of its targets."""
        failed = next((change for change in changes if change.changed_at is None), None)
        for target in _ending(run):
            if target.fault != fault or _answered(target):
                continue
            if failed is None:
                called = target.model_copy(update={"answered_at": max(change.changed_at or "" for change in changes)})
            else:
                reason = Reason.parse(failed.reason or Reason.INJECTION_FAILED)
                called = _missed(target, reason, failed.message or "its workload was not changed")
            self._called[fault, target.uid] = called

    async def observe(self, run: ExperimentRun, changes: Changes) -> dict[str, FaultState]:
        """What came of the calls, or else which pods are gone by now. Right after a call nobody waits for a look."""
        targets = _ending(run)
        touched = set()
        if self._called:
            targets = [self._called.get((target.fault, target.uid), target) for target in targets]
            self._called.clear()
        else:
            looked = await asyncio.gather(*(self._look(run, target) for target in targets))
            targets = [target for target, _ in looked]
            touched = {target.fault for target, presence in looked if presence is not Presence.PRESENT}
        return {
            record.name: FaultState(
                # A deleted pod leaves nothing behind: what is gone is reverted by its owner.
                record.model_copy(update={"reverted": all(target.gone_at is not None for target in own), **_told(own)}),
                tuple(own),
                touched=record.name in touched,
                armed=True,
                over=True,
                changes=changes.of(run, {record.name}),
            )
            for record in run.status.faults
            if (own := [target for target in targets if target.fault == record.name])
        }

    async def _look(self, run: ExperimentRun, target: TargetRecord) -> tuple[TargetRecord, Presence]:
        if target.gone_at is not None or records.missed(target):
            return target, Presence.GONE
        presence = await self._presence(run, target)
        if presence is Presence.GONE:
            target = target.model_copy(update={"gone_at": to_timestamp(self._clock.now())})
        return target, presence

    async def _presence(self, run: ExperimentRun, target: TargetRecord) -> Presence:
        """Whether that very pod is still there."""
        try:
            body = await self._client.get(POD, run.metadata.namespace, target.pod)
        except NotFound:
            return Presence.GONE
        if body["metadata"]["uid"] != target.uid:
            return Presence.GONE
        return Presence.TERMINATING if "deletionTimestamp" in body["metadata"] else Presence.PRESENT

    async def _call(self, run: ExperimentRun, target: TargetRecord) -> TargetRecord:
        """Delete or evict one pod. Returns its record with the times before and after, and what went wrong."""
        start = effect_of(run.fault(target.fault).spec, records.pod_of(run, target))
        bound = log.bind(run=run.metadata.name, fault=target.fault, pod=target.pod)
        called = target.model_copy(update={"requested_at": to_timestamp(self._clock.now())})
        try:
            await self._act(start)
        except Forbidden as error:
            bound.warning("injection_forbidden", error=str(error))
            return _missed(called, Reason.INJECTION_FORBIDDEN, f"the call was forbidden: {error}")
        except (NotFound, Conflict):
            return _missed(called, Reason.TARGETS_GONE, "the pod had already been deleted")
        except BudgetRefused as error:
            bound.warning("eviction_refused", error=str(error))
            return _missed(called, Reason.EVICTION_REFUSED, f"the eviction of {target.pod} was refused: {error}")
        except ClusterError as error:
            bound.warning("injection_failed", error=str(error))
            return _missed(called, Reason.INJECTION_FAILED, f"the call failed: {error}")
        called.answered_at = to_timestamp(self._clock.now())
        bound.info("fault_injected")
        return called

    async def _act(self, effect: DeletePod | EvictPod) -> None:
        """Delete or evict the pod, if it is still that very one."""
        pod = effect.pod
        grace = round(effect.grace_period.total_seconds()) if effect.grace_period is not None else None
        if isinstance(effect, EvictPod):
            await self._client.evict(pod.namespace, pod.name, uid=pod.uid, grace_seconds=grace)
        else:
            await self._client.delete(POD, pod.namespace, pod.name, uid=pod.uid, grace_seconds=grace)


def _ending(run: ExperimentRun) -> list[TargetRecord]:
    """The targets that the operator ends in an instant."""
    own = {fault.name for fault in run.spec.faults if fault.spec.hand is Hand.API_SERVER and fault.spec.instant}
    return [target for target in run.status.targets if target.fault in own]


def _answered(target: TargetRecord) -> bool:
    return target.answered_at is not None or records.missed(target)


def _missed(target: TargetRecord, reason: Reason, message: str) -> TargetRecord:
    return target.model_copy(update={"reason": reason, "message": message[:1024]})


def _told(targets: Sequence[TargetRecord]) -> Mapping[str, str]:
    """What the fault's record says of targets that were not hit."""
    missed = [target for target in targets if records.missed(target)]
    if not missed:
        return {}
    why = "; ".join(dict.fromkeys(target.message or "" for target in missed))
    return {"message": f"did not hit {len(missed)} of {len(targets)} targets: {why}"[:1024]}
