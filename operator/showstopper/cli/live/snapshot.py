"""Live snapshot: a run's record and what its listeners have reported so far, for a picture or a log. Pure."""

from dataclasses import dataclass

from showstopper.api.experiment import longest
from showstopper.api.run import ExperimentRun, Step, StepName
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.clock import from_timestamp
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import judging, windows


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """A run as it is now.

    Attributes:
        run: its newest record.
        timeline: what its listeners have reported, in unix seconds of the cluster.
        now: the time of the cluster, in unix seconds.
        note: why nothing is reported. Empty if something is.
    """

    run: ExperimentRun
    timeline: Timeline
    now: float
    note: str = ""

    @property
    def residents(self) -> tuple[str, ...]:
        """The listeners that stay for the whole run."""
        return names.residents(self.run.room)

    @property
    def end(self) -> float:
        """Until when something is known: the end of the run, or the newest report."""
        finished = self.run.status.finished_at
        newest = self.timeline.seen_until()
        end = self.now if newest is None else min(self.now, newest)
        return min(end, from_timestamp(finished)) if finished else end

    @property
    def start(self) -> float:
        """The start of the run. Before its first step: its creation."""
        text = self.run.status.started_at or self.run.metadata.creation_timestamp
        return from_timestamp(text) if text else self.now

    def view(self, seconds: float) -> View:
        """What is known of the last seconds."""
        return self.timeline.view(Window(self.end - seconds, self.end), self.residents)

    def judged(self) -> View | None:
        """What is known from the injection until all pods have last reported. None: not injected yet."""
        window = windows.judged_window(self.run)
        known = self.timeline.known_until()
        if window is None or known is None or known <= window.start:
            return None
        return self.timeline.view(Window(window.start, min(window.end, known)), self.residents)

    def measured(self) -> list[Measurement]:
        """The indicators so far, measured as the verdict will be. Empty: not injected yet."""
        view = self.judged()
        if view is None:
            return []
        baseline = judging.baseline_coverage(self.run, self.timeline, self.residents)
        return list(judging.measure(self.run, view, baseline).values())


def planned_seconds(run: ExperimentRun, step: Step) -> float | None:
    """How long a step is planned to take. None: that depends on others."""
    timing = run.spec.timing
    lengths = {
        StepName.BASELINE: timing.baseline,
        StepName.ACTIVE: longest(run.spec.faults),
        StepName.RECOVERING: timing.recovery,
    }
    length = lengths.get(step.name)
    return length.total_seconds() if length is not None else None
