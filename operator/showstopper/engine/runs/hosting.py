"""Hosting: what is known of a room's managed host during a run, as the run's record keeps it. Pure."""

from itertools import chain

from showstopper.api.run import ExperimentRun, HostAbsence, HostRecord
from showstopper.availability import hosts
from showstopper.availability.hosts import Absence, HostKnown, HostLog
from showstopper.availability.spans import Window
from showstopper.clock import from_timestamp, to_timestamp

MOST_ABSENCES = 20


def known(run: ExperimentRun, log: HostLog, now: float) -> HostKnown:
    """What is known of the host from the run's begin to now: by its own word, and by the record what is older."""
    begun = from_timestamp(run.status.started_at) if run.status.started_at else now
    recorded = run.status.host or HostRecord()
    seen = from_timestamp(recorded.seen_until) if recorded.seen_until else None
    told_since = log.told_since
    older = (each for each in absences(run) if told_since is None or each.start < told_since)
    newer = log.absences(Window(begun, now), seen=seen)
    return HostKnown(
        seen_until=log.seen_until if log.seen_until is not None else seen,
        absences=tuple(hosts.bounded(list(chain(older, newer)), MOST_ABSENCES)),
        clocks=log.clocks,
    )


def record(host: HostKnown) -> HostRecord:
    """The same as the run's record keeps it."""
    return HostRecord(
        seen_until=to_timestamp(host.seen_until) if host.seen_until is not None else None,
        absences=[_written(each) for each in host.absences],
    )


def absences(run: ExperimentRun) -> list[Absence]:
    """When the host could not be heard, by the run's record."""
    if run.status.host is None:
        return []
    return [
        Absence(from_timestamp(each.from_), from_timestamp(each.to), each.message) for each in run.status.host.absences
    ]


def _written(absence: Absence) -> HostAbsence:
    return HostAbsence(from_=to_timestamp(absence.start), to=to_timestamp(absence.end), message=absence.why)
