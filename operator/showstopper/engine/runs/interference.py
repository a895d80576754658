"""Interference: what happened to targets and to the pods beside them, and no fault of the run has done. Pure.

A delay that a liveness probe does not bear makes the kubelet restart its target: what listeners hear then is another
fault, which nobody has declared. A container that ends by itself is what the fault does to the room. A pod that was
deleted meanwhile is an outage of its own: a room that stood both has passed, and one that did not may have stood the
fault. So it is with a fault that nobody lifted in time, for the operator was away or the API server did not answer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from showstopper.api.faults.base import Aim
from showstopper.api.injection import LEASE_SECONDS
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, FaultRecord, TargetRecord
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.faults.effects import Container, Pod

FROM_OUTSIDE = frozenset({0, 137, 143})
"""Exit codes of a container that was told to end: orderly, by SIGKILL (128 + 9), or by SIGTERM (128 + 15)."""

LONGER_SHARE, LONGER_SECONDS = 0.2, 1.0
"""For how much longer than declared a fault may last: the share by which it may also be shorter (`LEAST_SHARE` in
`faults/observed.py`), and a second in which it is armed and lifted: both go through the API server, which
takes half a second each where a machine is busy. Our choice, so that a late answer alone spoils no run. And never for
longer than a lease, by which what executors do ends anyhow."""


def restarted(run: ExperimentRun, pods: Iterable[Pod]) -> Mapping[str, Container]:
    """By UID of a target of a fault that lasts, its container that was started anew since it was chosen.

    A container that a fault of the run kills is started anew because of that.
    """
    before = {target.uid: target.restarts for target in _spared(run) if target.restarts is not None}
    return {
        pod.uid: max(pod.containers, key=lambda container: container.restarts)
        for pod in pods
        if pod.uid in before and pod.restarts > before[pod.uid]
    }


def gone(run: ExperimentRun, pods: Iterable[Pod]) -> Collection[str]:
    """UIDs of targets of faults that last which are deleted, or about to be, and which no fault of the run kills."""
    there = {pod.uid for pod in pods if not pod.terminating}
    return {target.uid for target in _spared(run)} - there


def described(container: Container) -> str:
    """How a container ended, for a person: "livekit (exit code 137, OOMKilled)"."""
    parts = [f"exit code {container.exit_code}"] if container.exit_code is not None else []
    parts += [container.exit_reason] if container.exit_reason else []
    return f"{container.name} ({', '.join(parts)})" if parts else container.name


def told_to_end(run: ExperimentRun, containers: Mapping[str, Container]) -> Finding | None:
    """Why the verdict would not rest on the declared faults alone: somebody else has ended a target's container."""
    pods = {target.uid: target for target in run.status.targets}
    for uid, container in containers.items():
        if container.exit_code is not None and container.exit_code not in FROM_OUTSIDE:
            continue
        target = pods[uid]
        return Finding(
            Reason.CONTAINER_RESTARTED,
            f"container {described(container)} of {target.pod} was ended from outside and restarted since fault "
            f"{target.fault} began, by its kubelet's liveness probe or for want of memory, so that the fault was not "
            "alone: look at the pod's events; raise the probe's failureThreshold, or name ports that it does not use",
        )
    return None


def came_beside(run: ExperimentRun, doors: Iterable[Pod]) -> Finding | None:
    """Why a fault of the door was not met by everybody: a pod of it that was not hit has answered as ever.

    Which pod somebody asks is the Service's choice, so that what people met is nobody's dose. A pod may have been made
    before the fault and still not be hit: it had no address when the targets were chosen.
    """
    ready = [pod for pod in doors if pod.ready and pod.created]
    for fault in run.status.faults:
        if run.fault(fault.name).aim is not Aim.DOOR or fault.armed_at is None or fault.lifted_at is None:
            continue
        before = [pod for pod in ready if from_timestamp(pod.created) < from_timestamp(fault.lifted_at)]
        if spared := _spared_doors(run, fault, before):
            return Finding(
                Reason.WRONG_DOSE,
                f"{', '.join(spared[:5])} came when the targets of fault {fault.name} were chosen already, and "
                "answered as ever, so that it was not met by everybody: run again when nobody scales the door",
            )
    return None


def _spared_doors(run: ExperimentRun, fault: FaultRecord, doors: Sequence[Pod]) -> list[str]:
    """The pods of the door that a fault has not hit, the newest first.

    The record may not name every target. As many pods as it leaves out are taken for targets, the oldest first.
    """
    named = {target.uid for target in run.status.targets if target.fault == fault.name}
    others = [pod for pod in doors if pod.uid not in named]
    newest = sorted(others, key=lambda pod: (pod.created, pod.name), reverse=True)
    return [pod.name for pod in newest[: max(len(others) - (fault.targets - len(named)), 0)]]


def other_cause(run: ExperimentRun) -> Finding | None:
    """Why what listeners missed may not be the declared faults' doing. A room that did well all the same has passed."""
    return deleted(run) or overlong(run)


def overlong(run: ExperimentRun) -> Finding | None:
    """Why the fault that listeners heard was another than the declared one: nobody lifted it in time.

    Whoever carries it out, it is measured on the operator's clock, from its first target to its last.
    """
    for record in run.status.faults:
        declared = run.fault(record.name).duration
        if declared is None or record.armed_at is None or record.lifted_at is None:
            continue
        asked = declared.total_seconds()
        lasted = from_timestamp(record.lifted_at) - from_timestamp(record.armed_at)
        if lasted > asked + min(LONGER_SHARE * asked + LONGER_SECONDS, LEASE_SECONDS):
            return Finding(
                Reason.WRONG_DOSE,
                f"fault {record.name} lasted {lasted:.1f} s and was declared to last {asked:g} s, for the operator was "
                "away, or the API server or an executor did not answer when it should have ended: run it again",
            )
    return None


def deleted(run: ExperimentRun) -> Finding | None:
    """Why what listeners missed may not be the faults' doing: somebody else has deleted pods meanwhile."""
    lost = [*(target for target in _spared(run) if target.gone_at is not None), *_too_many(run)]
    if lost:
        return _deleted(Reason.TARGETS_GONE, sorted({target.pod for target in lost}))
    return _deleted(Reason.PODS_GONE, run.status.others_gone) if run.status.others_gone else None


def _deleted(reason: Reason, pods: Sequence[str]) -> Finding:
    return Finding(
        reason,
        f"{', '.join(pods[:5])} was deleted during the run, and not by it, so that what listeners missed may come of "
        "that: look at its events, and run again when its component rests",
    )


def _too_many(run: ExperimentRun) -> Iterator[TargetRecord]:
    """The targets that are gone of faults that end some of theirs, whichever, where more are gone than these end."""
    for fault in run.spec.faults:
        if not fault.spec.ends_targets:
            continue
        others = {other.name for other in run.spec.faults if other is not fault and other.spec.ends_targets}
        killed = {target.uid for target in run.status.targets if target.fault in others}
        own = [target for target in run.status.targets if target.fault == fault.name]
        gone = [target for target in own if target.gone_at is not None and target.uid not in killed]
        if len(gone) > fault.spec.hits(len(own)):
            yield from gone


def _spared(run: ExperimentRun) -> list[TargetRecord]:
    """The targets that no fault of the run is meant to end."""
    ending = {fault.name for fault in run.spec.faults if fault.spec.ends_targets}
    killed = {target.uid for target in run.status.targets if target.fault in ending}
    return [target for target in run.status.targets if target.uid not in killed]
