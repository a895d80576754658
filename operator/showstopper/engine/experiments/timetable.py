"""The timetable: what an experiment's status remembers of its schedule, and what of it is due now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from showstopper.api.experiment import Experiment, ExperimentStatus, MissedRun
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.clock import from_timestamp
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.experiments.schedule import Schedule, stamp

_SKIPPED = {Reason.RUN_STILL_ACTIVE, Reason.TOO_LATE}
"""Why a firing gets no run, apart from refusals of the run itself."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """What the status remembers of the schedule. All moments are in Unix seconds.

    Attributes:
        schedule: what `next` was found for. Empty while nothing is scheduled.
        next: the firing to come. While it lies in the past, its run has not been made.
        last: the last firing that got a run.
        missed: the last firing, if it got none.
    """

    schedule: str = ""
    next: float | None = None
    last: float | None = None
    missed: MissedRun | None = None

    @property
    def refusal(self) -> MissedRun | None:
        """The last firing, if something has to be changed before the next can get a run."""
        missed = self.missed
        return missed if missed is not None and missed.reason not in _SKIPPED else None

    def refused(self, due: float, reason: Reason, message: str) -> "Timetable":
        """The same after a firing whose run was refused. It stays due as long as it may start late."""
        return replace(self, missed=MissedRun(time=stamp(due), reason=reason, message=message[:1024]))

    def without_what_ran_since(self, began: float | None) -> "Timetable":
        """The same, but a firing is not missed if a run began at its moment or later, whoever asked for that run.

        Args:
            began: when the newest run was created, in Unix seconds. None: there is none.
        """
        if self.missed is None or began is None or began < from_timestamp(self.missed.time):
            return self
        return replace(self, missed=None)

    def write(self, status: ExperimentStatus) -> None:
        """Put it into a status."""
        status.schedule = self.schedule[:256] or None
        status.next_run_time = None if self.next is None else stamp(self.next)
        status.last_schedule_time = None if self.last is None else stamp(self.last)
        status.missed_run = self.missed


@dataclass(frozen=True, slots=True)
class DueRun:
    """What is due now.

    Attributes:
        table: as it is to be remembered if nothing begins.
        firing: whose run is to start now.
        again: in how many seconds the next one comes.
    """

    table: Timetable = field(default_factory=Timetable)
    firing: float | None = None
    again: float | None = None


def look(experiment: Experiment, schedule: Schedule | None, runs: Sequence[ExperimentRun], now: float) -> DueRun:
    """What is due now.

    Args:
        experiment: with the status that was written last.
        schedule: its schedule, or None if it has none, is suspended, or is a dry run.
        runs: all runs of this very experiment.
        now: Unix seconds.
    """
    table = _remembered(experiment, schedule, runs)
    if schedule is None:
        return DueRun(table)
    began = _newest(*(run.metadata.creation_timestamp for run in runs))
    firing = schedules.fire(schedule, table.next, now)
    active = next((run for run in runs if not run.finished), None)
    due = firing.due
    if due is None or active is not None:
        table = replace(table, next=firing.next)
    if due is not None and active is not None:
        message = f"run {active.metadata.name} had not ended yet, and no two run at a time"
        table, due = table.refused(due, Reason.RUN_STILL_ACTIVE, message), None
    missed = firing.missed
    if missed is not None and (table.missed is None or table.missed.time != stamp(missed)):
        message = (
            f"nobody started it within its startingDeadline of {schedule.starting_deadline.total_seconds():g} s: "
            "was the operator running?"
        )
        table = table.refused(missed, Reason.TOO_LATE, message)
    return DueRun(table.without_what_ran_since(began), due, max(0.0, firing.next - now))


def _remembered(experiment: Experiment, schedule: Schedule | None, runs: Sequence[ExperimentRun]) -> Timetable:
    """What the status says, as far as it still holds, and what the runs say, which are written before it."""
    status = experiment.status
    last = _newest(status.last_schedule_time, *(run.spec.experiment.scheduled_at for run in runs))
    if schedule is None:
        return Timetable(last=last)
    planned = None
    if status.schedule == str(schedule) and status.next_run_time and not _may_have_been_suspended(experiment):
        planned = from_timestamp(status.next_run_time)
        if last is not None and planned <= last:
            planned = schedule.after(last)
    return Timetable(str(schedule), planned, last, status.missed_run)


def _may_have_been_suspended(experiment: Experiment) -> bool:
    """Whether the spec changed twice since it was last looked at: once to suspend it, and back."""
    return experiment.metadata.generation - experiment.status.observed_generation > 1


def _newest(*moments: str | None) -> float | None:
    return max((from_timestamp(moment) for moment in moments if moment), default=None)
