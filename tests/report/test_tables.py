"""Tables: what is said in words, and what is said where there is nothing."""

import pytest

from showstopper.api.faults.storm import JoinTimes, RefusedJoins, StormFigures
from showstopper.api.run import OutageRecord
from showstopper.api.verdicts import Verdict
from showstopper.report import tables
from showstopper.report.record import NOT_KNOWN
from showstopper.report.words import bounds, moment
from tests.report import build


def test_before_a_verdict_only_the_bounds_are_there() -> None:
    rows = tables.expectations(build.run(None, expectations=[])).rows
    assert rows[0] == ("AudibleRatio", "≥ 70%", "-", "-", "? not evaluated")
    assert len(rows) == 4


def test_an_expectation_without_a_figure_says_so() -> None:
    assert {row[2] for row in tables.expectations(build.run(Verdict.ABORTED)).rows} == {"not measured"}


def test_a_fault_that_was_not_injected_is_not_proven() -> None:
    for row in tables.faults(build.run(Verdict.ABORTED, faults=[])).rows:
        assert row[2:5] == ("0", "not proven", "not verified")


def test_no_outage_is_a_finding_only_where_somebody_looked() -> None:
    assert tables.outages(build.run(outages=[])).note == "No listener lost the host."
    assert tables.outages(build.run(outages=[], windows=[])).note == "Nothing was measured after the fault."


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ("Left", "left"),
        ("Unknown", "was not heard from"),
        ("NotRecovered", "did not hear the host again"),
        (None, "did not hear the host again"),  # a record of an earlier version
    ],
)
def test_an_outage_says_how_it_ended(ended: str | None, words: str) -> None:
    run = build.run()
    run.status.outages = [OutageRecord(listener="main-stage-listeners-0/0", recovered=False, ended=ended)]
    assert tables.outages(run).rows[0][-1] == words


def test_indicators_stand_before_and_after_the_fault_with_their_bounds() -> None:
    first, *_, last = tables.indicators(build.run()).rows
    assert first == ("AudibleRatio", "100%", "91.5% (90.9% to 92.1%)", "0/1: 76.2%")
    assert last == ("JoinSuccess", "-", "-", "no newcomer called in this window")


def test_steps_have_their_times() -> None:
    active = tables.steps(build.run()).rows[2]
    assert active[2:4] == ("15.1s", "19.9s")
    assert tables.steps(build.run(steps=[])).note == "The run never began."


def test_listeners_in_figures() -> None:
    table = tables.listeners(build.record())
    assert table.rows[0] == ("0/0", "93.1%", "1", "5.2s", "0s")
    assert table.rows[3] == ("1/3", "100%", "0", "-", "6s")
    assert table.note == "9 newcomers called, 9 of them heard the host."
    assert tables.listeners(build.silent()).note == NOT_KNOWN


def test_a_long_table_says_how_much_is_left_out() -> None:
    table = tables.targets(build.run()).shortened(1)
    assert len(table.rows) == 1
    assert table.note == "and 1 more, which the JSON report has"


def test_targets_that_the_record_does_not_name_are_counted() -> None:
    run = build.run()
    assert tables.targets(run).note == ""
    run.status.faults[1].targets = 21
    table = tables.targets(run)
    assert (len(table.rows), table.note) == (2, "Of 20 more targets the record has the totals alone.")
    assert table.shortened(1).note == (
        "and 1 more, which the JSON report has. Of 20 more targets the record has the totals alone."
    )


def test_acts_say_who_approved() -> None:
    rows = tables.acts(build.day()).rows
    assert rows[1][5] == "approval, within 1h, approved by ada"
    assert rows[2][1] == "… did not run"


def test_bounds_and_moments() -> None:
    assert (bounds(None, None), bounds("1s", None), bounds(None, "2s")) == ("", " (at least 1s)", " (at most 2s)")
    assert (moment(None), moment("2026-01-01T10:00:05.15+00:00")) == ("", "2026-01-01 10:00:05.1")


def test_a_storm_says_who_got_in_and_how_long_it_took() -> None:
    assert tables.storms(build.run()) == ()
    run = build.run()
    run.status.faults[0].storm = StormFigures(
        asked=50,
        attempts=50,
        let_in=40,
        refused=[RefusedJoins(reason="Unavailable", count=7), RefusedJoins(reason="TimedOut", count=3)],
        upgraded=JoinTimes(count=43, p50="12.0ms", p95="31.4ms", longest="40.0ms"),
    )
    (table,) = tables.storms(run)
    (row,) = table.rows
    assert row[1:] == ("50 of 50", "40", "7 Unavailable, 3 TimedOut", "0", "12.0ms (p95 31.4ms)", "-", "-")
