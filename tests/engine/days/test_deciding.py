"""A day from its first act to its verdict, and what keeps it from beginning or going on."""

import pytest

from showstopper.api.conditions import ConditionType, is_true
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from tests.engine import build
from tests.engine.days.life import HOUR, MINUTE, Life, by_name, inline

WINDOW = {"start": "2026-12-01T20:00:00Z", "end": "2026-12-01T22:00:00Z"}


def performed(life: Life, *verdicts: str) -> None:
    """Every act ends with its verdict."""
    life.settle()
    for verdict in verdicts:
        life.end(verdict)
        life.settle()


def test_acts_follow_each_other_and_all_have_to_pass() -> None:
    life = Life()
    life.settle()
    assert (life.ready(), life.day.status.act, life.day.status.progress) == ("Unknown ActUnderWay", "one", "0/2")
    assert len(life.runs) == 1
    life.end("Passed")
    life.settle()
    assert (life.day.status.act, len(life.runs)) == ("two", 2)
    life.end("Passed")
    life.settle()
    assert life.ready() == "True AllActsPassed"
    assert (life.day.status.verdict, life.day.status.act, life.day.status.progress) == ("Passed", None, "2/2")


def test_runs_say_which_act_they_are_of() -> None:
    life = Life()
    performed(life, "Passed", "Passed")
    named, written = (run.spec.experiment for run in life.runs)
    assert (named.uid, written.uid) == ("experiment-uid", "day-uid")
    assert [run.game_day and run.game_day.act for run in (named, written)] == ["one", "two"]


@pytest.mark.parametrize("verdict", ["Failed", "Inconclusive", "Aborted", "Error", "Splendid"])
def test_an_act_that_does_not_pass_ends_the_day(verdict: str) -> None:
    life = Life()
    performed(life, verdict)
    assert life.ready() == "False ActNotPassed"
    assert life.verdicts() == [verdict, None]
    assert life.day.status.verdict == ("Error" if verdict == "Splendid" else verdict)
    assert "not performed: two" in (life.day.status.message or "")
    assert len(life.runs) == 1


@pytest.mark.parametrize("where", ["day", "act"])
def test_the_day_may_go_on_but_never_passes(where: str) -> None:
    goes_on = {"onFailure": "Continue"}
    life = Life(onFailure="Continue") if where == "day" else Life(by_name("one", **goes_on), inline("two"))
    performed(life, "Failed", "Passed")
    assert life.verdicts() == ["Failed", "Passed"]
    assert (life.ready(), life.day.status.verdict) == ("False ActNotPassed", "Failed")
    assert "act one: Failed" in (life.day.status.message or "")


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        (("Inconclusive", "Passed"), "Inconclusive"),
        (("Inconclusive", "Aborted"), "Aborted"),
        (("Aborted", "Error"), "Error"),
        (("Failed", "Error"), "Failed"),
    ],
)
def test_the_verdict_is_the_worst_act_s(verdicts: tuple[str, str], worst: str) -> None:
    life = Life(onFailure="Continue")
    performed(life, *verdicts)
    assert life.day.status.verdict == worst


def test_an_operator_that_dies_before_the_run_is_made_makes_that_very_run() -> None:
    life = Life()
    life.look()
    step = life.look(die=True)
    assert step.begin is not None
    noted = life.current.run
    assert noted
    assert not life.runs
    life.settle()
    assert [run.metadata.name for run in life.runs] == [noted]


def test_a_run_that_somebody_deletes_is_not_made_again() -> None:
    life = Life()
    life.settle()
    life.runs.clear()
    life.settle()
    assert not life.runs
    assert (life.day.status.acts[0].reason, life.day.status.verdict) == ("RunDeleted", "Inconclusive")


def test_a_run_that_cannot_be_made_is_our_own_failure() -> None:
    life = Life()
    life.look()
    life.look(die=True)
    life.look(3 * MINUTE, die=True)
    assert (life.day.status.acts[0].verdict, life.day.status.acts[0].reason) == ("Error", "RunNotCreated")


def test_what_a_run_may_not_hit_ends_the_act() -> None:
    life = Life()
    life.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    life.settle()
    assert (life.day.status.acts[0].reason, life.day.status.verdict) == ("NamespaceNotAllowed", "Inconclusive")


def test_the_window_is_waited_for() -> None:
    life = Life(window=WINDOW)
    step = life.settle()
    assert (life.ready(), step.again) == ("True Scheduled", HOUR)
    life.settle(HOUR)
    assert life.ready() == "Unknown ActUnderWay"


def test_a_window_that_has_passed_stalls_what_was_never_performed() -> None:
    life = Life(window=WINDOW)
    life.settle(3 * HOUR)
    assert (life.ready(), life.day.status.verdict) == ("False WindowPassed", None)
    assert "write a window.end that is to come" in life.day.status.conditions[0].message


def test_a_half_run_day_ends_with_its_window() -> None:
    """What runs is not cut off; what would follow is left out."""
    life = Life(window=WINDOW)
    life.settle(HOUR)
    life.settle(2 * HOUR)
    assert life.ready() == "Unknown ActUnderWay"
    life.end("Passed")
    life.settle()
    assert (life.ready(), life.day.status.verdict) == ("False WindowPassed", "Aborted")
    assert len(life.runs) == 1
    life.change(window={"end": "2026-12-02T22:00:00Z"})
    life.settle()
    assert (life.day.status.performance, life.day.status.act) == (2, "one"), "a new window begins anew"


def test_an_operator_that_comes_back_after_the_window_makes_no_run() -> None:
    life = Life(window=WINDOW)
    life.look(HOUR)
    life.look(die=True)
    life.settle(2 * HOUR)
    assert (life.ready(), life.runs) == ("False WindowPassed", [])
    assert life.day.status.acts[0].run is None


