"""Outlooks: what an experiment's conditions say of its runs, its plan, or its waiting. Pure."""

from collections.abc import Sequence

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.experiment import Experiment, PlannedTarget, RunSummary
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.engine.experiments.schedule import stamp
from showstopper.engine.runs import requests

ROOM_GRACE_SECONDS = 30.0
"""How long an experiment waits for a room that does not exist: they are often applied together, in any order."""


def of_run(run: ExperimentRun) -> Outlook:
    """What an experiment's conditions say of its newest run."""
    status, name = run.status, run.metadata.name
    if not run.finished:
        ready = conditions.find(status.conditions, conditions.ConditionType.READY)
        reason, message = (ready.reason, ready.message) if ready and ready.reason else (Reason.PLANNED, "asked for")
        return conditions.in_progress(Reason.parse(reason), f"run {name}: {message}")
    return _judged(name, status.verdict, status.reason, status.message)


def of_deleted(run: RunSummary, message: str | None) -> Outlook:
    """The newest run was deleted. Its verdict stands. Without one, the experiment is stalled."""
    if run.verdict is not None:
        return _judged(run.name, run.verdict, run.reason, message)
    message = f"run {run.name} was deleted before it had a verdict: change {requests.RUN_REQUESTED} to ask for another"
    return conditions.refused(Reason.RUN_DELETED, message)


def _judged(name: str, verdict: str | None, reason: str | None, message: str | None) -> Outlook:
    build = conditions.succeeded if verdict == Verdict.PASSED else conditions.failed
    return build(Reason.parse(reason or Reason.JUDGED), ": ".join(filter(None, (f"run {name}", verdict, message))))


def without_room(experiment: Experiment, seen_seconds: float) -> Outlook:
    """Its room does not exist, after so many seconds."""
    namespace, name = experiment.metadata.namespace, experiment.spec.room_ref.name
    message = f'there is no AudioRoom "{name}" in namespace {namespace}: apply it, or correct spec.roomRef.name'
    if seen_seconds < ROOM_GRACE_SECONDS:
        return conditions.in_progress(Reason.WAITING_FOR_ROOM, message)
    return conditions.refused(Reason.ROOM_NOT_FOUND, message)


def suspended(*, scheduled: bool) -> Outlook:
    """It waits for a person to resume it, and is not ready, for it was not tested."""
    then = "let its schedule go on" if scheduled else "run it"
    message = f"suspended before this was tested: set spec.suspend to false to {then}"
    return conditions.waiting_for_person(Reason.SUSPENDED, message)


def scheduled(first_run: float | None) -> Outlook:
    """It has not run yet.

    Args:
        first_run: when it will, in Unix seconds. None if its schedule was removed meanwhile.
    """
    if first_run is None:
        message = f"its schedule was removed before its first run: change {requests.RUN_REQUESTED} to ask for one"
        return conditions.refused(Reason.NEVER_RUN, message)
    return conditions.idle(Reason.SCHEDULED, f"has not run yet; its first run is at {stamp(first_run)}")


def planned(targets: Sequence[PlannedTarget]) -> Outlook:
    """A dry run found exactly what would be hit."""
    message = f"would hit {', '.join(target.pod for target in targets)}; set spec.dryRun to false to run it"
    return conditions.succeeded(Reason.PLANNED, message)
