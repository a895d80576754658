"""Pods that the operator ends itself: each is deleted, evicted or replaced by its workload, and seen to be gone."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

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
from showstopper.faults import registry
from showstopper.faults.effects import DeletePod, EvictPod
from showstopper.faults.pods.behaviour import PodCallBehaviour, effect_of

log = structlog.get_logger()

RETRY_SECONDS = 5.0
"""Between two attempts of a drain to evict the same pod, as `kubectl drain` has it."""


class Presence(StrEnum):
    """Whether a pod is there, by UID."""

    PRESENT = "Present"
    TERMINATING = "Terminating"
    GONE = "Gone"


class PodCalls:
    """The calls of one run, and its faults that end their targets in an instant."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._called: dict[tuple[str, str], TargetRecord] = {}  # not yet observed
        self._kept: dict[tuple[str, str], TargetRecord] = {}
        self._retried = float("-inf")

    async def call(self, run: ExperimentRun, names: Collection[str], *, again: bool) -> None:
        """Delete or evict every pod of these faults that is noted in the record and not answered for, all at once.

        After a restart only those that are there and not being deleted. What went before its answer was recorded may
        have been deleted by anybody, so that it proves nothing.
        What comes of a call is in the record of its target, and no reason not to make the others.
        """
        due = [target for target in self._called_for(run, names) if not _answered(target)]
        if again:
            presences = await asyncio.gather(*(self._presence(run, target) for target in due))
            for target, presence in zip(due, presences, strict=True):
                if presence is not Presence.PRESENT:
                    message = (
                        "the pod went while the operator was restarted, and no answer to a call of ours is recorded: "
                        "somebody else may have deleted it"
                    )
                    self._note(run, _missed(target, Reason.KILL_UNCERTAIN, message))
            due = [target for target, presence in zip(due, presences, strict=True) if presence is Presence.PRESENT]
        for target in await asyncio.gather(*(self._call(run, target) for target in due)):
            self._note(run, target)

    async def retry(self, run: ExperimentRun, names: Collection[str]) -> None:
        """Ask again for evictions that were refused, every few seconds, as a drain does."""
        refused = [target for target in self._called_for(run, names) if target.reason == Reason.EVICTION_REFUSED]
        if not refused or time.monotonic() - self._retried < RETRY_SECONDS:
            return
        self._retried = time.monotonic()
        anew = [target.model_copy(update={"reason": None, "message": None}) for target in refused]
        for target in await asyncio.gather(*(self._call(run, target) for target in anew)):
            self._note(run, target)

    def known(self, target: TargetRecord) -> TargetRecord:
        """A target of a fault that lasts, with what came of its call, by the record or since it was written."""
        return self._kept.get((target.fault, target.uid), target)

    def _called_for(self, run: ExperimentRun, names: Collection[str]) -> list[TargetRecord]:
        """The targets of these faults that get a call each."""
        own = {name for name in names if isinstance(registry.of(run.fault(name).spec), PodCallBehaviour)}
        return [self.known(target) for target in run.status.targets if target.fault in own]

    def _note(self, run: ExperimentRun, target: TargetRecord) -> None:
        """Keep what came of a call: until it is observed, or for as long as the fault lasts."""
        kept = self._called if run.fault(target.fault).spec.instant else self._kept
        kept[target.fault, target.uid] = target

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
        changed = {change.fault for change in run.status.changes}
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
                record.model_copy(update=_told(own, is_change=record.name in changed)),
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


def _told(targets: Sequence[TargetRecord], *, is_change: bool) -> Mapping[str, Any]:
    """What the fault's record says of its targets: whether they leave something behind, and which were not hit.

    A deleted pod leaves nothing behind: what is gone is reverted by its owner. Nor does a restarted workload: its pods
    are as good as those that replace them.
    """
    there = sum(target.gone_at is None for target in targets)
    told: dict[str, Any] = {"reverted": is_change or not there}
    missed = [target for target in targets if records.missed(target)]
    if not missed:
        wait = f"{there} of {len(targets)} pods are not replaced yet: write a timing.recovery that a rollout fits into"
        return told | ({"message": wait if there else None} if is_change else {})
    why = "; ".join(dict.fromkeys(target.message or "" for target in missed))
    return told | {"message": f"did not hit {len(missed)} of {len(targets)} targets: {why}"[:1024]}
