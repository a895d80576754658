"""Targets: the record of each pod that a fault hits, and what its message tells. Pure."""

from collections.abc import Sequence

from showstopper.api.run import ChosenPod, ExperimentRun, TargetRecord
from showstopper.faults.effects import Pod

# How the message of a target begins that was not hit; the record alone must tell it after a restart.
FAILED = "the call "
FORBIDDEN = "the call was forbidden"
GONE = "the call found the pod gone"

MOST_NAMED = 20
"""Targets of lasting faults that a run's status names; the sums are over all."""


def record(pod: ChosenPod, now: str) -> TargetRecord:
    """The record of a pod that is about to be hit."""
    return TargetRecord(**pod.model_dump(), requested_at=now)


def missed(target: TargetRecord) -> bool:
    """Whether the call had no effect."""
    return target.message is not None and target.message.startswith(FAILED)


def pod_of(run: ExperimentRun, target: TargetRecord) -> Pod:
    """The pod, as faults need it."""
    return Pod(run.metadata.namespace, target.pod, target.uid, target.node, target.address, serving=target.serving)


def kills(run: ExperimentRun) -> list[TargetRecord]:
    """The targets of faults that the operator does itself, through the API server."""
    agents = by_agents(run)
    return [target for target in run.status.targets if target.fault not in agents]


def by_operator(run: ExperimentRun, pods: Sequence[ChosenPod]) -> list[ChosenPod]:
    """Those of the pods that faults hit which the operator hits itself."""
    agents = by_agents(run)
    return [pod for pod in pods if pod.fault not in agents]


def by_agents(run: ExperimentRun) -> set[str]:
    """The names of the faults that agents do."""
    return {fault.name for fault in run.spec.faults if fault.spec.hand.takes_injections}


def ends_media(run: ExperimentRun) -> list[TargetRecord]:
    """The targets of faults that are proven at the listeners too: where it served, its media stops."""
    instant = {fault.name for fault in run.spec.faults if fault.spec.instant}
    return [target for target in run.status.targets if target.fault in instant]


def named(run: ExperimentRun, pods: Sequence[ChosenPod]) -> list[ChosenPod]:
    """The targets that a run's status has room for: of what lasts some, since the Injections have each one."""
    lasting = {fault.name for fault in run.spec.faults if not fault.spec.instant}
    some = [pod for pod in pods if pod.fault in lasting][:MOST_NAMED]
    return [pod for pod in pods if pod.fault not in lasting or pod in some]


def worst(targets: Sequence[TargetRecord]) -> list[TargetRecord]:
    """Of too many targets of lasting faults those to be looked at: not proven, not lifted, or hit least."""
    if len(targets) <= MOST_NAMED:
        return list(targets)
    ranked = sorted(targets, key=lambda one: (one.proven, one.lifted_at is not None, one.affected or 0))
    return ranked[:MOST_NAMED]
