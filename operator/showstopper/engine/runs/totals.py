"""Sums: what agents say of faults, as the record of a run holds it. Pure."""

from collections.abc import Iterator, Mapping

from showstopper.api.injection import InjectedTarget
from showstopper.api.run import ExperimentRun, FaultRecord, StepName, TargetRecord
from showstopper.engine.hands.agent.injections import Answers
from showstopper.engine.runs import targets


def note(run: ExperimentRun, *, asked: Mapping[str, Answers], heard: Mapping[str, str]) -> None:
    """Write what is known into the faults' and the targets' records; `heard`: what else was said of those in vain."""
    for record in run.status.faults:
        if (answer := asked.get(record.name)) is not None and answer.wanted:
            _sum_up(run, record, answer, heard.get(record.name, ""))
    others = [target for target in run.status.targets if target.fault not in asked]
    instant = {fault.name for fault in run.spec.faults if fault.spec.instant}
    killed = [one for name in asked if name in instant for one in _of_fault(run, name, asked[name], instant=True)]
    lasting = [one for name in asked if name not in instant for one in _of_fault(run, name, asked[name])]
    run.status.targets = others + killed + targets.worst(lasting)


def targets_of(run: ExperimentRun, fault: str) -> int:
    """How many targets a fault has had by the record, successors too."""
    return sum(record.targets + (record.successors or 0) for record in run.status.faults if record.name == fault)


def proven(run: ExperimentRun, fault: str, answer: Answers) -> bool:
    """Whether a fault is proven by what agents say and, of a kill, by what its targets' record says of their media."""
    return answer.missing(_quiet(run, fault)) is None


def _of_fault(run: ExperimentRun, fault: str, answer: Answers, *, instant: bool = False) -> Iterator[TargetRecord]:
    """The record of every target of a fault; of those that the status does not name, as far as it is known."""
    known = {target.uid: target for target in run.status.targets if target.fault == fault}
    began = next((step.started_at for step in run.status.steps if step.name is StepName.INJECTING), None)
    said = {target.uid: target for target in answer.targets}
    for node, place in answer.places:
        target = known.pop(place.uid, None) or TargetRecord(
            fault=fault, pod=place.pod, uid=place.uid, node=node, address=place.address, requested_at=began
        )
        if (found := said.get(place.uid)) is not None:
            _copy(found, target, instant=instant)
        yield target
    yield from known.values()  # nobody has been asked about these yet


def _quiet(run: ExperimentRun, fault: str) -> set[str] | None:
    """The UIDs of the targets whose media has stopped; None: the fault does not end it."""
    if not run.fault(fault).spec.instant:
        return None
    return {target.uid for target in run.status.targets if target.fault == fault and target.proven}


def _sum_up(run: ExperimentRun, record: FaultRecord, answer: Answers, heard: str) -> None:
    record.matched, record.affected, record.backend = answer.matched, answer.affected, answer.backend
    quiet = _quiet(run, record.name)
    missing = answer.missing(quiet)
    record.proven, record.reverted = missing is None, answer.reverted
    record.successors = len(answer.successors) or None
    said = missing.message if missing is not None else answer.behaviour.outcome(answer.observed(quiet))
    record.message = (f"{said}: {heard}" if heard and not answer.proven else said)[:1024]
    left = [part for hit in answer.hits for part in hit.leftovers] + ([answer.remains] if answer.remains else [])
    graver = [f"this was left: {', '.join(left)}"] if left else []
    if answer.cut_short is not None:
        record.cut_short = answer.cut_short.reason
        graver.insert(0, answer.cut_short.message)
    if graver:
        record.message = "; ".join(graver)[:1024]


def _copy(found: InjectedTarget, target: TargetRecord, *, instant: bool) -> None:
    target.armed_at, target.lifted_at = found.armed_at, found.lifted_at
    target.answered_at = target.answered_at or found.armed_at
    target.processes = found.processes
    if found.last is not None:
        target.matched, target.affected = found.last.matched, found.last.affected
    if not instant:
        target.proven = found.proven
    elif found.proven and found.processes is not None:
        target.gone_at = found.processes.at
    target.message = found.message
