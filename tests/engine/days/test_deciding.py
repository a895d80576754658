"""A day from its first act to its verdict, and what keeps it from beginning or going on."""

import pytest

from showstopper.api.conditions import ConditionType, is_true
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from tests.support import build
from tests.support.simulated_game_day import HOUR, MINUTE, SimulatedGameDay, by_name, inline

WINDOW = {"start": "2026-12-01T20:00:00Z", "end": "2026-12-01T22:00:00Z"}


def performed(simulated: SimulatedGameDay, *verdicts: str) -> None:
    """Every act ends with its verdict."""
    simulated.settle()
    for verdict in verdicts:
        simulated.end(verdict)
        simulated.settle()


def test_acts_follow_each_other_and_all_have_to_pass() -> None:
    simulated = SimulatedGameDay()
    simulated.settle()
    assert (simulated.ready(), simulated.day.status.act, simulated.day.status.progress) == (
        "Unknown ActUnderWay",
        "one",
        "0/2",
    )
    assert len(simulated.runs) == 1
    simulated.end("Passed")
    simulated.settle()
    assert (simulated.day.status.act, len(simulated.runs)) == ("two", 2)
    simulated.end("Passed")
    simulated.settle()
    assert simulated.ready() == "True AllActsPassed"
    assert (simulated.day.status.verdict, simulated.day.status.act, simulated.day.status.progress) == (
        "Passed",
        None,
        "2/2",
    )


def test_runs_say_which_act_they_are_of() -> None:
    simulated = SimulatedGameDay()
    performed(simulated, "Passed", "Passed")
    named, written = (run.spec.experiment for run in simulated.runs)
    assert (named.uid, written.uid) == ("experiment-uid", "day-uid")
    assert [run.game_day and run.game_day.act for run in (named, written)] == ["one", "two"]


@pytest.mark.parametrize("verdict", ["Failed", "Inconclusive", "Aborted", "Error", "Splendid"])
def test_an_act_that_does_not_pass_ends_the_day(verdict: str) -> None:
    simulated = SimulatedGameDay()
    performed(simulated, verdict)
    assert simulated.ready() == "False ActNotPassed"
    assert simulated.verdicts() == [verdict, None]
    assert simulated.day.status.verdict == ("Error" if verdict == "Splendid" else verdict)
    assert "not performed: two" in (simulated.day.status.message or "")
    assert len(simulated.runs) == 1


@pytest.mark.parametrize("where", ["day", "act"])
def test_the_day_may_go_on_but_never_passes(where: str) -> None:
    goes_on = {"onFailure": "Continue"}
    simulated = (
        SimulatedGameDay(onFailure="Continue")
        if where == "day"
        else SimulatedGameDay(by_name("one", **goes_on), inline("two"))
    )
    performed(simulated, "Failed", "Passed")
    assert simulated.verdicts() == ["Failed", "Passed"]
    assert (simulated.ready(), simulated.day.status.verdict) == ("False ActNotPassed", "Failed")
    assert "act one: Failed" in (simulated.day.status.message or "")


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
    simulated = SimulatedGameDay(onFailure="Continue")
    performed(simulated, *verdicts)
    assert simulated.day.status.verdict == worst


def test_an_operator_that_dies_before_the_run_is_made_makes_that_very_run() -> None:
    simulated = SimulatedGameDay()
    simulated.look()
    step = simulated.look(die=True)
    assert step.begin is not None
    noted = simulated.current.run
    assert noted
    assert not simulated.runs
    simulated.settle()
    assert [run.metadata.name for run in simulated.runs] == [noted]


def test_a_run_that_somebody_deletes_is_not_made_again() -> None:
    simulated = SimulatedGameDay()
    simulated.settle()
    simulated.runs.clear()
    simulated.settle()
    assert not simulated.runs
    assert (simulated.day.status.acts[0].reason, simulated.day.status.verdict) == ("RunDeleted", "Inconclusive")


def test_a_run_that_cannot_be_made_is_our_own_failure() -> None:
    simulated = SimulatedGameDay()
    simulated.look()
    simulated.look(die=True)
    simulated.look(3 * MINUTE, die=True)
    assert (simulated.day.status.acts[0].verdict, simulated.day.status.acts[0].reason) == ("Error", "RunNotCreated")


def test_what_a_run_may_not_hit_ends_the_act() -> None:
    simulated = SimulatedGameDay()
    simulated.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    simulated.settle()
    assert (simulated.day.status.acts[0].reason, simulated.day.status.verdict) == (
        "NamespaceNotAllowed",
        "Inconclusive",
    )


def test_the_window_is_waited_for() -> None:
    simulated = SimulatedGameDay(window=WINDOW)
    step = simulated.settle()
    assert (simulated.ready(), step.again) == ("True Scheduled", HOUR)
    simulated.settle(HOUR)
    assert simulated.ready() == "Unknown ActUnderWay"