def test_an_abort_lets_the_run_end_first() -> None:
    life = Life(onFailure="Continue")
    life.settle()
    life.change(abort=True)
    life.settle()
    assert life.ready() == "Unknown ActUnderWay"
    life.end("Aborted", "AbortRequested")
    life.settle()
    assert (life.ready(), life.day.status.verdict) == ("False AbortRequested", "Aborted")
    assert len(life.runs) == 1
    life.change(abort=False)
    life.settle()
    assert life.ready() == "False AbortRequested", "an aborted day stays so until another performance is asked for"


def test_nothing_begins_under_an_abort() -> None:
    life = Life(abort=True)
    life.settle()
    assert (life.ready(), life.day.status.verdict) == ("False AbortRequested", None)
    life.change(abort=False)
    life.settle()
    assert len(life.runs) == 1


def test_the_stop_switch_ends_the_day_whatever_follows_a_failure() -> None:
    life = Life(onFailure="Continue")
    life.settle()
    life.end("Aborted", "Stopped")  # and the switch is let go at once
    life.settle()
    assert (life.ready(), len(life.runs)) == ("False Stopped", 1)


def test_a_day_asked_for_under_the_stop_switch_does_not_begin_when_it_is_let_go() -> None:
    life = Life()
    life.stopped = Finding(Reason.STOPPED, "smoke")
    life.settle()
    life.stopped = None
    life.settle()
    assert (life.ready(), life.runs) == ("False Stopped", [])


def test_suspended_it_waits_for_a_person_and_not_for_ever() -> None:
    life = Life(suspend=True)
    life.settle(9 * HOUR)
    assert life.ready() == "False Suspended"
    assert is_true(life.day.status.conditions, ConditionType.SUSPENDED)
    life.change(suspend=False)
    life.settle()
    life.change(suspend=True)
    life.end("Passed")
    life.settle(30 * MINUTE)
    assert (life.ready(), len(life.runs)) == ("False Suspended", 1)
    life.settle(HOUR)
    assert (life.ready(), life.day.status.verdict) == ("False SuspendedTooLong", "Aborted")


def test_a_change_of_the_programme_begins_anew_when_the_run_has_ended() -> None:
    life = Life()
    life.settle()
    life.change(revision="2")
    life.settle()
    assert life.ready() == "Unknown Superseded"
    life.end("Aborted", "Superseded")
    performed(life, "Passed", "Passed")
    assert (life.day.status.performance, life.day.status.verdict, len(life.runs)) == (2, "Passed", 3)
    assert len({run.metadata.name for run in life.runs}) == 3


def test_a_change_of_anything_else_asks_for_nothing() -> None:
    life = Life()
    performed(life, "Passed", "Passed")
    life.change(historyLimit=2)
    life.settle()
    assert (life.ready(), len(life.runs), life.day.status.observed_generation) == ("True AllActsPassed", 2, 2)


def test_a_verdict_of_an_earlier_form_is_not_shown_for_this_one() -> None:
    life = Life()
    performed(life, "Passed", "Passed")
    life.change(revision="2", suspend=True)
    life.settle()
    assert (life.ready(), life.day.status.verdict) == ("False Suspended", None)


@pytest.mark.parametrize("gone", ["experiment", "room"])
def test_what_an_act_refers_to_may_come_later_but_not_for_ever(gone: str) -> None:
    life = Life()
    life.seen_seconds = 1.0
    experiments, rooms = life.experiments, life.rooms
    if gone == "experiment":
        life.experiments = {}
    else:
        life.rooms = set()
    reason = "ExperimentNotFound" if gone == "experiment" else "RoomNotFound"
    life.settle()
    assert life.ready() == f"Unknown {reason}"
    life.seen_seconds = 60.0
    step = life.settle()
    assert life.ready() == f"False {reason}"
    assert "apply it, or correct" in step.outlook.message
    assert step.again is not None
    life.experiments, life.rooms = experiments, rooms
    life.settle()
    assert life.ready() == "Unknown ActUnderWay"


def test_an_experiment_that_is_deleted_in_the_middle_ends_its_act() -> None:
    life = Life(inline("one"), by_name("two"))
    life.settle()
    life.experiments = {}
    life.end("Passed")
    life.settle()
    assert (life.day.status.acts[1].reason, life.day.status.verdict) == ("ExperimentNotFound", "Inconclusive")


def test_a_dry_run_is_never_performed() -> None:
    life = Life()
    life.experiments["kill"] = build.experiment(dryRun=True)
    life.settle()
    assert (life.ready(), life.runs) == ("False ActIsDryRun", [])


def figures(audible: str, dead_air: str) -> list[dict[str, object]]:
    measured = [{"indicator": "AudibleRatio", "value": audible}, {"indicator": "LongestDeadAir", "value": dead_air}]
    moments = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z"}
    better = [{"indicator": "AudibleRatio", "value": "1%"}]
    return [
        {"name": "Baseline", **moments, "indicators": better},
        {"name": "Judged", **moments, "indicators": [*measured, {"indicator": "Unheard", "value": "7"}]},
    ]


def test_the_day_has_the_worst_figures_and_says_whose_they_are() -> None:
    life = Life()
    life.settle()
    life.end("Passed", windows=figures("98%", "10.5s"))
    life.settle()
    life.end("Passed", windows=figures("99.5%", "9.48s"))
    life.settle()
    found = [(one.indicator, one.worst, one.act, one.measured_in) for one in life.day.status.indicators]
    assert found == [("AudibleRatio", "98%", "one", 2), ("LongestDeadAir", "10.5s", "one", 2)]
    assert (life.day.status.audible, life.day.status.dead_air, life.day.status.recovery) == ("98%", "10.5s", None)
