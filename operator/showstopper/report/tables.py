"""Tables: what a record says, as titles and rows of words, for HTML and Markdown alike. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from showstopper.api.run import ExperimentRun, OutageRecord, Step
from showstopper.availability import summary
from showstopper.availability.figures import duration, share
from showstopper.availability.outages import of_track as outages_of
from showstopper.availability.tracks import View
from showstopper.clock import from_timestamp
from showstopper.faults.storm import text
from showstopper.report import crowds, looks
from showstopper.report.record import Act, Day, Record
from showstopper.report.words import asked, bounds, measured_in, moment, outage_end, proof, short_name, unnamed

NONE = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, titles of columns, rows of as many cells, and what to say below (or instead, if there is no row)."""

    heading: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def shortened(self, most: int) -> "Table":
        """At most so many rows, and how many are left out."""
        left = len(self.rows) - most
        if left <= 0:
            return self
        more = f"and {left} more, which the JSON report has"
        note = ". ".join(filter(None, (more, self.note)))
        return Table(self.heading, self.titles, self.rows[:most], note)


def expectations(run: ExperimentRun) -> Table:
    """Every expectation with what was measured. Of a run that was not judged: only the bounds."""
    if not run.status.expectations:
        rows = [
            (declared.measured.name, asked(declared.min, declared.max), NONE, NONE, "? not evaluated")
            for declared in run.spec.expect
        ]
        return Table("Expectations", _EXPECTED, tuple(rows))
    return Table(
        "Expectations",
        _EXPECTED,
        tuple(
            (
                record.indicator,
                asked(record.min, record.max),
                record.value or "not measured",
                record.margin or NONE,
                f"{looks.of_outcome(record.outcome)} {record.outcome}",
            )
            for record in run.status.expectations
        ),
    )


_EXPECTED = ("Indicator", "Expected", "Measured", "Margin", "Outcome")


def faults(run: ExperimentRun) -> Table:
    """Every declared fault: is it proven, and is it verified that nothing of it is left?"""
    records = {record.name: record for record in run.status.faults}
    rows = []
    for fault in run.spec.faults:
        record = records.get(fault.name)
        proven = "proven" if record and record.proven else "not proven"
        reverted = "nothing left" if record and record.reverted else "not verified"
        targets = str(record.targets) if record else "0"
        rows.append((fault.name, fault.kind, targets, proven, reverted, (record and record.message) or ""))
    return Table("Faults", ("Fault", "Kind", "Targets", "Effect", "After it", "Why not"), tuple(rows))


def storms(run: ExperimentRun) -> tuple[Table, ...]:
    """What came of each storm: medians, and 95th percentiles. Empty: there was none, or none has said anything."""
    rows = tuple(
        (
            record.name,
            f"{storm.attempts} of {storm.asked}",
            str(storm.let_in),
            text.reasons(storm) or NONE,
            str(storm.unknown),
            *(text.times(taken) if taken else NONE for taken in (storm.upgraded, storm.connected, storm.first_packet)),
        )
        for record in run.status.faults
        if (storm := record.storm) is not None
    )
    note = "None of them is a listener of the room."
    return (Table("Storms", _OF_STORMS, rows, note),) if rows else ()


_OF_STORMS = ("Fault", "Tried", "In", "Refused", "Not known", "Answered", "Connected", "First packet")


def targets(run: ExperimentRun) -> Table:
    """Every pod that was hit and that the record names, with what proves it."""
    rows = tuple(
        (target.fault, target.pod, target.node or NONE, target.uid, proof(run, target)) for target in run.status.targets
    )
    note = unnamed(run) if rows else "Nothing was hit."
    return Table("Targets and proof", ("Fault", "Pod", "Node", "UID", "Proof"), rows, note)


def outages(run: ExperimentRun) -> Table:
    """The worst outages. Seconds are counted from the first injection."""
    rows = tuple(_outage(outage) for outage in run.status.outages)
    titles = ("Listener", "Lost after", "Dead air", "Of it silent", "Media missing", "Ended")
    return Table("Outages", titles, rows, "" if rows else _no_outage(run))


def _outage(outage: OutageRecord) -> tuple[str, ...]:
    return (
        short_name(outage.listener),
        outage.after or NONE,
        outage.dead_air or NONE,
        outage.silence or NONE,
        outage.missing or NONE,
        outage_end(outage),
    )


def of_crowd(run: ExperimentRun) -> tuple[Table, ...]:
    """The crowd's worst outages, and when media stopped for fleet and crowd. Empty: nothing of a crowd is recorded."""
    record = run.status.crowd
    if record is None:
        return ()
    judged = any(window.name == "Judged" for window in record.windows)
    rows = tuple((*_outage(outage)[:4], outage_end(outage)) for outage in record.outages)
    none = "No listener of the crowd lost the host." if judged else "Nothing was measured after the fault."
    titles = ("Listener", "Lost after", "Dead air", "Of it silent", "Ended")
    starts = tuple((start.after, start.fleet_later) for start in record.starts)
    apart = "No verdict rests on starts that are more than 20 ms apart." if starts else "They saw none together."
    return (
        Table("Outages of the crowd", titles, rows, "" if rows else none),
        Table("Media stopped for fleet and crowd", ("After, by the crowd", "Later, by the fleet"), starts, apart),
    )