def test_a_window_that_has_passed_stalls_what_was_never_performed() -> None:
    simulated = SimulatedGameDay(window=WINDOW)
    simulated.settle(3 * HOUR)
    assert (simulated.ready(), simulated.day.status.verdict) == ("False WindowPassed", None)
    assert "write a window.end that is to come" in simulated.day.status.conditions[0].message


def test_a_half_run_day_ends_with_its_window() -> None:
    """What runs is not cut off; what would follow is left out."""
    simulated = SimulatedGameDay(window=WINDOW)
    simulated.settle(HOUR)
    simulated.settle(2 * HOUR)
    assert simulated.ready() == "Unknown ActUnderWay"
    simulated.end("Passed")
    simulated.settle()
    assert (simulated.ready(), simulated.day.status.verdict) == ("False WindowPassed", "Aborted")
    assert len(simulated.runs) == 1
    simulated.change(window={"end": "2026-12-02T22:00:00Z"})
    simulated.settle()
    assert (simulated.day.status.performance, simulated.day.status.act) == (2, "one"), "a new window begins anew"


def test_an_operator_that_comes_back_after_the_window_makes_no_run() -> None:
    simulated = SimulatedGameDay(window=WINDOW)
    simulated.look(HOUR)
    simulated.look(die=True)
    simulated.settle(2 * HOUR)
    assert (simulated.ready(), simulated.runs) == ("False WindowPassed", [])
    assert simulated.day.status.acts[0].run is None


def test_an_abort_lets_the_run_end_first() -> None:
    simulated = SimulatedGameDay(onFailure="Continue")
    simulated.settle()
    simulated.change(abort=True)
    simulated.settle()
    assert simulated.ready() == "Unknown ActUnderWay"
    simulated.end("Aborted", "AbortRequested")
    simulated.settle()
    assert (simulated.ready(), simulated.day.status.verdict) == ("False AbortRequested", "Aborted")
    assert len(simulated.runs) == 1
    simulated.change(abort=False)
    simulated.settle()
    assert simulated.ready() == "False AbortRequested", "an aborted day stays so until another performance is asked for"


def test_nothing_begins_under_an_abort() -> None:
    simulated = SimulatedGameDay(abort=True)
    simulated.settle()
    assert (simulated.ready(), simulated.day.status.verdict) == ("False AbortRequested", None)
    simulated.change(abort=False)
    simulated.settle()
    assert len(simulated.runs) == 1


def test_the_stop_switch_ends_the_day_whatever_follows_a_failure() -> None:
    simulated = SimulatedGameDay(onFailure="Continue")
    simulated.settle()
    simulated.end("Aborted", "Stopped")  # and the switch is let go at once
    simulated.settle()
    assert (simulated.ready(), len(simulated.runs)) == ("False Stopped", 1)


def test_a_day_asked_for_under_the_stop_switch_does_not_begin_when_it_is_let_go() -> None:
    simulated = SimulatedGameDay()
    simulated.stopped = Finding(Reason.STOPPED, "smoke")
    simulated.settle()
    simulated.stopped = None
    simulated.settle()
    assert (simulated.ready(), simulated.runs) == ("False Stopped", [])


def test_suspended_it_waits_for_a_person_and_not_for_ever() -> None:
    simulated = SimulatedGameDay(suspend=True)
    simulated.settle(9 * HOUR)
    assert simulated.ready() == "False Suspended"
    assert is_true(simulated.day.status.conditions, ConditionType.SUSPENDED)
    simulated.change(suspend=False)
    simulated.settle()
    simulated.change(suspend=True)
    simulated.end("Passed")
    simulated.settle(30 * MINUTE)
    assert (simulated.ready(), len(simulated.runs)) == ("False Suspended", 1)
    simulated.settle(HOUR)
    assert (simulated.ready(), simulated.day.status.verdict) == ("False SuspendedTooLong", "Aborted")


def test_a_change_of_the_programme_begins_anew_when_the_run_has_ended() -> None:
    simulated = SimulatedGameDay()
    simulated.settle()
    simulated.change(revision="2")
    simulated.settle()
    assert simulated.ready() == "Unknown Superseded"
    simulated.end("Aborted", "Superseded")
    performed(simulated, "Passed", "Passed")
    assert (simulated.day.status.performance, simulated.day.status.verdict, len(simulated.runs)) == (2, "Passed", 3)
    assert len({run.metadata.name for run in simulated.runs}) == 3


def test_a_change_of_anything_else_asks_for_nothing() -> None:
    simulated = SimulatedGameDay()
    performed(simulated, "Passed", "Passed")
    simulated.change(historyLimit=2)
    simulated.settle()
    assert (simulated.ready(), len(simulated.runs), simulated.day.status.observed_generation) == (
        "True AllActsPassed",
        2,
        2,
    )


def test_a_verdict_of_an_earlier_form_is_not_shown_for_this_one() -> None:
    simulated = SimulatedGameDay()
    performed(simulated, "Passed", "Passed")
    simulated.change(revision="2", suspend=True)
    simulated.settle()
    assert (simulated.ready(), simulated.day.status.verdict) == ("False Suspended", None)


