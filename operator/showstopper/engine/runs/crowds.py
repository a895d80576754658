"""Crowd: what a room's crowd told of a run, in figures and as a record, and whether the fleet told the same. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from showstopper.api.reasons import Reason
from showstopper.api.run import BaselineRecord, CrowdRecord, ExperimentRun, OutageRecord, SharedStart, WindowRecord
from showstopper.availability import agreement, coverage, indicators, summary
from showstopper.availability.agreement import Start
from showstopper.availability.coverage import Coverage
from showstopper.availability.crowd_feed import Failures
from showstopper.availability.figures import duration
from showstopper.availability.indicators import Indicator, Population, Recovery
from showstopper.availability.indicators.indicator import Listeners
from showstopper.availability.measurements import Measurable, Measurement
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.availability.verdict import Finding
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import baselines, views, windows
from showstopper.engine.runs.views import RunView

MOST_OUTAGES = 10
MOST_STARTS = 8


@dataclass(frozen=True, slots=True)
class CrowdHeard:
    """What a verdict takes from the crowd.

    Attributes:
        baseline: how much of the time before the faults is known of its listeners. None: nothing.
        judged: the same of the judged window.
        measured: the indicators of the crowd, and those of fleet and crowd together.
        disagreement: why nothing that was heard in the run can be relied upon.
        record: what is written of it. None: the room has no crowd.
    """

    baseline: Coverage | None = None
    judged: Coverage | None = None
    measured: Mapping[Measurable, Measurement] = field(default_factory=dict)
    disagreement: Finding | None = None
    record: CrowdRecord | None = None


def is_asked(run: ExperimentRun) -> bool:
    """Whether an expectation of the run is about the crowd, or about fleet and crowd together."""
    return bool(_asked(run))


def nobody(run: ExperimentRun) -> Finding | None:
    """Why an expectation on the crowd, or on its newcomers, could not be judged: the room has none."""
    room = run.spec.room
    if not is_asked(run):
        return None
    if room.spec.listeners.crowd is None:
        message = (
            f"an expectation is about the crowd, and AudioRoom {room.name} has none: add listeners.crowd to it, or "
            "leave out the expectation's listeners"
        )
        return Finding(Reason.NO_CROWD, message)
    asked = [each.name for each in _asked(run) if each.listeners is Listeners.ARRIVALS]
    if not asked or _has_newcomers(run):
        return None
    message = (
        f"{asked[0]} is about newcomers, and the crowd of AudioRoom {room.name} has none: add listeners.crowd.arrivals "
        "to it, or leave out the expectation's listeners"
    )
    return Finding(Reason.NO_CROWD_ARRIVALS, message)


def baseline_view(run: ExperimentRun, timeline: Timeline | None) -> RunView | None:
    """What the crowd told of the baseline, while its record is not written. None then, or if there was none."""
    if _kept(run) is not None:
        return None
    listeners = names.crowd_listeners(run.room)
    if not listeners:
        return None
    calls = views.calls_of_crowd(run.room)
    return views.of_window(run, timeline, windows.baseline_window(run), listeners, calls=calls)


def measure_baseline(before: RunView | None, run: ExperimentRun) -> CrowdRecord | None:
    """What is to be kept of a baseline that is over. None: nobody of a crowd listened."""
    if before is None:
        return None
    kept = baselines.record(coverage.of(before.view), names.crowd_listeners(run.room))
    measured = indicators.measure_crowd(before.view, Population.CROWD, newcomers=_has_newcomers(run))
    return CrowdRecord(baseline=kept, windows=[_window(windows.BASELINE, before.view, measured)])


def baseline_coverage(run: ExperimentRun, before: RunView | None) -> Coverage | None:
    """How well the crowd's baseline is known: by the record, once it is written."""
    told = before.view if before is not None else None
    return baselines.known(_kept(run), windows.baseline_window(run), told, names.crowd_listeners(run.room))


def judge(
    run: ExperimentRun, timeline: Timeline | None, fleet: View | None, fleet_baseline: Coverage | None, following: float
) -> CrowdHeard:
    """What the crowd told, beside the judged window of the fleet.

    Args:
        run: with its record.
        timeline: of the crowd.
        fleet: what the fleet told of the judged window.
        fleet_baseline: what is known of the fleet's baseline.
        following: seconds after the window that are looked at.
    """
    listeners = names.crowd_listeners(run.room)
    if not listeners:
        return CrowdHeard()
    before = baseline_view(run, timeline)
    known = baseline_coverage(run, before)
    after = views.of_window(
        run,
        timeline,
        windows.judged_window(run),
        listeners,
        calls=views.calls_of_crowd(run.room),
        kept=_kept(run),
        following=following,
    )
    record = run.status.crowd or measure_baseline(before, run) or CrowdRecord()
    if after is None or fleet is None:
        return CrowdHeard(baseline=known, record=record)
    view = views.of_those_who_were_in(after.view, known)
    measured = measure(run, view, known)
    starts = agreement.starts(fleet, view)
    return CrowdHeard(
        baseline=known,
        judged=coverage.of(view),
        measured={**measured, **measure_together(run, view, known, fleet, fleet_baseline)},
        disagreement=_disagreement(starts, view.window.start),
        record=CrowdRecord(
            baseline=record.baseline,
            windows=[*_of_baseline(record), _window(windows.JUDGED, view, measured)],
            starts=[_written(start, view.window.start) for start in starts[:MOST_STARTS]],
            outages=[OutageRecord.model_validate(each) for each in summary.worst_outages(view, MOST_OUTAGES)],
        ),
    )


