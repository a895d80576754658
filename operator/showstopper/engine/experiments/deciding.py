"""Standing: where an experiment stands, and whether a run is to begin for it now. Pure."""

from dataclasses import replace

from showstopper.api import conditions
from showstopper.api.experiment import Experiment, RunOn
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.engine.experiments import outcomes, timetable
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.experiments.situation import RETRY_SECONDS, BeginRun, Situation, WriteStatus
from showstopper.engine.experiments.timetable import DueRun
from showstopper.engine.runs import queue, requests
from showstopper.engine.runs.requests import Request

RELEASE_SECONDS = 5.0
"""How often an experiment that runs on releases looks for one."""


def decide(situation: Situation) -> WriteStatus | BeginRun:
    """What to do for an experiment, level by level: the same situation always gives the same answer."""
    experiment, spec = situation.experiment, situation.experiment.spec
    schedule = schedules.of(spec)
    if isinstance(schedule, Finding):
        table = timetable.look(experiment, None, situation.runs, situation.now).table
        return WriteStatus(conditions.refused(schedule.reason, schedule.message), table=table)
    if spec.suspend or spec.dry_run:
        schedule = None
    due = timetable.look(experiment, schedule, situation.runs, situation.now)
    step = _asked_for(situation, due) or _fired(situation, due) or _released(situation, due) or _at_rest(situation, due)
    if isinstance(step, BeginRun):
        return step if situation.room_known else step.instead(_without_room(situation))
    looks = RELEASE_SECONDS if spec.run_on else None
    again = min((seconds for seconds in (step.again, due.again, looks) if seconds is not None), default=None)
    return replace(step, table=due.table, again=again, release=_seen_release(situation) or situation.release)


def _asked_for(situation: Situation, due: DueRun) -> WriteStatus | BeginRun | None:
    """What the spec or the annotation asks for, and has not got yet."""
    experiment, spec = situation.experiment, situation.experiment.spec
    request = requests.next_of(experiment, situation.runs)
    if not spec.dry_run and request.is_answered_by(_answered(situation)):
        return None
    if spec.suspend:
        return WriteStatus(outcomes.suspended(scheduled=False))
    if not spec.dry_run and (waiting := _waiting(situation)) is not None:
        return WriteStatus(
            outcomes.of_run(waiting), run=waiting, answered=requests.of_run(waiting), again=RETRY_SECONDS
        )
    return BeginRun(request, due)


def _waiting(situation: Situation) -> ExperimentRun | None:
    """The run that has not begun. No other is made meanwhile: of all that is asked for until then, the last counts.

    One of a game day keeps nothing back: it is not ended when it is wanted no more, and may wait for as long as a show.
    """
    own = (run for run in situation.runs if run.spec.experiment.game_day is None)
    return next((run for run in own if not run.finished and not queue.begun(run)), None)


def unwanted(experiment: Experiment, run: ExperimentRun) -> Finding | None:
    """Why a run that has not begun is not to begin any more, as the experiment is declared now. None if it is.

    A run that has begun goes on: what it has changed has to be put back, and what it measures is of use. Nothing was
    done by one that has not, so there is nothing that it says of a release. Runs of game days are the days' alone.
    """
    origin, spec = run.spec.experiment, experiment.spec
    if origin.game_day is not None or queue.begun(run) or experiment.metadata.generation <= origin.generation:
        return None  # an older generation is what was told last, and not yet what the run was made for
    if origin.hash != requests.wanted(experiment).hash:
        return Finding(Reason.SUPERSEDED, "the experiment was changed before this run began")
    if spec.suspend:
        return Finding(Reason.SUSPENDED, "the experiment was suspended before this run began")
    if spec.dry_run:
        return Finding(Reason.SUPERSEDED, "the experiment became a dry run before this run began")
    return None


def _answered(situation: Situation) -> Request | None:
    return requests.answered(situation.experiment, situation.runs)


def _fired(situation: Situation, due: DueRun) -> BeginRun | None:
    """The run of a firing."""
    if due.firing is None:
        return None
    return BeginRun(replace(requests.wanted(situation.experiment), scheduled_at=schedules.stamp(due.firing)), due)


def _released(situation: Situation, due: DueRun) -> BeginRun | None:
    """The run for a new release. The first release that is seen is no change, and gets none."""
    spec, seen = situation.experiment.spec, _seen_release(situation)
    if RunOn.RELEASE_CHANGE not in spec.run_on or spec.suspend or spec.dry_run:
        return None
    if situation.release is None or seen in {None, situation.release}:
        return None
    if any(not run.finished for run in situation.runs):
        return None
    newest = requests.newest_of(situation.experiment, situation.runs)
    after = newest.metadata.name if newest is not None else ""
    return BeginRun(replace(requests.wanted(situation.experiment), released=situation.release, after=after), due)


def _seen_release(situation: Situation) -> str | None:
    """The last release that had its run, or was the first. A run tells it before the status does."""
    released = [run for run in situation.runs if run.spec.experiment.released]
    if released:
        return max(released, key=requests.order).spec.experiment.released
    return situation.experiment.status.last_release


def _at_rest(situation: Situation, due: DueRun) -> WriteStatus:
    """All that was asked for has its run: show the newest, unless the firing after it could not get one."""
    experiment = situation.experiment
    newest, shown = requests.current(experiment, situation.runs), experiment.status.run
    request = _answered(situation)
    if newest is not None and not newest.finished:
        return WriteStatus(outcomes.of_run(newest), run=newest, answered=request)
    if (missed := due.table.refusal) is not None:
        message = f"the run of {missed.time} was refused: {missed.message}"
        return WriteStatus(conditions.refused(Reason.parse(missed.reason), message), run=newest, answered=request)
    if newest is not None:
        return WriteStatus(outcomes.of_run(newest), run=newest, answered=request)
    if shown is not None:
        return WriteStatus(outcomes.of_deleted(shown, experiment.status.message), answered=request)
    return replace(_before_its_first_run(situation, due), answered=request)


def _before_its_first_run(situation: Situation, due: DueRun) -> WriteStatus:
    """An experiment that is, or was, scheduled and has never run."""
    if situation.experiment.spec.suspend:
        return WriteStatus(outcomes.suspended(scheduled=situation.experiment.spec.schedule is not None))
    if due.table.next is not None and not situation.room_known:
        return _without_room(situation)
    return WriteStatus(outcomes.scheduled(due.table.next))


def _without_room(situation: Situation) -> WriteStatus:
    return WriteStatus(outcomes.without_room(situation.experiment, situation.seen_seconds), again=RETRY_SECONDS)
