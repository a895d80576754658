"""Totals: what agents report of a fault, as the record of a run holds it. Pure."""

from collections.abc import Iterator

from showstopper.api.injection import InjectedTarget
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, FaultRecord, StepName, TargetRecord
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.injections.answers import Answers
from showstopper.faults.observed import LEAST_SHARE


def record_of(record: FaultRecord, answer: Answers, heard: str = "") -> FaultRecord:
    """The fault's record with the totals over its targets, what proves it, and what is left of it.

    Args:
        record: as it was written last.
        answer: what its agents report now.
        heard: what else is known of why it did nothing.
    """
    made = record.model_copy()
    made.matched, made.affected, made.backend = answer.matched, answer.affected, answer.backend
    made.armed_at, made.lifted_at = answer.armed_at, answer.lifted_at
    made.storm, made.flood = answer.storm, answer.flood
    missing = answer.missing()
    if answer.over and answer.fault.duration is not None and answer.places:
        asked = made.targets * answer.fault.duration.total_seconds()
        made.asked_for, made.in_force = f"{asked:.2f}s", f"{answer.in_force:.2f}s"
        missing = missing or _too_brief(asked, answer.in_force)
    # What agents say does not prove a kill: its media has to stop at the listeners.
    made.proven = record.proven if answer.fault.spec.instant else missing is None
    made.reverted, made.successors = answer.reverted, len(answer.successors) or None
    made.reason = missing.reason if missing is not None else None
    if missing is not None:
        made.message = f"{missing.message}: {heard}" if heard else missing.message
    elif not made.proven:
        made.message = answer.behaviour.outcome(answer.observed(quiet=()))
    elif not answer.fault.spec.instant:
        made.message = answer.behaviour.outcome(answer.observed()) + _probed(answer)
    left = [part for hit in answer.hits for part in hit.leftovers] + ([answer.remains] if answer.remains else [])
    graver = [f"left behind: {', '.join(left)}"] if left else []
    if answer.cut_short is not None:
        made.cut_short = answer.cut_short.reason
        graver.insert(0, answer.cut_short.message)
    made.message = ("; ".join(graver) if graver else made.message or "")[:1024]
    return made


def _probed(answer: Answers) -> str:
    """The kubelet's probes that were hit too: a restart that comes of it is in the targets' records."""
    if not answer.probed:
        return ""
    return f"; the kubelet's probes of port {', '.join(map(str, answer.probed))} were not spared"


def _too_brief(asked: float, in_force: float) -> Finding | None:
    """A fault that was there for a part of its time only has tested that part, whatever it did then."""
    if in_force >= LEAST_SHARE * asked:
        return None
    return Finding(
        Reason.TOO_BRIEF,
        f"was in force for {in_force:.1f} s of {asked:.1f} s of its targets' time, and a test needs "
        f"{LEAST_SHARE:.0%}: targets went, and others came too late in their place",
    )


def targets_of(run: ExperimentRun, answer: Answers) -> Iterator[TargetRecord]:
    """The record of every target of a fault. Of those that the status does not name, as far as it is known."""
    fault = answer.fault.name
    known = {target.uid: target for target in run.status.targets if target.fault == fault}
    began = next((step.started_at for step in run.status.steps if step.name is StepName.INJECTING), None)
    instant = answer.fault.spec.instant
    reported = {target.uid: target for target in answer.targets}
    for node, place in answer.places:
        target = known.pop(place.uid, None) or TargetRecord(
            fault=fault, pod=place.pod, uid=place.uid, node=node, address=place.address, requested_at=began
        )
        if (report := reported.get(place.uid)) is not None:
            target = _updated(target, report, instant=instant)
        yield target
    yield from known.values()  # no agent has been asked about these yet


def planned(run: ExperimentRun, fault: str) -> int:
    """How many targets a fault has had by the record, successors too."""
    return sum(record.targets + (record.successors or 0) for record in run.status.faults if record.name == fault)


def _updated(target: TargetRecord, report: InjectedTarget, *, instant: bool) -> TargetRecord:
    """The record of a target with what its agent reports of it now."""
    made = target.model_copy()
    made.armed_at, made.lifted_at = report.armed_at, report.lifted_at
    made.answered_at = made.answered_at or report.armed_at
    made.processes, made.host, made.door = report.processes, report.host, report.door
    if report.last is not None:
        made.matched, made.affected = report.last.matched, report.last.affected
    if not instant:
        made.proven = report.proven
    elif report.proven and report.processes is not None:
        made.gone_at = report.processes.at
    made.message = report.message
    return made