def failed(failures: Failures) -> Finding | None:
    """Why nothing that a crowd told is relied upon: its own processes lost packets, or stood still."""
    if not failures.drops and not failures.stalled:
        return None
    return Finding(
        Reason.INSTRUMENTS_DISAGREE,
        f"the crowd's own kernel dropped {failures.drops} packets, and its process stood still for up to "
        f"{failures.stalled:.1f} s during the run, so that what it missed may be its own: give its pods more CPU, or "
        "lower listeners.crowd.perPod",
    )


def measure(run: ExperimentRun, crowd: View, baseline: Coverage | None) -> dict[Measurable, Measurement]:
    """The indicators of the crowd, which recovers from what its baseline was."""
    since = windows.ended_at(run) or crowd.window.start
    return indicators.measure_crowd(crowd, Population.CROWD, _recovery(since, baseline), newcomers=_has_newcomers(run))


def measure_together(
    run: ExperimentRun, crowd: View, baseline: Coverage | None, fleet: View, fleet_baseline: Coverage | None
) -> dict[Measurable, Measurement]:
    """The indicators of fleet and crowd as one room."""
    since = windows.ended_at(run) or crowd.window.start
    recovery = _recovery(since, baseline, fleet_baseline)
    everybody = together(views.of_those_who_were_in(fleet, fleet_baseline), views.of_those_who_were_in(crowd, baseline))
    return indicators.measure_crowd(everybody, Population.ALL, recovery, newcomers=_has_newcomers(run))


def together(fleet: View, crowd: View) -> View:
    """Fleet and crowd as one room, as far as both are known."""
    return replace(
        fleet,
        residents=(*fleet.residents, *crowd.residents),
        calls=(*fleet.calls, *crowd.calls),
        unmade=fleet.unmade + crowd.unmade,
        following=min(fleet.following, crowd.following),
        never_in=fleet.never_in | crowd.never_in,
    )


def _asked(run: ExperimentRun) -> list[Indicator]:
    """What expectations are of the crowd, or of fleet and crowd together."""
    measured = [expected.measured for expected in run.spec.expect]
    return [each for each in measured if isinstance(each, Indicator) and each.population is not Population.FLEET]


def _has_newcomers(run: ExperimentRun) -> bool:
    return views.calls_of_crowd(run.room) is not None


def _of_baseline(record: CrowdRecord) -> list[WindowRecord]:
    return [window for window in record.windows if window.name == windows.BASELINE]


def _kept(run: ExperimentRun) -> BaselineRecord | None:
    return run.status.crowd.baseline if run.status.crowd is not None else None


def _recovery(since: float, *baselines_: Coverage | None) -> Recovery:
    """What those whose baselines these are recover from. Who has none has to hear altogether."""
    known = [each for each in baselines_ if each is not None]
    listeners = sum(each.intended for each in known)
    if not listeners or len(known) < len(baselines_):
        return Recovery(since)

    def mean(figures: list[float]) -> float:
        return sum(figure * each.intended for figure, each in zip(figures, known, strict=True)) / listeners

    values = [each.audible.value for each in known]
    audible = Measurement(
        known[0].audible.measured,
        None if None in values else mean([value or 0.0 for value in values]),
        sum(each.audible.samples for each in known),
        mean([each.audible.lower for each in known]),
        mean([each.audible.upper for each in known]),
    )
    return Recovery(since, audible)


def _disagreement(starts: tuple[Start, ...], origin: float) -> Finding | None:
    worst = max(starts, key=lambda start: abs(start.apart), default=None)
    if worst is None or worst.agrees:
        return None
    return Finding(
        Reason.INSTRUMENTS_DISAGREE,
        f"media stopped {duration(worst.fleet - origin)} after the first injection as the fleet tells, and after "
        f"{duration(worst.crowd - origin)} as the crowd does: {1000 * abs(worst.apart):.0f} ms apart, where "
        f"{1000 * agreement.APART_SECONDS:.0f} are allowed. One of them is wrong, so neither is relied upon: look at "
        "the load of the nodes that they run on",
    )


def _written(start: Start, origin: float) -> SharedStart:
    return SharedStart(after=duration(start.crowd - origin), fleet_later=f"{1000 * start.apart:.1f}ms")


def _window(name: str, view: View, measured: Mapping[Measurable, Measurement]) -> WindowRecord:
    return windows.record(name, view.window, summary.of_measured(coverage.of(view), measured))