@pytest.mark.parametrize("gone", ["experiment", "room"])
def test_what_an_act_refers_to_may_come_later_but_not_for_ever(gone: str) -> None:
    simulated = SimulatedGameDay()
    simulated.seen_seconds = 1.0
    experiments, rooms = simulated.experiments, simulated.rooms
    if gone == "experiment":
        simulated.experiments = {}
    else:
        simulated.rooms = set()
    reason = "ExperimentNotFound" if gone == "experiment" else "RoomNotFound"
    simulated.settle()
    assert simulated.ready() == f"Unknown {reason}"
    simulated.seen_seconds = 60.0
    step = simulated.settle()
    assert simulated.ready() == f"False {reason}"
    assert "apply it, or correct" in step.outlook.message
    assert step.again is not None
    simulated.experiments, simulated.rooms = experiments, rooms
    simulated.settle()
    assert simulated.ready() == "Unknown ActUnderWay"


def test_an_experiment_that_is_deleted_in_the_middle_ends_its_act() -> None:
    simulated = SimulatedGameDay(inline("one"), by_name("two"))
    simulated.settle()
    simulated.experiments = {}
    simulated.end("Passed")
    simulated.settle()
    assert (simulated.day.status.acts[1].reason, simulated.day.status.verdict) == ("ExperimentNotFound", "Inconclusive")


def test_a_dry_run_is_never_performed() -> None:
    simulated = SimulatedGameDay()
    simulated.experiments["kill"] = build.experiment(dryRun=True)
    simulated.settle()
    assert (simulated.ready(), simulated.runs) == ("False ActIsDryRun", [])


def figures(audible: str, dead_air: str, *others: dict[str, object]) -> list[dict[str, object]]:
    measured: list[dict[str, object]] = [
        {"indicator": "AudibleRatio", "value": audible},
        {"indicator": "LongestDeadAir", "value": dead_air},
        *others,
    ]
    moments = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z"}
    better = [{"indicator": "AudibleRatio", "value": "1%"}]
    return [
        {"name": "Baseline", **moments, "indicators": better},
        {"name": "Judged", **moments, "indicators": [*measured, {"indicator": "Unheard", "value": "7"}]},
    ]


def test_an_act_that_never_recovered_is_worse_than_any_that_did() -> None:
    simulated = SimulatedGameDay()
    simulated.settle()
    endless: dict[str, object] = {"indicator": "RecoveryTime", "atLeast": "40s", "samples": 6}
    simulated.end("Failed", windows=figures("98%", "10.5s", endless))
    simulated.settle()
    simulated.end("Passed", windows=figures("98%", "10.5s", {"indicator": "RecoveryTime", "value": "45s"}))
    simulated.settle()
    assert simulated.day.status.recovery == "at least 40s"


def test_the_day_has_the_worst_figures_and_says_whose_they_are() -> None:
    simulated = SimulatedGameDay()
    simulated.settle()
    simulated.end("Passed", windows=figures("98%", "10.5s"))
    simulated.settle()
    simulated.end("Passed", windows=figures("99.5%", "9.48s"))
    simulated.settle()
    worst_figures = [
        (indicator.indicator, indicator.worst, indicator.act, indicator.measured_in)
        for indicator in simulated.day.status.indicators
    ]
    assert worst_figures == [("AudibleRatio", "98%", "one", 2), ("LongestDeadAir", "10.5s", "one", 2)]
    assert (simulated.day.status.audible, simulated.day.status.dead_air, simulated.day.status.recovery) == (
        "98%",
        "10.5s",
        None,
    )


def test_a_day_is_performed_once_more_if_that_is_asked_for() -> None:
    simulated = SimulatedGameDay(by_name("one"))
    performed(simulated, "Failed")
    simulated.request("again")
    performed(simulated, "Passed")
    assert (simulated.ready(), simulated.day.status.performance) == ("True AllActsPassed", 2)
    assert len({run.metadata.name for run in simulated.runs}) == 2
    assert simulated.day.status.last_handled_run_request == "again"
    simulated.settle(HOUR)
    assert simulated.day.status.performance == 2, "a request is answered once"


def test_a_performance_that_is_under_way_ends_before_the_next_that_is_asked_for() -> None:
    simulated = SimulatedGameDay(by_name("one"))
    simulated.settle()
    simulated.request("again")
    simulated.settle()
    assert (simulated.day.status.performance, len(simulated.runs)) == (1, 1)
    performed(simulated, "Passed")
    assert (simulated.day.status.performance, len(simulated.runs)) == (2, 2)
    assert simulated.ready() == "Unknown ActUnderWay"


def test_an_annotation_that_is_taken_away_asks_for_nothing() -> None:
    simulated = SimulatedGameDay(by_name("one"))
    simulated.request("first")
    performed(simulated, "Passed")
    assert simulated.day.status.performance == 1, "it came with what was asked for anyhow"
    simulated.annotate(None)
    simulated.settle()
    assert simulated.day.status.performance == 1
