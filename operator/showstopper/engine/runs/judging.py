"""Evidence: from a room's timeline and a run's record to windows, judged expectations and the verdict. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from showstopper.api.expectations.indicators import bound_value
from showstopper.api.experiment import AbortIf
from showstopper.api.reasons import Reason
from showstopper.api.run import (
    BaselineRecord,
    CrowdRecord,
    ExpectationRecord,
    ExperimentRun,
    OutageRecord,
    WindowRecord,
)
from showstopper.availability import coverage, expectations, indicators, summary, verdict
from showstopper.availability.abort import AbortCondition
from showstopper.availability.clocks import HostClock
from showstopper.availability.counts import CountLog
from showstopper.availability.coverage import Coverage
from showstopper.availability.expectations import Expectation
from showstopper.availability.indicators import Indicator, Population, Recovery
from showstopper.availability.indicators.indicator import Listeners
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, RESOLUTION_SECONDS
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.measurements import Measurable, Measurement
from showstopper.availability.spans import State, Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.availability.verdict import CrowdEvidence, Decision, Evidence, FaultEvidence, Finding
from showstopper.engine.runs import baselines, crowds, views, windows
from showstopper.engine.runs.views import RunView

_BLIND = frozenset({Reason.TOO_MUCH_UNKNOWN, Reason.NOT_MEASURED, Reason.LISTENERS_GONE})
"""What a verdict says of a window of which too little is known, whoever is to blame for that."""

FOLLOWING_SECONDS = 5.0
"""What a window's last instant leaves open is decided by so many seconds after it: who is Unknown then is gone only if
nothing is known of it in them, and an outage that goes on then has its end in them. A late probe tells within three."""


@dataclass(frozen=True, slots=True)
class MeasuredBaseline:
    """What is written of a baseline when it is over: for the verdict, and for people."""

    record: BaselineRecord
    window: WindowRecord
    crowd: CrowdRecord | None = None


@dataclass(frozen=True, slots=True)
class _Heard:
    """What residents heard in the judged window. Nothing, where the run came to none."""

    coverage: Coverage | None = None
    measured: Mapping[Measurable, Measurement] = field(default_factory=dict)
    windows: tuple[WindowRecord, ...] = ()
    outages: tuple[OutageRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that is written of a run when it is over."""

    decision: Decision
    windows: list[WindowRecord]
    expectations: list[ExpectationRecord]
    outages: list[OutageRecord]
    audible: str | None
    dead_air: str | None
    recovery: str | None
    crowd: CrowdRecord | None = None


def undecided(run: ExperimentRun, timeline: Timeline | None, residents: tuple[str, ...]) -> bool:
    """Whether somebody did not hear the host when the judged window ended, so that what follows has to tell.

    A run without a baseline has no verdict, whatever follows.
    """
    window = windows.judged_window(run)
    if timeline is None or window is None or not run.spec.timing.baseline:
        return False
    view = timeline.view(Window(window.end - RESOLUTION_SECONDS, window.end), residents)
    return any(span.state is not State.LIVE for track in view.tracks for span in track.spans)


def abort_conditions(declared: tuple[AbortIf, ...]) -> list[AbortCondition]:
    """The declared conditions with their bounds as numbers."""
    return [
        AbortCondition(
            condition.indicator,
            below=bound_value(condition.indicator, condition.below) if condition.below is not None else None,
            above=bound_value(condition.indicator, condition.above) if condition.above is not None else None,
            seconds=condition.for_.total_seconds(),
        )
        for condition in declared
    ]


def baseline_view(
    run: ExperimentRun,
    timeline: Timeline | None,
    residents: tuple[str, ...],
    *,
    host_clocks: tuple[HostClock, ...] = (),
    counts: CountLog | None = None,
) -> RunView | None:
    """What is known of the baseline, while its record is not written. None then, or if there was none."""
    if run.status.baseline is not None:
        return None
    calls = views.calls_of_fleet(run.room)
    window = windows.baseline_window(run)
    return views.of_window(run, timeline, window, residents, calls=calls, host_clocks=host_clocks, counts=counts)


