"""Acts: one act from the note of its run to its verdict, and what it adds to the day's figures. Pure."""

from showstopper.api import conditions
from showstopper.api.game_day import Act, ActRecord, DayIndicator, GameDayStatus
from showstopper.api.reasons import Reason
from showstopper.api.room import MeasuredIndicator
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability import figures
from showstopper.availability.indicators import Indicator, named
from showstopper.availability.indicators.indicator import Better
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.days import endings, programme
from showstopper.engine.days.steps import Draft, Step
from showstopper.engine.runs import requests, windows

MAKING_SECONDS = 120.0
"""A run is made within a second. If it cannot be made for so long, it is not the room's fault."""


def begin(draft: Draft, act: Act, record: ActRecord) -> Step:
    """Record the act's run before it is created."""
    experiment = draft.situation.experiments.get(act.name)
    if experiment is None:
        name = act.experiment_ref.name if act.experiment_ref is not None else ""
        return close(draft, record, Finding(Reason.EXPERIMENT_NOT_FOUND, f'there is no Experiment "{name}" any more'))
    asked = programme.request(draft.situation.day, act, draft.status.performance, experiment)
    record.run, record.started_at = requests.run_name(experiment, asked), draft.situation.timestamp
    draft.tell(Reason.ACT_STARTED, f"{draft.called(record)}: run {record.run}", "Begin")
    return _making(draft, act, record)


def carry(draft: Draft, act: Act, record: ActRecord) -> Step:
    """What to do for an act whose run was written down."""
    run = draft.situation.runs.get(record.run or "")
    if run is None:
        return _without_run(draft, act, record)
    record.run_uid = run.metadata.uid
    if run.finished:
        return _judged(draft, record, run)
    ready = conditions.find(run.status.conditions, conditions.ConditionType.READY)
    message = f"{draft.called(record)}: run {record.run}: {ready.message if ready else 'asked for'}"
    return draft.step(conditions.in_progress(Reason.ACT_UNDER_WAY, message))


def close(draft: Draft, record: ActRecord, finding: Finding) -> Step:
    """The act is over without the verdict of a run."""
    record.verdict, record.reason, record.message = finding.verdict, finding.reason, finding.message[:1024]
    return _closed(draft, record)


def _making(draft: Draft, act: Act, record: ActRecord) -> Step:
    approved = record.hold.hash if record.hold is not None else None
    if approved is not None and approved != draft.situation.form(act):
        message = f"the experiment of act {act.name} was changed after its approval, before run {record.run} was made"
        return close(draft, record, Finding(Reason.EXPERIMENT_CHANGED, message))
    message = f"{draft.called(record)}: run {record.run} is being made"
    return draft.step(conditions.in_progress(Reason.ACT_UNDER_WAY, message), begin=act)


def _without_run(draft: Draft, act: Act, record: ActRecord) -> Step:
    if record.run_uid is not None:
        message = f"run {record.run} was deleted before its verdict was noted"
        return close(draft, record, Finding(Reason.RUN_DELETED, message))
    if (ending := endings.find(draft)) is not None:
        return endings.end(draft, ending)
    assert record.started_at is not None, "it is written together with the run"
    if draft.situation.now - from_timestamp(record.started_at) > MAKING_SECONDS:
        message = f"run {record.run} could not be made within {MAKING_SECONDS:.0f} s: look at the operator's log"
        return close(draft, record, Finding(Reason.RUN_NOT_CREATED, message, Verdict.ERROR))
    return _making(draft, act, record)


def _judged(draft: Draft, record: ActRecord, run: ExperimentRun) -> Step:
    status = run.status
    record.verdict, record.reason, record.message = status.verdict, status.reason, status.message
    record.audible, record.dead_air, record.recovery = status.audible, status.dead_air, status.recovery
    for window in status.windows:
        if window.name == windows.JUDGED:
            for measured in window.indicators:
                _count_in(draft.status, record.name, measured.indicator, _figure(measured))
    return _closed(draft, record)


def _closed(draft: Draft, record: ActRecord) -> Step:
    record.finished_at = draft.situation.timestamp
    note = f"{draft.called(record)}: {record.verdict}: {record.message}"
    reason = Reason.parse(record.reason or Reason.JUDGED)
    draft.tell(reason, note, "Judge", warning=record.verdict != Verdict.PASSED)
    return draft.step(conditions.in_progress(Reason.ACT_FINISHED, note), again=0.0)


def _figure(measured: MeasuredIndicator) -> str | None:
    """The value, or what it is at least, for a room that did not recover."""
    if measured.value is None and measured.at_least is not None and measured.at_most is None:
        return f"{figures.AT_LEAST}{measured.at_least}"
    return measured.value


def _count_in(status: GameDayStatus, act: str, name: str, value: str | None) -> None:
    """Keep the worst value of an indicator, unless this operator does not know the indicator."""
    indicator = named(name)
    if value is None or indicator is None:
        return
    known = next((known_value for known_value in status.indicators if known_value.indicator == name), None)
    if known is None:
        known = DayIndicator(indicator=name, worst=value, act=act)
        status.indicators.append(known)
    elif _is_worse(indicator, value, known.worst):
        known.worst, known.act = value, act
    known.measured_in += 1
    shown = {AUDIBLE_RATIO: "audible", LONGEST_DEAD_AIR: "dead_air", RECOVERY_TIME: "recovery"}
    if indicator in shown:
        setattr(status, shown[indicator], known.worst)


def _is_worse(indicator: Indicator, value: str, than: str) -> bool:
    """Without an end is worse than any value."""
    figure, worst = ((text.startswith(figures.AT_LEAST), figures.parse(indicator.unit, text)) for text in (value, than))
    return figure < worst if indicator.better is Better.HIGHER else figure > worst
