"""Words: how the record's names, bounds and proofs are written for people, on a terminal and in reports. Pure."""

import re
from collections import Counter

from showstopper.api.room import MeasuredIndicator
from showstopper.api.run import ExperimentRun, FaultRecord, OutageRecord, TargetRecord
from showstopper.availability.outages import OutageEnd
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

_OF_CROWD = re.compile(r".*-crowd-([0-9]+/a?[0-9]+)", re.DOTALL)
NOT_AGAIN = "did not hear the host again"


def short_name(listener: str) -> str:
    """`main-stage-listeners-0/1` as `0/1`, one of the crowd as `crowd 0/1`: the room is said above."""
    if of_crowd := _OF_CROWD.fullmatch(listener):
        return f"crowd {of_crowd[1]}"
    return listener.rpartition("-listeners-")[2]


def measured_in(run: ExperimentRun, window: str) -> dict[str, MeasuredIndicator]:
    """What was measured in the window of that name, by indicator: of the fleet, then of the crowd."""
    of_crowd = run.status.crowd.windows if run.status.crowd is not None else []
    return {
        measured.indicator: measured
        for each in (*run.status.windows, *of_crowd)
        if each.name == window
        for measured in each.indicators
    }


def asked(least: str | None, most: str | None) -> str:
    """A bound as a person writes it."""
    return f"≥ {least}" if least is not None else f"≤ {most}"


def proof(run: ExperimentRun, target: TargetRecord) -> str:
    """What shows that this pod was hit, with times in seconds after the call."""
    seen = (target.answered_at, target.armed_at, target.processes, target.matched)
    if all(each is None for each in seen):
        return target.message or "not hit"
    observed = Observed(target.fault, (ObservedTarget.recorded(target),))
    figures = registry.of(run.fault(target.fault).spec).figures(observed)
    if target.proven:
        return figures
    return f"not proven: {figures}{'; ' + target.message if target.message else ''}"


def unnamed(run: ExperimentRun) -> str:
    """How many targets the record does not name. Empty: it names all, or nothing was hit."""
    named = Counter(target.fault for target in run.status.targets)
    left = sum(max(0, record.targets - named[record.name]) for record in run.status.faults)
    return f"Of {left} more targets the record has the totals alone." if named and left else ""


def storm(run: ExperimentRun, record: FaultRecord) -> str:
    """What came of a storm."""
    return registry.of(run.fault(record.name).spec).figures(Observed(record.name, (), storm=record.storm))


def outage_end(outage: OutageRecord) -> str:
    """How an outage ended."""
    if outage.recovered:
        return "heard the host again"
    ends: dict[str | None, str] = {OutageEnd.LEFT: "left", OutageEnd.UNKNOWN: "was not heard from"}
    return ends.get(outage.ended, NOT_AGAIN)


def bounds(least: str | None, most: str | None) -> str:
    """The bounds between which the truth lies, behind a figure that is not exact. Empty behind an exact figure."""
    if least is None and most is None:
        return ""
    if most is None:
        return f" (at least {least})"
    return f" (at most {most})" if least is None else f" ({least} to {most})"


def moment(timestamp: str | None) -> str:
    """A time to the tenth of a second, in UTC: `2026-01-01 10:00:05.1`."""
    if not timestamp:
        return ""
    return to_timestamp(from_timestamp(timestamp)).replace("T", " ")[:21]