def broken_baseline(run: ExperimentRun, before: RunView | None, crowd: RunView | None = None) -> Finding | None:
    """Why a fault would tell nothing about the room: it is broken already, or not known well enough.

    `before` is what the fleet told of the baseline, `crowd` what the crowd did.
    """
    evidence = Evidence(
        faults=(),
        expectations=(),
        baseline=coverage.of(before.view) if before is not None else None,
        judged=None,
        newcomers=_newcomers_before(run, before, crowd),
        crowd=CrowdEvidence(crowds.baseline_coverage(run, crowd), None) if crowds.is_asked(run) else None,
    )
    finding = verdict.baseline_broken(evidence) or verdict.newcomers_broken(evidence)
    if finding is not None and finding.reason in _BLIND:
        return views.host_lost([before, crowd]) or finding
    return finding


def baseline_coverage(run: ExperimentRun, timeline: Timeline | None, residents: tuple[str, ...]) -> Coverage | None:
    """How well the baseline is known, and how audible the host was in it. None: there was no baseline.

    By the run's record, once the baseline is over: no ring of a listener goes back for longer than an hour.
    """
    return _baseline_coverage(run, baseline_view(run, timeline, residents), residents)


def _baseline_coverage(run: ExperimentRun, before: RunView | None, residents: tuple[str, ...]) -> Coverage | None:
    heard = before.view if before is not None else None
    return baselines.known(run.status.baseline, windows.baseline_window(run), heard, residents)


def measure_baseline(
    run: ExperimentRun, before: RunView | None, residents: tuple[str, ...], crowd: RunView | None = None
) -> MeasuredBaseline | None:
    """What the run's record has to keep of a baseline that is over. None: there was none, or nobody listened."""
    if before is None:
        return None
    kept = baselines.record(coverage.of(before.view), residents)
    return MeasuredBaseline(kept, _baseline_window(before), crowds.measure_baseline(crowd, run))


def _baseline_window(before: RunView) -> WindowRecord:
    return windows.record(windows.BASELINE, before.view.window, summary.window(before.view))


def measure(run: ExperimentRun, view: View, baseline: Coverage | None) -> Mapping[Measurable, Measurement]:
    """The indicators of what was heard from the first injection on, also while the run is still under way."""
    since = windows.ended_at(run) or view.window.start
    view = views.of_those_who_were_in(view, baseline)
    return indicators.measure_all(view, Recovery(since, baseline.audible if baseline else None))


