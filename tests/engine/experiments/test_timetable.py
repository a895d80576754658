"""A scheduled experiment through its life: what starts a run, what does not, and what it shows meanwhile."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.base import dump
from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.experiments import deciding, schedule
from showstopper.engine.experiments.schedule import stamp
from showstopper.engine.experiments.situation import Begin, Situation
from tests.engine.life import DAILY, HOUR, MIDNIGHT, MINUTE, Life


def test_it_does_not_run_at_creation_and_says_when_it_will() -> None:
    life = Life()
    show = life.look()
    assert show is not None
    assert (life.runs, life.ready()) == ([], "True Scheduled")
    assert life.experiment.status.next_run_time == "2026-06-01T03:00:00Z"
    assert "2026-06-01T03:00:00Z" in show.outlook.message
    assert show.again == 3 * HOUR


def test_it_runs_when_it_fires_and_shows_the_verdict_until_the_next() -> None:
    life = Life()
    life.look()
    life.look(3 * HOUR - 1)
    assert life.runs == []
    life.look(1)
    assert life.firings() == ["2026-06-01T03:00:00Z"]
    assert life.ready().startswith("Unknown")
    life.look(60)
    life.end("Failed")
    show = life.look()
    assert show is not None
    assert show.again == 24 * HOUR - 60
    assert life.ready() == "False ExpectationMissed"
    status = life.experiment.status
    assert (status.last_schedule_time, status.next_run_time) == ("2026-06-01T03:00:00Z", "2026-06-02T03:00:00Z")
    life.look(23 * HOUR)
    assert (len(life.runs), life.ready()) == (1, "False ExpectationMissed")
    life.look(HOUR)
    assert life.firings()[1:] == ["2026-06-02T03:00:00Z"]


def test_a_run_that_is_still_active_is_not_joined_by_another() -> None:
    life = Life(schedule="* * * * *")
    life.look()
    life.look(60)
    life.look(60)
    assert len(life.runs) == 1
    missed = life.experiment.status.missed_run
    assert missed is not None
    assert (missed.reason, missed.time) == (Reason.RUN_STILL_ACTIVE, "2026-06-01T00:02:00Z")
    life.end()
    life.look(30)
    assert len(life.runs) == 1, "what was skipped is not made up for"
    assert life.ready() == "True ExpectationsMet"
    life.look(30)
    assert life.firings() == ["2026-06-01T00:01:00Z", "2026-06-01T00:03:00Z"]
    assert life.experiment.status.missed_run is None


def test_after_an_outage_of_the_operator_the_last_firing_is_made_up_for_within_its_deadline() -> None:
    life = Life(startingDeadline="10m")
    life.look()
    life.look(3 * HOUR + 9 * MINUTE)
    assert life.firings() == ["2026-06-01T03:00:00Z"]


def test_after_a_longer_outage_it_is_missed_and_said_so() -> None:
    life = Life(startingDeadline="10m")
    life.look()
    life.look(3 * HOUR + 11 * MINUTE)
    assert life.runs == []
    missed = life.experiment.status.missed_run
    assert missed is not None
    assert (missed.reason, missed.time) == (Reason.TOO_LATE, "2026-06-01T03:00:00Z")
    assert "startingDeadline of 600 s" in missed.message
    assert life.ready() == "True Scheduled"
    assert life.experiment.status.next_run_time == "2026-06-02T03:00:00Z"


def test_an_operator_that_dies_before_it_wrote_the_status_does_not_run_it_twice() -> None:
    life = Life()
    life.look()
    life.look(3 * HOUR, lose=True)
    life.change(historyLimit=3)
    life.look(10)
    life.end()
    life.look(10)
    assert life.firings() == ["2026-06-01T03:00:00Z"]
    assert life.experiment.status.missed_run is None
    assert life.experiment.status.last_schedule_time == "2026-06-01T03:00:00Z"


@pytest.mark.parametrize(
    "change", [{"schedule": "59 2 * * *"}, {"timeZone": "Asia/Tokyo"}, {"historyLimit": 3}, {"startingDeadline": "24h"}]
)
def test_a_change_of_schedule_or_retention_starts_no_run(change: dict[str, Any]) -> None:
    life = Life()
    life.look()
    life.look(2.99 * HOUR)
    life.change(**change)
    life.look()
    assert (life.runs, life.ready()) == ([], "True Scheduled")


def test_a_new_schedule_makes_up_for_nothing() -> None:
    life = Life()
    life.look()
    life.now += 3 * HOUR + 1
    life.change(schedule="0 * * * *", startingDeadline="1h")
    life.look()
    assert life.runs == []
    assert life.experiment.status.next_run_time == "2026-06-01T04:00:00Z"


def test_firings_while_it_is_suspended_are_not_made_up_for() -> None:
    life = Life(suspend=True, startingDeadline="24h")
    life.look()
    assert life.ready() == "False Suspended"
    assert life.experiment.status.next_run_time is None
    life.look(4 * HOUR)
    life.change(suspend=False)
    life.look()
    assert (life.runs, life.ready()) == ([], "True Scheduled")


def test_suspended_and_let_go_while_nobody_looked_starts_no_run() -> None:
    life = Life(startingDeadline="24h")
    life.look()
    life.change(suspend=True)
    life.change(suspend=False)
    life.look(4 * HOUR)
    assert (life.runs, life.ready()) == ([], "True Scheduled")


def test_suspended_after_a_verdict_it_goes_on_to_show_it() -> None:
    life = Life()
    life.look()
    life.look(3 * HOUR)
    life.end()
    life.change(suspend=True)
    life.look(25 * HOUR)
    assert (len(life.runs), life.ready()) == (1, "True ExpectationsMet")


def test_an_annotation_asks_for_a_run_at_any_time_also_at_creation() -> None:
    life = Life()
    life.change(annotation="now")
    life.look()
    assert life.firings() == [None]
    life.end()
    life.look()
    assert life.experiment.status.last_handled_run_request == "now"
    life.look(3 * HOUR)
    assert life.firings() == [None, "2026-06-01T03:00:00Z"]


def test_a_change_of_what_is_run_asks_for_a_run_of_it() -> None:
    life = Life()
    life.look()
    life.change(revision="2")
    life.look()
    assert life.firings() == [None]


def test_a_schedule_on_an_experiment_that_has_not_run_yet_holds_its_run_back() -> None:
    life = Life(schedule=None)
    life.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    life.look()
    assert life.ready() == "False NamespaceNotAllowed"
    life.change(**DAILY)
    life.refusal = None
    life.look()
    assert (life.runs, life.ready()) == ([], "True Scheduled")


def test_a_schedule_that_is_removed_before_the_first_run_starts_none_and_leaves_nothing_green() -> None:
    life = Life()
    life.look()
    life.change(schedule=None)
    life.look(10 * HOUR)
    assert (life.runs, life.ready()) == ([], "False NeverRun")
    assert life.experiment.status.next_run_time is None
    life.change(annotation="now")
    life.look()
    assert len(life.runs) == 1


def test_a_schedule_that_is_removed_after_a_verdict_leaves_it() -> None:
    life = Life()
    life.look()
    life.look(3 * HOUR)
    life.end()
    life.look()
    life.change(schedule=None)
    life.look(48 * HOUR)
    assert (len(life.runs), life.ready()) == (1, "True ExpectationsMet")
    assert life.experiment.status.last_schedule_time == "2026-06-01T03:00:00Z"


def test_a_firing_that_is_refused_is_tried_again_until_its_deadline() -> None:
    life = Life()
    life.look()
    life.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    life.look(3 * HOUR)
    assert life.ready() == "False NamespaceNotAllowed"
    life.look(60)
    life.refusal = None
    life.look(60)
    assert life.firings() == ["2026-06-01T03:00:00Z"]
    assert life.experiment.status.missed_run is None


def test_a_firing_that_was_refused_leaves_nothing_green_until_there_is_a_run() -> None:
    life = Life()
    life.look()
    life.look(3 * HOUR)
    life.end()
    life.look()
    life.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
    life.look(24 * HOUR)
    life.look(HOUR)
    missed = life.experiment.status.missed_run
    assert (life.ready(), missed and missed.time) == ("False NamespaceNotAllowed", "2026-06-02T03:00:00Z")
    assert life.experiment.status.next_run_time == "2026-06-03T03:00:00Z"
    assert life.experiment.status.verdict == "Passed", "the last verdict is still shown beside it"
    life.refusal = None
    life.look(23 * HOUR)
    life.end()
    life.look()
    assert (len(life.runs), life.ready()) == (2, "True ExpectationsMet")


def test_a_room_that_is_not_there_is_told_before_the_first_firing() -> None:
    life = Life()
    life.room_known = False
    show = life.look()
    assert show is not None
    assert life.ready() == "False RoomNotFound"
    assert show.again is not None
    assert show.again < MINUTE, "it may come"


def test_an_invalid_schedule_is_refused_and_asks_for_no_run_either() -> None:
    life = Life(schedule="0 3 30 2 *", revision="1")
    life.look()
    assert (life.runs, life.ready()) == ([], "False InvalidSchedule")
    life.change(annotation="now")
    life.look()
    assert life.runs == []
    life.change(schedule="@daily")
    life.look()
    assert len(life.runs) == 1


def test_a_dry_run_is_never_fired() -> None:
    life = Life(dryRun=True)
    found = deciding.decide(Situation(life.experiment, (), True, 0, MIDNIGHT + 3 * HOUR))
    assert isinstance(found, Begin)
    assert found.request.scheduled_at == ""


events = st.lists(
    st.tuples(st.integers(1, 900), st.sampled_from(["look", "look", "die", "end", "refuse", "allow", "keep"])),
    max_size=60,
)


@given(st.sampled_from(["*/5 * * * *", "*/7 * * * *", "0 * * * *"]), st.integers(1, 20), events)
def test_whatever_happens_a_firing_has_one_run_in_time_and_never_two_at_once(
    cron: str, patience: int, happens: list[tuple[int, str]]
) -> None:
    life = Life(schedule=cron, startingDeadline=f"{patience}m")
    life.look()
    found = schedule.of(life.experiment.spec)
    assert isinstance(found, schedule.Schedule)
    for seconds, event in happens:
        before, active = len(life.runs), any(not run.finished for run in life.runs)
        match event:
            case "end":
                life.end()
            case "refuse":
                life.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
            case "allow":
                life.refusal = None
            case "keep":
                life.change(historyLimit=3 + life.experiment.spec.history_limit % 100)
        life.look(seconds, lose=event == "die")
        for run in life.runs[before:]:
            fired = from_timestamp(run.spec.experiment.scheduled_at or "")
            assert fired == found.after(fired - 1), "only at a firing"
            assert 0 <= life.now - fired <= patience * MINUTE
            assert not active or event == "end"
        coming = life.experiment.status.next_run_time
        assert coming is not None
        assert len(set(life.firings())) == len(life.firings())


@given(st.sampled_from(["*/5 * * * *", "0 * * * *", "30 2 * * *"]), st.integers(0, 10**6), st.integers(1, 20))
def test_an_operator_that_is_always_there_misses_none(cron: str, offset: int, count: int) -> None:
    life = Life(MIDNIGHT + offset, schedule=cron)
    found = schedule.of(life.experiment.spec)
    assert isinstance(found, schedule.Schedule)
    expected, following = [], life.now
    for _ in range(count):
        following = found.after(following)
        expected.append(stamp(following))
    while len(life.runs) < count:
        show = life.look()
        assert show is not None
        assert show.again is not None
        life.end()
        life.now += show.again
    assert life.firings() == expected


def test_the_timetable_survives_the_api() -> None:
    life = Life()
    life.look()
    assert Experiment.parse(dump(life.experiment)).status == life.experiment.status
