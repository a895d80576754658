"""Totals: what agents report of a fault, as the record of a run holds it. Pure."""

from collections.abc import Iterator

from showstopper.api.injection import InjectedTarget
from showstopper.api.kinds import INSTANT_KINDS
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, FaultRecord, StepName, TargetRecord
from showstopper.engine.hands.agent import answers
from showstopper.engine.hands.agent.answers import Answers
from showstopper.faults import figures


def record_of(record: FaultRecord, answer: Answers, heard: str = "") -> FaultRecord:
    """The fault's record with the totals over its targets, what proves it, and what is left of it.

    Args:
        record: as it was written last.
        answer: what its agents report now.
        heard: what else is known of why it did nothing.
    """
    instant = record.kind in INSTANT_KINDS
    made = record.model_copy()
    made.matched, made.affected, made.backend = answer.matched, answer.affected, answer.backend
    # A kill is not proven yet: its media has to stop at the listeners.
    made.proven, made.reverted = record.proven if instant else answer.proven, answer.reverted
    made.successors = len(answer.successors) or None
    made.reason = None
    if not answer.proven:
        made.reason = Reason.TARGETS_GONE if answer.deserted else Reason.NO_EFFECT
        said = answers.no_effect(record.name, answer)
        made.message = f"{said}: {heard}" if heard else said
    elif not instant:
        made.message = _proof(answer)
    elif not made.proven:
        made.message = f"{figures.tally(answer.targets)}, but listeners may still get media from there"
    left = [part for hit in answer.hits for part in hit.leftovers] + ([answer.remains] if answer.remains else [])
    graver = [f"left behind: {', '.join(left)}"] if left else []
    if answer.cut_short is not None:
        made.cut_short = answer.cut_short.reason
        graver.insert(0, answer.cut_short.message)
    made.message = ("; ".join(graver) if graver else made.message or "")[:1024]
    return made


def targets_of(run: ExperimentRun, fault: str, answer: Answers) -> Iterator[TargetRecord]:
    """The record of every target of a fault. Of those that the status does not name, as far as it is known."""
    known = {target.uid: target for target in run.status.targets if target.fault == fault}
    began = next((step.started_at for step in run.status.steps if step.name is StepName.INJECTING), None)
    instant = any(record.name == fault and record.kind in INSTANT_KINDS for record in run.status.faults)
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


def _proof(answer: Answers) -> str:
    if answer.gates:
        return f"sent {answer.matched} packets, {answer.affected} of them arrived, some at every target"
    late = [target.pod for target in answer.targets if not target.proven]
    but = f"; {', '.join(late[:5])} replaced one too late to see any" if late else ""
    return f"{figures.tally(answer.targets)}, on every target{but}"


def _updated(target: TargetRecord, report: InjectedTarget, *, instant: bool) -> TargetRecord:
    """The record of a target with what its agent reports of it now."""
    made = target.model_copy()
    made.armed_at, made.lifted_at = report.armed_at, report.lifted_at
    made.answered_at = made.answered_at or report.armed_at
    made.processes = report.processes
    if report.last is not None:
        made.matched, made.affected = report.last.matched, report.last.affected
    if not instant:
        made.proven = report.proven
    elif report.proven and report.processes is not None:
        made.gone_at = report.processes.at
    made.message = report.message
    return made