def judge(
    run: ExperimentRun,
    timeline: Timeline | None,
    residents: tuple[str, ...],
    *,
    crowd: Timeline | None = None,
    others: Mapping[Measurable, Measurement] = MappingProxyType({}),
    host_clocks: tuple[HostClock, ...] = (),
    counts: CountLog | None = None,
    aborted: Finding | None = None,
    error: Finding | None = None,
    other_cause: Finding | None = None,
    doubts: tuple[Finding, ...] = (),
) -> Judgement:
    """The verdict on a run, from what was recorded and what was heard. The same inputs always give the same one.

    `crowd` is what the room's crowd told, `others` are the measurements of sources beside the listeners, `host_clocks`
    the clocks of the room's host, `counts` what its door has shown, `other_cause` is what else than the faults may have
    made the room fail.
    """
    before = baseline_view(run, timeline, residents, host_clocks=host_clocks, counts=counts)
    after = views.of_window(
        run,
        timeline,
        windows.judged_window(run),
        residents,
        calls=views.calls_of_fleet(run.room),
        kept=run.status.baseline,
        following=FOLLOWING_SECONDS,
        host_clocks=host_clocks,
        counts=counts,
    )
    baseline = _baseline_coverage(run, before, residents)
    heard = _heard(run, after, baseline)
    of_crowd = crowds.judge(run, crowd, after.view if after else None, baseline, FOLLOWING_SECONDS)
    judgements = expectations.judge_all(_expected(run), {**heard.measured, **of_crowd.measured, **others})
    decision = verdict.decide(
        Evidence(
            faults=tuple(FaultEvidence(f.name, f.proven, f.reverted, f.message or "") for f in run.status.faults),
            expectations=judgements,
            baseline=baseline,
            judged=heard.coverage,
            aborted=aborted,
            error=error,
            other_cause=other_cause,
            doubts=doubts if of_crowd.disagreement is None else (*doubts, of_crowd.disagreement),
            newcomers=_newcomers_before(run, before, crowds.baseline_view(run, crowd)),
            crowd=CrowdEvidence(of_crowd.baseline, of_crowd.judged) if crowds.is_asked(run) else None,
        )
    )
    if decision.reason in _BLIND and (lost := views.host_lost([before, after])) is not None:
        decision = replace(decision, reason=lost.reason, message=lost.message)
    return Judgement(
        decision=decision,
        windows=[*_baseline_record(run, before), *heard.windows],
        expectations=[ExpectationRecord.model_validate(summary.judgement(judgement)) for judgement in judgements],
        outages=list(heard.outages),
        audible=_shown(heard.measured, AUDIBLE_RATIO),
        dead_air=_shown(heard.measured, LONGEST_DEAD_AIR),
        recovery=_shown(heard.measured, RECOVERY_TIME),
        crowd=of_crowd.record,
    )


def _heard(run: ExperimentRun, after: RunView | None, baseline: Coverage | None) -> _Heard:
    if after is None:
        return _Heard()
    view = views.of_those_who_were_in(after.view, baseline)
    judged, measured = coverage.of(view), measure(run, view, baseline)
    return _Heard(
        judged,
        measured,
        windows=(windows.record(windows.JUDGED, view.window, summary.of_measured(judged, measured)),),
        outages=tuple(OutageRecord.model_validate(outage) for outage in summary.worst_outages(view)),
    )


def _baseline_record(run: ExperimentRun, before: RunView | None) -> list[WindowRecord]:
    """The figures of the baseline for people: those that were kept, if it is over."""
    if before is None:
        return [window for window in run.status.windows if window.name == windows.BASELINE]
    return [_baseline_window(before)]


def _newcomers_before(
    run: ExperimentRun, before: RunView | None, crowd: RunView | None
) -> tuple[expectations.Judgement, ...]:
    """What expectations are about newcomers, measured before the fault, against what a healthy room has.

    Nothing, once the baseline's record is written: a run whose newcomers were not well in it has ended there.
    """
    views_of = {
        Population.FLEET: before.view if before is not None else None,
        Population.CROWD: crowd.view if crowd is not None else None,
        Population.ALL: crowds.together(before.view, crowd.view) if before is not None and crowd is not None else None,
    }
    return tuple(
        expectations.judge(expectations.healthy(expectation, verdict.HEALTHY_RATIO), indicator.measure(view, None))
        for expectation in _expected(run)
        if isinstance(indicator := expectation.measured, Indicator) and indicator.listeners is Listeners.ARRIVALS
        if (view := views_of[indicator.population]) is not None
    )


def _expected(run: ExperimentRun) -> list[Expectation]:
    """The declared expectations with their bounds as numbers."""
    return [
        Expectation(
            declared.measured,
            minimum=bound_value(declared.measured, declared.min) if declared.min is not None else None,
            maximum=bound_value(declared.measured, declared.max) if declared.max is not None else None,
        )
        for declared in run.spec.expect
    ]


def _shown(measurements: Mapping[Measurable, Measurement], measured: Measurable) -> str | None:
    """The value for the printer column."""
    measurement = measurements.get(measured)
    return summary.shown(measurement) if measurement is not None else None
