"""Steps: what an experiment is decided on, and the two things that can follow: show where it stands, or begin a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.experiment import Experiment, PlannedTarget
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.engine.experiments.timetable import DueRun, Timetable
from showstopper.engine.runs.requests import Request

RETRY_SECONDS = 5.0
"""What was refused is looked at again: a label, a room or a component may have come."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when it is decided.

    Attributes:
        runs: all runs of this very experiment.
        room_known: whether its room exists.
        seen_seconds: how long this operator has known the experiment.
        now: Unix seconds.
        release: what its room runs, if that has settled.
    """

    experiment: Experiment
    runs: Sequence[ExperimentRun]
    room_known: bool
    seen_seconds: float
    now: float
    release: str | None = None


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """Nothing begins: write where the experiment stands.

    Attributes:
        run: the run that the status shows, or None to keep the one before.
        answered: the request that this run was made for.
        targets: what a dry run found.
        again: after how many seconds to look again, if nothing else happens.
        table: what is remembered of its schedule.
        release: the release that was seen, or None to keep the one before.
    """

    outlook: Outlook
    run: ExperimentRun | None = None
    answered: Request | None = None
    targets: tuple[PlannedTarget, ...] = ()
    again: float | None = None
    table: Timetable = field(default_factory=Timetable)
    release: str | None = None


@dataclass(frozen=True, slots=True)
class BeginRun:
    """Plan it, and make the run that this request asks for (or only show the plan of a dry run)."""

    request: Request
    due: DueRun = field(default_factory=DueRun)

    def refused(self, finding: Finding) -> WriteStatus:
        """Where it stands when no run may be made. What is in the way may go, so it is looked at again."""
        return self.instead(WriteStatus(conditions.refused(finding.reason, finding.message), again=RETRY_SECONDS))

    def instead(self, show: WriteStatus) -> WriteStatus:
        """The same with its timetable, which tells of a firing that was refused."""
        table, outlook = self.due.table, show.outlook
        if self.due.firing is not None and outlook.stalled:
            table = table.refused(self.due.firing, outlook.reason, outlook.message)
        return replace(show, table=table)
