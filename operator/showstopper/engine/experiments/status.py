"""Showing: the whole status of an experiment from where it stands, and what of it is news for people. Pure."""

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.api.experiment import Experiment, ExperimentStatus, PlannedTarget, RunSummary
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.cluster.events import Announcement
from showstopper.engine.experiments import outcomes
from showstopper.engine.experiments.situation import WriteStatus
from showstopper.engine.planning.plan import Plan

MOST_TARGETS = 100
"""What a status takes of a plan."""


def status_of(experiment: Experiment, show: WriteStatus, now: str) -> ExperimentStatus:
    """All of the status, for this generation. What is not shown anew stays as it was.

    Args:
        experiment: as the API has it, with the status that stood before.
        show: where it stands.
        now: RFC 3339 time of this observation.
    """
    before, generation = experiment.status, experiment.metadata.generation
    status = ExperimentStatus(
        observed_generation=generation,
        conditions=conditions.conditions(show.outlook, generation=generation, now=now, previous=before.conditions),
        last_handled_run_request=before.last_handled_run_request,
        last_hash=before.last_hash,
        last_release=show.release or before.last_release,
        run=before.run,
        verdicts=before.verdicts,
        faults=", ".join(sorted({fault.kind for fault in experiment.spec.faults})),
        plan=list(show.targets),
    )
    if show.answered is not None:
        status.last_handled_run_request, status.last_hash = show.answered.run_request or None, show.answered.hash
        status.verdict = before.run.verdict if before.run is not None else None
        for name in ("audible", "dead_air", "recovery", "message"):  # of the run that was shown before
            setattr(status, name, getattr(before, name))
    if show.run is not None:
        _summarise(status, show.run)
    show.table.write(status)
    return status


def _summarise(status: ExperimentStatus, run: ExperimentRun) -> None:
    record = run.status
    status.run = RunSummary(
        name=run.metadata.name,
        verdict=record.verdict,
        reason=record.reason,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )
    status.verdict, status.audible = record.verdict, record.audible
    status.dead_air, status.recovery, status.message = record.dead_air, record.recovery, record.message


def planned(made: Plan) -> WriteStatus:
    """Where a dry run stands whose plan may be carried out."""
    targets = [
        PlannedTarget(
            fault=chosen.fault.name,
            pod=pod.name,
            uid=pod.uid,
            node=pod.node,
            address=pod.address,
            serving=pod.serving,
        )
        for chosen in made.faults
        for pod in chosen.targets
    ]
    return WriteStatus(outcomes.planned(targets), targets=tuple(targets[:MOST_TARGETS]))


def announcements(before: ExperimentStatus, show: WriteStatus) -> list[Announcement]:
    """What people are told once: a verdict, a refusal for another reason than the one that stood, a missed firing."""
    candidates = (_verdict(before, show), _refusal(before, show), _missed(before, show))
    return [announcement for announcement in candidates if announcement is not None]


def _verdict(before: ExperimentStatus, show: WriteStatus) -> Announcement | None:
    run = show.run
    if run is None or not run.finished:
        return None
    if before.run is not None and before.run.name == run.metadata.name and before.run.verdict is not None:
        return None
    note = f"run {run.metadata.name}: {run.status.verdict}: {run.status.message}"
    return Announcement(
        Reason.parse(run.status.reason or Reason.JUDGED), note, "Judge", run.status.verdict != Verdict.PASSED
    )


def _refusal(before: ExperimentStatus, show: WriteStatus) -> Announcement | None:
    outlook, ready = show.outlook, conditions.find(before.conditions, ConditionType.READY)
    if not outlook.stalled or outlook.finished or (ready is not None and ready.reason == outlook.reason):
        return None
    return Announcement(outlook.reason, outlook.message, "Refuse", warning=True)


def _missed(before: ExperimentStatus, show: WriteStatus) -> Announcement | None:
    """A firing whose run was refused is told by the refusal."""
    missed = show.table.missed
    if missed is None or missed == before.missed_run or show.table.refusal is not None:
        return None
    return Announcement(
        Reason.parse(missed.reason), f"no run for {missed.time}: {missed.message}", "Schedule", warning=True
    )
