"""Records of targets: how the targets of a run's faults are written down, and which of them its status names. Pure."""

from collections import Counter
from collections.abc import Sequence

from showstopper.api.reasons import Reason
from showstopper.api.run import ChosenPod, ExperimentRun, FaultRecord, StepName, TargetRecord
from showstopper.faults.effects import Pod

MISSED = (
    Reason.TARGETS_GONE,
    Reason.EVICTION_REFUSED,
    Reason.CHANGED_MEANWHILE,
    Reason.KILL_UNCERTAIN,
    Reason.INJECTION_FORBIDDEN,
    Reason.INJECTION_FAILED,
)
"""Reasons of a target that was not hit, or not certainly, in the order in which they count. After a restart only
they tell it."""

MOST_NAMED = 20
"""Targets of lasting faults that a run's status names. The totals are over all."""


def record(pod: ChosenPod, now: str) -> TargetRecord:
    """The record of a pod that is about to be hit."""
    return TargetRecord(**pod.model_dump(), requested_at=now)


def faults(run: ExperimentRun, pods: Sequence[ChosenPod]) -> list[FaultRecord]:
    """The records of a run's faults before anything is hit, each with the number of its targets."""
    hit = Counter(pod.fault for pod in pods)
    return [FaultRecord(name=fault.name, kind=fault.kind, targets=hit[fault.name]) for fault in run.spec.faults]


def missed(target: TargetRecord) -> bool:
    """Whether the call had no effect."""
    return target.reason in MISSED


def pod_of(run: ExperimentRun, target: TargetRecord) -> Pod:
    """The pod, as faults need it."""
    return Pod(run.metadata.namespace, target.pod, target.uid, target.node, target.address, serving=target.serving)


def kills(run: ExperimentRun) -> list[TargetRecord]:
    """The targets that the operator ends in an instant, through the API server: nothing is tried again on them."""
    lasting = held(run)
    return [target for target in run.status.targets if target.fault not in lasting]


def by_injections(run: ExperimentRun) -> set[str]:
    """The names of the faults that executors carry out, asked by Injections."""
    return {fault.name for fault in run.spec.faults if fault.spec.hand.takes_injections}


def held(run: ExperimentRun) -> set[str]:
    """The names of the faults that are kept up and lifted."""
    return {fault.name for fault in run.spec.faults if fault.spec.is_held}


def named_whole(run: ExperimentRun) -> set[str]:
    """The names of the faults of which a run's status names each target."""
    return {fault.name for fault in run.spec.faults if fault.spec.named_whole}


def ends_media(run: ExperimentRun) -> list[TargetRecord]:
    """The targets of faults that are proven at the listeners too: where it served, its media stops."""
    instant = {fault.name for fault in run.spec.faults if fault.spec.instant}
    return [target for target in run.status.targets if target.fault in instant]


def named(run: ExperimentRun, pods: Sequence[ChosenPod]) -> list[ChosenPod]:
    """The targets that a run's status has room for: some of those that Injections have each."""
    whole = named_whole(run)
    some = [pod for pod in pods if pod.fault not in whole][:MOST_NAMED]
    return [pod for pod in pods if pod.fault in whole or pod in some]


def worst(targets: Sequence[TargetRecord]) -> list[TargetRecord]:
    """Of too many targets of lasting faults those to be looked at: not proven, not lifted, or hit least."""
    if len(targets) <= MOST_NAMED:
        return list(targets)
    ranked = sorted(targets, key=lambda target: (target.proven, target.lifted_at is not None, target.affected or 0))
    return ranked[:MOST_NAMED]


def noted_at(run: ExperimentRun) -> str | None:
    """When the targets, and what was there before any change, were written down."""
    return next((step.started_at for step in run.status.steps if step.name is StepName.INJECTING), None)
