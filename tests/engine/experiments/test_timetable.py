"""A scheduled experiment through its life: what starts a run, what does not, and what it shows meanwhile."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.schema.base import dump
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.experiments import deciding, schedule
from showstopper.engine.experiments.schedule import stamp
from showstopper.engine.experiments.situation import BeginRun, Situation
from tests.support.simulated_experiment import DAILY, HOUR, MIDNIGHT, MINUTE, SimulatedExperiment


def test_it_does_not_run_at_creation_and_says_when_it_will() -> None:
    simulated = SimulatedExperiment()
    show = simulated.look()
    assert show is not None
    assert (simulated.runs, simulated.ready()) == ([], "True Scheduled")
    assert simulated.experiment.status.next_run_time == "2026-06-01T03:00:00Z"
    assert "2026-06-01T03:00:00Z" in show.outlook.message
    assert show.again == 3 * HOUR


def test_it_runs_when_it_fires_and_shows_the_verdict_until_the_next() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.look(3 * HOUR - 1)
    assert simulated.runs == []
    simulated.look(1)
    assert simulated.firings() == ["2026-06-01T03:00:00Z"]
    assert simulated.ready().startswith("Unknown")
    simulated.look(60)
    simulated.end("Failed")
    show = simulated.look()
    assert show is not None
    assert show.again == 24 * HOUR - 60
    assert simulated.ready() == "False ExpectationMissed"
    status = simulated.experiment.status
    assert (status.last_schedule_time, status.next_run_time) == ("2026-06-01T03:00:00Z", "2026-06-02T03:00:00Z")
    simulated.look(23 * HOUR)
    assert (len(simulated.runs), simulated.ready()) == (1, "False ExpectationMissed")
    simulated.look(HOUR)
    assert simulated.firings()[1:] == ["2026-06-02T03:00:00Z"]


def test_a_run_that_is_still_active_is_not_joined_by_another() -> None:
    simulated = SimulatedExperiment(schedule="* * * * *")
    simulated.look()
    simulated.look(60)
    simulated.look(60)
    assert len(simulated.runs) == 1
    missed = simulated.experiment.status.missed_run
    assert missed is not None
    assert (missed.reason, missed.time) == (Reason.RUN_STILL_ACTIVE, "2026-06-01T00:02:00Z")
    simulated.end()
    simulated.look(30)
    assert len(simulated.runs) == 1, "what was skipped is not made up for"
    assert simulated.ready() == "True ExpectationsMet"
    simulated.look(30)
    assert simulated.firings() == ["2026-06-01T00:01:00Z", "2026-06-01T00:03:00Z"]
    assert simulated.experiment.status.missed_run is None


def test_a_run_that_begins_at_the_very_moment_of_a_firing_takes_its_place() -> None:
    simulated = SimulatedExperiment(schedule="*/5 * * * *")
    simulated.room_known = False
    simulated.look()
    simulated.change(revision="2")
    simulated.look()
    simulated.look(5 * MINUTE)
    simulated.room_known = True
    simulated.look()
    assert len(simulated.runs) == 1
    shown = simulated.experiment.status
    assert shown.missed_run is None
    simulated.look()
    assert simulated.experiment.status == shown


def test_a_firing_is_not_too_late_if_a_run_began_since() -> None:
    simulated = SimulatedExperiment(startingDeadline="1m")
    simulated.look()
    simulated.change(annotation="a person")
    simulated.look(3 * HOUR + 2 * MINUTE)  # the request comes first, its run is made, and only then the firing is seen
    assert len(simulated.runs) == 1
    assert simulated.experiment.status.missed_run is None


def test_after_an_outage_of_the_operator_the_last_firing_is_made_up_for_within_its_deadline() -> None:
    simulated = SimulatedExperiment(startingDeadline="10m")
    simulated.look()
    simulated.look(3 * HOUR + 9 * MINUTE)
    assert simulated.firings() == ["2026-06-01T03:00:00Z"]


def test_after_a_longer_outage_it_is_missed_and_said_so() -> None:
    simulated = SimulatedExperiment(startingDeadline="10m")
    simulated.look()
    simulated.look(3 * HOUR + 11 * MINUTE)
    assert simulated.runs == []
    missed = simulated.experiment.status.missed_run
    assert missed is not None
    assert (missed.reason, missed.time) == (Reason.TOO_LATE, "2026-06-01T03:00:00Z")
    assert "startingDeadline of 600 s" in missed.message
    assert simulated.ready() == "True Scheduled"
    assert simulated.experiment.status.next_run_time == "2026-06-02T03:00:00Z"


def test_an_operator_that_dies_before_it_wrote_the_status_does_not_run_it_twice() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.look(3 * HOUR, lose=True)
    simulated.change(historyLimit=3)
    simulated.look(10)
    simulated.end()
    simulated.look(10)
    assert simulated.firings() == ["2026-06-01T03:00:00Z"]
    assert simulated.experiment.status.missed_run is None
    assert simulated.experiment.status.last_schedule_time == "2026-06-01T03:00:00Z"


@pytest.mark.parametrize(
    "change", [{"schedule": "59 2 * * *"}, {"timeZone": "Asia/Tokyo"}, {"historyLimit": 3}, {"startingDeadline": "24h"}]
)
def test_a_change_of_schedule_or_retention_starts_no_run(change: dict[str, Any]) -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.look(2.99 * HOUR)
    simulated.change(**change)
    simulated.look()
    assert (simulated.runs, simulated.ready()) == ([], "True Scheduled")


def test_a_new_schedule_makes_up_for_nothing() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.now += 3 * HOUR + 1
    simulated.change(schedule="0 * * * *", startingDeadline="1h")
    simulated.look()
    assert simulated.runs == []
    assert simulated.experiment.status.next_run_time == "2026-06-01T04:00:00Z"


def test_firings_while_it_is_suspended_are_not_made_up_for() -> None:
    simulated = SimulatedExperiment(suspend=True, startingDeadline="24h")
    simulated.look()
    assert simulated.ready() == "False Suspended"
    assert simulated.experiment.status.next_run_time is None
    simulated.look(4 * HOUR)
    simulated.change(suspend=False)
    simulated.look()
    assert (simulated.runs, simulated.ready()) == ([], "True Scheduled")


def test_suspended_and_let_go_while_nobody_looked_starts_no_run() -> None:
    simulated = SimulatedExperiment(startingDeadline="24h")
    simulated.look()
    simulated.change(suspend=True)
    simulated.change(suspend=False)
    simulated.look(4 * HOUR)
    assert (simulated.runs, simulated.ready()) == ([], "True Scheduled")


def test_suspended_after_a_verdict_it_goes_on_to_show_it() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.look(3 * HOUR)
    simulated.end()
    simulated.change(suspend=True)
    simulated.look(25 * HOUR)
    assert (len(simulated.runs), simulated.ready()) == (1, "True ExpectationsMet")


def test_an_annotation_asks_for_a_run_at_any_time_also_at_creation() -> None:
    simulated = SimulatedExperiment()
    simulated.change(annotation="now")
    simulated.look()
    assert simulated.firings() == [None]
    simulated.end()
    simulated.look()
    assert simulated.experiment.status.last_handled_run_request == "now"
    simulated.look(3 * HOUR)
    assert simulated.firings() == [None, "2026-06-01T03:00:00Z"]


def test_a_change_of_what_is_run_asks_for_a_run_of_it() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.change(revision="2")
    simulated.look()
    assert simulated.firings() == [None]


def test_a_schedule_on_an_experiment_that_has_not_run_yet_holds_its_run_back() -> None:
    simulated = SimulatedExperiment(schedule=None)
    simulated.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    simulated.look()
    assert simulated.ready() == "False NamespaceNotAllowed"
    simulated.change(**DAILY)
    simulated.refusal = None
    simulated.look()
    assert (simulated.runs, simulated.ready()) == ([], "True Scheduled")


def test_a_schedule_that_is_removed_before_the_first_run_starts_none_and_leaves_nothing_green() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.change(schedule=None)
    simulated.look(10 * HOUR)
    assert (simulated.runs, simulated.ready()) == ([], "False NeverRun")
    assert simulated.experiment.status.next_run_time is None
    simulated.change(annotation="now")
    simulated.look()
    assert len(simulated.runs) == 1


def test_a_schedule_that_is_removed_after_a_verdict_leaves_it() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.look(3 * HOUR)
    simulated.end()
    simulated.look()
    simulated.change(schedule=None)
    simulated.look(48 * HOUR)
    assert (len(simulated.runs), simulated.ready()) == (1, "True ExpectationsMet")
    assert simulated.experiment.status.last_schedule_time == "2026-06-01T03:00:00Z"


def test_a_firing_that_is_refused_is_tried_again_until_its_deadline() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    simulated.look(3 * HOUR)
    assert simulated.ready() == "False NamespaceNotAllowed"
    simulated.look(60)
    simulated.refusal = None
    simulated.look(60)
    assert simulated.firings() == ["2026-06-01T03:00:00Z"]
    assert simulated.experiment.status.missed_run is None


def test_a_firing_that_was_refused_leaves_nothing_green_until_there_is_a_run() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    simulated.look(3 * HOUR)
    simulated.end()
    simulated.look()
    simulated.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    simulated.look(24 * HOUR)
    simulated.look(HOUR)
    missed = simulated.experiment.status.missed_run
    assert (simulated.ready(), missed and missed.time) == ("False NamespaceNotAllowed", "2026-06-02T03:00:00Z")
    assert simulated.experiment.status.next_run_time == "2026-06-03T03:00:00Z"
    assert simulated.experiment.status.verdict == "Passed", "the last verdict is still shown beside it"
    simulated.refusal = None
    simulated.look(23 * HOUR)
    simulated.end()
    simulated.look()
    assert (len(simulated.runs), simulated.ready()) == (2, "True ExpectationsMet")


def test_a_room_that_is_not_there_is_told_before_the_first_firing() -> None:
    simulated = SimulatedExperiment()
    simulated.room_known = False
    show = simulated.look()
    assert show is not None
    assert simulated.ready() == "False RoomNotFound"
    assert show.again is not None
    assert show.again < MINUTE, "it may come"


def test_an_invalid_schedule_is_refused_and_asks_for_no_run_either() -> None:
    simulated = SimulatedExperiment(schedule="0 3 30 2 *", revision="1")
    simulated.look()
    assert (simulated.runs, simulated.ready()) == ([], "False InvalidSchedule")
    simulated.change(annotation="now")
    simulated.look()
    assert simulated.runs == []
    simulated.change(schedule="@daily")
    simulated.look()
    assert len(simulated.runs) == 1


def test_a_dry_run_is_never_fired() -> None:
    simulated = SimulatedExperiment(dryRun=True)
    step = deciding.decide(Situation(simulated.experiment, (), True, 0, MIDNIGHT + 3 * HOUR))
    assert isinstance(step, BeginRun)
    assert step.request.scheduled_at == ""


events = st.lists(
    st.tuples(st.integers(1, 900), st.sampled_from(["look", "look", "die", "end", "refuse", "allow", "keep"])),
    max_size=60,
)


@given(st.sampled_from(["*/5 * * * *", "*/7 * * * *", "0 * * * *"]), st.integers(1, 20), events)
def test_whatever_happens_a_firing_has_one_run_in_time_and_never_two_at_once(
    cron: str, patience: int, happens: list[tuple[int, str]]
) -> None:
    simulated = SimulatedExperiment(schedule=cron, startingDeadline=f"{patience}m")
    simulated.look()
    cron_schedule = schedule.of(simulated.experiment.spec)
    assert isinstance(cron_schedule, schedule.Schedule)
    for seconds, event in happens:
        before, active = len(simulated.runs), any(not run.finished for run in simulated.runs)
        match event:
            case "end":
                simulated.end()
            case "refuse":
                simulated.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
            case "allow":
                simulated.refusal = None
            case "keep":
                simulated.change(historyLimit=3 + simulated.experiment.spec.history_limit % 100)
        simulated.look(seconds, lose=event == "die")
        for run in simulated.runs[before:]:
            fired = from_timestamp(run.spec.experiment.scheduled_at or "")
            assert fired == cron_schedule.after(fired - 1), "only at a firing"
            assert 0 <= simulated.now - fired <= patience * MINUTE
            assert not active or event == "end"
        coming = simulated.experiment.status.next_run_time
        assert coming is not None
        assert len(set(simulated.firings())) == len(simulated.firings())


@given(st.sampled_from(["*/5 * * * *", "0 * * * *", "30 2 * * *"]), st.integers(0, 10**6), st.integers(1, 20))
def test_an_operator_that_is_always_there_misses_none(cron: str, offset: int, count: int) -> None:
    simulated = SimulatedExperiment(MIDNIGHT + offset, schedule=cron)
    cron_schedule = schedule.of(simulated.experiment.spec)
    assert isinstance(cron_schedule, schedule.Schedule)
    expected, following = [], simulated.now
    for _ in range(count):
        following = cron_schedule.after(following)
        expected.append(stamp(following))
    while len(simulated.runs) < count:
        show = simulated.look()
        assert show is not None
        assert show.again is not None
        simulated.end()
        simulated.now += show.again
    assert simulated.firings() == expected


def test_the_timetable_survives_the_api() -> None:
    simulated = SimulatedExperiment()
    simulated.look()
    assert Experiment.parse(dump(simulated.experiment)).status == simulated.experiment.status