def _no_outage(run: ExperimentRun) -> str:
    """No row is a finding only where somebody looked."""
    judged = any(window.name == "Judged" for window in run.status.windows)
    return "No listener lost the host." if judged else "Nothing was measured after the fault."


def indicators(run: ExperimentRun) -> Table:
    """Every indicator, before the fault and after it. Those of the crowd are behind those of the fleet."""
    before, after = measured_in(run, "Baseline"), measured_in(run, "Judged")
    rows = []
    for name in dict.fromkeys((*before, *after)):
        measured = after.get(name)
        worst = (
            f"{short_name(measured.worst_listener)}: {measured.worst}" if measured and measured.worst_listener else ""
        )
        why = (measured.reason if measured else "") or ""
        shown = (measured.value if measured else None) or NONE
        value = shown if measured is None else f"{shown}{bounds(measured.at_least, measured.at_most)}"
        rows.append((name, (before[name].value if name in before else None) or NONE, value, worst or why))
    titles = ("Indicator", "Before the fault", "From the fault on", "Worst listener, or why there is no figure")
    return Table("Indicators", titles, tuple(rows), "" if rows else "Nothing was measured.")


def steps(run: ExperimentRun) -> Table:
    """The steps with their times. Seconds are counted from the run's begin."""
    begin = from_timestamp(run.status.started_at) if run.status.started_at else 0.0
    rows = tuple(
        (
            str(step.name),
            moment(step.started_at),
            duration(from_timestamp(step.started_at) - begin) if begin else NONE,
            _length(step, run.status.finished_at),
            step.message or "",
        )
        for step in run.status.steps
    )
    titles = ("Step", "Began (UTC)", "After", "Took", "What it did")
    return Table("Timings", titles, rows, "" if rows else "The run never began.")


def _length(step: Step, finished: str | None) -> str:
    end = step.completed_at or finished
    return duration(max(0.0, from_timestamp(end) - from_timestamp(step.started_at))) if end else NONE


def listeners(record: Record) -> Table:
    """Every resident over the whole run, in figures: what the picture shows, for who cannot see it."""
    heading, titles = "Listeners", ("Listener", "Heard the host", "Outages", "Longest dead air", "Not known")
    if record.heard is None:
        return Table(heading, titles, (), record.note)
    return Table(heading, titles, _listeners(record.heard), _newcomers(record.heard))


def _listeners(view: View) -> tuple[tuple[str, ...], ...]:
    rows = []
    for track, row in zip(view.residents, summary.rows(view), strict=True):
        heard = share(row.audible) if row.audible is not None else "not known"
        longest = duration(row.longest_dead_air) if row.outages else NONE
        unknown = sum(span.seconds for span in track.spans if span.state == "Unknown")
        rows.append((short_name(track.listener), heard, str(row.outages), longest, duration(unknown)))
    return tuple(rows)


def crowd(record: Record) -> Table | None:
    """Who of the crowd fared worst over the whole run, and what a crowd cannot show. None: the room has no crowd."""
    declared = crowds.of(record.run)
    if declared is None:
        return None
    titles = ("Listener", "Heard the host", "Outages", "Longest dead air", "Not known")
    heading, limits = crowds.name(declared).capitalize(), crowds.limits(declared)
    if record.crowd is None:
        return Table(heading, titles, (), f"What its listeners heard is not available. {limits}")
    worst = replace(record.crowd, residents=crowds.worst(record.crowd))
    missed = sum(1 for track in record.crowd.residents if outages_of(track))
    sentence = f"{missed} of {len(record.crowd.residents)} listeners lost the host at some time."
    note = " ".join(filter(None, (sentence, _newcomers(record.crowd), limits)))
    return Table(heading, titles, _listeners(worst), note)


def _newcomers(view: View) -> str:
    calls, heard = crowds.newcomers(view)
    return f"{calls} newcomers called, {heard} of them heard the host." if calls else ""


def versions(record: Record) -> Table:
    """What was under test, and what tested it."""
    return Table("Versions", ("What", "Version"), tuple(record.versions.items()))


def acts(day: Day) -> Table:
    """What came of each act of a day."""
    titles = ("Act", "Verdict", "Audible", "Dead air", "Recovery", "Hold before it", "What came of it")
    rows = tuple(_act(number, act) for number, act in enumerate(day.acts, 1))
    return Table("Acts", titles, rows)


def _act(number: int, act: Act) -> tuple[str, ...]:
    status = act.record.run.status if act.record else None
    figures = (status.audible, status.dead_air, status.recovery) if status else (None, None, None)
    verdict = f"{looks.of_verdict(act.verdict).symbol} {act.verdict or 'did not run'}"
    return (f"{number}. {act.name}", verdict, *_or_none(figures), _hold(act), act.message)


def _hold(act: Act) -> str:
    if act.hold is None:
        return ""
    approved = f", approved by {act.hold.approver}" if act.hold.approver else ""
    return f"{act.hold.words}{approved}"


def _or_none(values: Iterable[str | None]) -> Sequence[str]:
    return tuple(value or NONE for value in values)
