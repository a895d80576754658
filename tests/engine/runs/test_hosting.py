"""Hosting: what a run's record keeps of the managed host, through restarts of host and operator."""

from showstopper.api.run import ExperimentRun, HostRecord
from showstopper.availability.hosts import STARTED_ANEW, HostFeed, HostLog
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.runs import hosting
from tests.support import build

START = from_timestamp("2026-01-01T00:00:00Z")


def run(host: HostRecord | None = None) -> ExperimentRun:
    made = build.run(status={"startedAt": to_timestamp(START)})
    made.status.host = host
    return made


def answer(boot: str, at: float, *, started: float = -100.0, speaks: float | None = -97.0) -> HostFeed:
    """What a process says, on a clock that begins with the run."""
    return HostFeed(boot, START, 0.001, at, START + at, started, speaks, ())


def record_of(of: ExperimentRun, heard: HostLog, now: float) -> HostRecord:
    return hosting.record(hosting.known(of, heard, now))


def log(*answers: HostFeed) -> HostLog:
    made = HostLog()
    for each in answers:
        made.add(each)
    return made


def absences(record: HostRecord) -> list[tuple[float, float, str]]:
    return [(each.start - START, each.end - START, each.why) for each in hosting.absences(run(record))]


def test_a_host_that_was_there_has_no_absence() -> None:
    record = record_of(run(), log(answer("one", 59)), START + 60)
    assert absences(record) == []
    assert record.seen_until == to_timestamp(START + 59)


def test_a_restart_that_was_recorded_is_remembered_by_an_operator_that_restarts() -> None:
    seen = log(answer("one", 29), answer("two", 40, started=31, speaks=34))
    before = record_of(run(), seen, START + 40)
    assert absences(before) == [(29, 34, STARTED_ANEW)]
    after = record_of(run(before), log(answer("two", 60, started=31, speaks=34)), START + 60)
    assert absences(after) == [(29, 34, STARTED_ANEW)]


def test_a_host_that_answers_again_was_there_all_the_time() -> None:
    before = record_of(run(), log(answer("one", 10)), START + 40)
    assert [each[:2] for each in absences(before)] == [(10, 40)]
    assert absences(record_of(run(before), log(answer("one", 10), answer("one", 59)), START + 60)) == []


def test_a_host_that_restarted_while_the_operator_was_away_went_after_its_last_word() -> None:
    before = record_of(run(), log(answer("one", 20)), START + 20)
    after = record_of(run(before), log(answer("two", 60, started=31, speaks=34)), START + 60)
    assert absences(after) == [(20, 34, STARTED_ANEW)]
