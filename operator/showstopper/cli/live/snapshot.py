"""Live snapshot: a run's record and what its listeners have reported so far, for a picture or a log. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from showstopper.api.experiment import longest
from showstopper.api.run import ExperimentRun, Step, StepName
from showstopper.availability.coverage import Coverage
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.clock import from_timestamp
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import crowds, judging, views, windows


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """A run as it is now.

    Attributes:
        run: its newest record.
        timeline: what its listeners have reported, in unix seconds of the cluster.
        now: the time of the cluster, in unix seconds.
        note: why nothing is reported. Empty if something is.
        crowd: what the room's crowd has reported, which is some five seconds late. None: the room has none.
    """

    run: ExperimentRun
    timeline: Timeline
    now: float
    note: str = ""
    crowd: Timeline | None = None

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

    def crowd_view(self, seconds: float) -> View | None:
        """What is known of the crowd in the last seconds, as far as it is settled. None: nothing, or there is none."""
        known = self.crowd.known_until() if self.crowd is not None else None
        if self.crowd is None or known is None or known <= self.end - seconds:
            return None
        window = Window(self.end - seconds, min(self.end, known))
        return self.crowd.view(window, names.crowd_listeners(self.run.room))

    def judged(self, until: float = math.inf) -> View | None:
        """What is known from the injection until all pods have last reported. None: not injected yet."""
        return _judged(self.run, self.timeline, self.residents, until)

    def measured(self) -> list[Measurement]:
        """The indicators so far, measured as the verdict will be. Empty: not injected yet."""
        view = self.judged()
        if view is None:
            return []
        baseline = judging.baseline_coverage(self.run, self.timeline, self.residents)
        return [*judging.measure(self.run, view, baseline).values(), *self._measured_of_crowd(baseline)]

    def _measured_of_crowd(self, fleet_baseline: Coverage | None) -> Iterable[Measurement]:
        """The same of the crowd, and of fleet and crowd together, if an expectation is about either."""
        if self.crowd is None or not crowds.is_asked(self.run):
            return ()
        view = _judged(self.run, self.crowd, names.crowd_listeners(self.run.room))
        if view is None:
            return ()
        before = crowds.baseline_coverage(self.run, crowds.baseline_view(self.run, self.crowd))
        view = views.of_those_who_were_in(view, before)
        measured = crowds.measure(self.run, view, before)
        # Both kinds until the same instant: the crowd is late.
        fleet = self.judged(view.window.end)
        if fleet is not None and fleet.window == view.window:
            measured |= crowds.measure_together(self.run, view, before, fleet, fleet_baseline)
        return measured.values()


def _judged(run: ExperimentRun, timeline: Timeline, listeners: tuple[str, ...], until: float = math.inf) -> View | None:
    window, known = windows.judged_window(run), timeline.known_until()
    if window is None or known is None or min(known, until) <= window.start:
        return None
    return timeline.view(Window(window.start, min(window.end, known, until)), listeners)


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
