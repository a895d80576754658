"""Moment: all that a picture or a line is made of: a run's record and what its listeners have told so far. Pure."""

from dataclasses import dataclass

from showstopper.api.experiment import longest
from showstopper.api.run import ExperimentRun, Step, StepName
from showstopper.availability.indicators import Recovery, measure_all
from showstopper.availability.indicators.listening import audible_ratio
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.clock import from_timestamp
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import judging


@dataclass(frozen=True, slots=True)
class Moment:
    """A run as it stands now.

    Attributes:
        run: its newest record.
        timeline: what its listeners have told, in unix seconds of the cluster.
        now: the time of the cluster.
        note: why there is no sound to show, if there is none.
    """

    run: ExperimentRun
    timeline: Timeline
    now: float
    note: str = ""

    @property
    def residents(self) -> tuple[str, ...]:
        """The listeners who are meant to be in."""
        return names.residents(self.run.room)

    @property
    def end(self) -> float:
        """Up to when there is something to show: the end of the run, or the newest news."""
        finished = self.run.status.finished_at
        newest = self.timeline.seen_until()
        end = self.now if newest is None else min(self.now, newest)
        return min(end, from_timestamp(finished)) if finished else end

    @property
    def start(self) -> float:
        """The begin of the run; before its first step, when it was made."""
        text = self.run.status.started_at or self.run.metadata.creation_timestamp
        return from_timestamp(text) if text else self.now

    def view(self, seconds: float) -> View:
        """What is known of the last seconds."""
        return self.timeline.view(Window(self.end - seconds, self.end), self.residents)

    def judged(self) -> View | None:
        """What is known since the injection, as far as all pods have told; None before it."""
        window = judging.judged_window(self.run)
        known = self.timeline.known_until()
        if window is None or known is None or known <= window.start:
            return None
        return self.timeline.view(Window(window.start, min(window.end, known)), self.residents)

    def measured(self) -> list[Measurement]:
        """The indicators so far."""
        view = self.judged()
        if view is None:
            return []
        before = judging.baseline_window(self.run)
        baseline = audible_ratio(self.timeline.view(before, self.residents)) if before else None
        since = judging.ended_at(self.run) or view.window.start
        return list(measure_all(view, Recovery(since, baseline)).values())


def planned_seconds(run: ExperimentRun, step: Step) -> float | None:
    """How long a step is meant to take; None where it takes as long as it takes."""
    timing = run.spec.timing
    lengths = {
        StepName.BASELINE: timing.baseline,
        StepName.ACTIVE: longest(run.spec.faults),
        StepName.RECOVERING: timing.recovery,
    }
    length = lengths.get(step.name)
    return length.total_seconds() if length is not None else None
