"""Status: what is said of a room, and for how long it may be broken before that is final."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.conditions import Condition, ConditionType, find
from showstopper.api.room import AudioRoom, AudioRoomStatus, CrowdStatus
from showstopper.api.schema.base import dump
from showstopper.availability.spans import State
from showstopper.clock import to_timestamp
from showstopper.engine.rooms import status
from showstopper.engine.rooms.status import Figures, Hearing, Situation
from tests.availability.build import EPOCH, G, H, J, L, Story, U, view
from tests.engine.rooms.build import room

NOW = EPOCH + 1000.0
HEARD = Hearing(6, 6)
HALF = Hearing(6, 3, {State.HOLD: 3})
NOBODY = Hearing(6, 0, {State.UNKNOWN: 6})
WELL = Situation(HEARD, pods=2, reporting=2, progress_at=NOW - 3600)


def test_a_crowd_stands_beside_the_residents_and_makes_no_room_ready() -> None:
    crowd = CrowdStatus(intended=200, reporting=200, live=0, others="200 NoMedia")
    status = told(room(), replace(WELL, crowd=crowd), NOW).status
    assert status.listeners.crowd == crowd
    assert stands(room(), replace(WELL, crowd=crowd), NOW)[:2] == ("True", "Live")
    assert told(room(), WELL, NOW).status.listeners.crowd is None


def told(here: AudioRoom, situation: Situation, now: float) -> AudioRoom:
    """The room with the status that is written for it then."""
    return here.model_copy(update={"status": status.compose(here, situation, Figures(), now)})


def stands(here: AudioRoom, situation: Situation, now: float) -> tuple[str, str, bool, bool]:
    """Ready, its reason, Reconciling and Stalled as written then."""
    conditions = {condition.type: condition for condition in told(here, situation, now).status.conditions}
    ready = conditions["Ready"]
    return (
        ready.status,
        ready.reason,
        conditions["Reconciling"].status == "True",
        conditions["Stalled"].status == "True",
    )


def test_a_component_that_selects_our_own_fleet_is_no_room() -> None:
    wrong = replace(WELL, misdescribed="the selector of component relay matches pods of the room's own fleet")
    assert stands(room(), wrong, NOW) == ("False", "SelectsFleet", False, True)


def heard(*stories: Story) -> Hearing:
    """What residents hear who went through these stories, each of them of five seconds."""
    return status.hearing(view(*stories))


def test_who_hears_the_host_most_of_the_time_hears_it() -> None:
    assert heard([(L, 5)], [(L, 4.6), (H, 0.4)], [(H, 0.9), (L, 4.1)]) == Hearing(3, 3, {})


def test_an_outage_that_has_begun_is_not_made_up_for_by_what_was_before() -> None:
    assert heard([(L, 5)], [(L, 4.4), (H, 0.6)], [(L, 4), (J, 0.8), (L, 0.2)]) == Hearing(3, 2, {State.HOLD: 1})


def test_the_others_are_told_by_what_they_hear_last() -> None:
    hearing = heard([(L, 5)], [(L, 3), (H, 2)], [(H, 4), (J, 1)], [(L, 2), (U, 3)], [(H, 2), (L, 3)])
    assert hearing == Hearing(5, 1, {State.HOLD: 1, State.JOINING: 1, State.UNKNOWN: 1, State.LIVE: 1})


def test_who_hears_somebody_else_s_sound_does_not_hear_the_host() -> None:
    situation = replace(WELL, hearing=heard(*[[(L, 5)]] * 5, [(L, 1), (G, 4)]))
    said = status.outlook(room(), situation, NOW).message
    assert said.startswith("5 of 6 residents hear the host; 1 hear sound that is not the host's (Garbled)")


def test_of_a_small_fleet_all_must_hear_and_of_a_large_one_most() -> None:
    assert not Hearing(6, 5).enough
    assert not Hearing(19, 18).enough
    assert Hearing(20, 19).enough
    assert not Hearing(0, 0).enough


def test_a_room_whose_residents_all_hear_the_host_is_ready() -> None:
    assert stands(room(), WELL, NOW) == ("True", "Live", False, False)
    assert status.outlook(room(), WELL, NOW).message == "6 of 6 residents hear the host"


def test_a_room_of_somebody_elses_speaker_is_said_to_have_sound() -> None:
    assert status.outlook(room(program={"host": "External"}), WELL, NOW).message == "6 of 6 residents hear sound"


def test_a_new_room_starts_for_a_minute_after_its_last_step_forward_and_then_is_broken() -> None:
    starting = Situation(NOBODY, pods=2, reporting=1, progress_at=NOW)
    assert stands(room(), starting, NOW + 59) == ("Unknown", "Starting", True, False)
    here = told(room(), starting, NOW)
    assert stands(here, starting, NOW + 59) == ("Unknown", "Starting", True, False)
    assert stands(here, starting, NOW + 60) == ("False", "ListenersMissing", False, False)
    assert stands(here, replace(starting, reporting=2), NOW + 60) == ("False", "NotLive", False, False)


def test_a_room_that_stays_broken_for_a_minute_is_stalled_and_recovers_by_itself() -> None:
    here = told(told(room(), WELL, NOW), broken := replace(WELL, hearing=HALF), NOW + 10)
    assert stands(here, broken, NOW + 69) == ("False", "NotLive", False, False)
    assert stands(here, broken, NOW + 70) == ("False", "NotLive", False, True)
    stalled = told(here, broken, NOW + 70)
    assert stands(stalled, broken, NOW + 700) == ("False", "NotLive", False, True)
    assert stands(stalled, WELL, NOW + 701) == ("True", "Live", False, False)


def test_a_broken_room_is_described_by_what_residents_hear_instead() -> None:
    here = told(room(), WELL, NOW)
    some = Hearing(6, 2, {State.OFFLINE: 1, State.HOLD: 3})
    message = status.outlook(here, replace(WELL, hearing=some), NOW).message
    assert message == "2 of 6 residents hear the host; 3 hear Hold; 1 are Offline"


def test_a_lost_listener_pod_is_told_with_why_it_does_not_run() -> None:
    here = told(room(), WELL, NOW)
    lost = Situation(Hearing(6, 3, {State.UNKNOWN: 3}), pods=2, reporting=1, troubles=("pod a: ErrImagePull: none",))
    outlook = status.outlook(here, lost, NOW)
    assert outlook.reason == "ListenersMissing"
    assert outlook.message == (
        "1 of 2 listener pods report; 3 of 6 residents hear the host; 3 are Unknown; pod a: ErrImagePull: none"
    )


def test_under_an_experiment_a_ready_room_stays_ready_whatever_is_heard() -> None:
    here = told(room(), WELL, NOW)
    readiness = stands(here, replace(WELL, hearing=HALF, reporting=1, run="kill-1"), NOW + 10)
    assert readiness == ("True", "UnderExperiment", False, False)


def test_a_change_that_waits_for_a_run_is_said_to_wait_and_is_not_ready() -> None:
    """GitOps would take a change for done that has not been made yet."""
    changed = told(room(), WELL, NOW)
    changed.metadata.generation = 2
    waiting = replace(WELL, run="kill-1", kept_back=True)
    assert stands(changed, waiting, NOW + 1) == ("Unknown", "UnderExperiment", True, False)


def test_an_experiment_makes_no_broken_room_ready() -> None:
    broken = replace(WELL, hearing=HALF)
    here = told(told(room(), WELL, NOW), broken, NOW + 1)
    assert stands(here, replace(broken, run="kill-1"), NOW + 2)[:2] == ("False", "NotLive")
    assert stands(room(), replace(broken, run="kill-1", progress_at=NOW), NOW)[:2] == ("Unknown", "Starting")


def test_after_a_change_the_room_is_not_ready_until_all_pods_are_of_the_new_fleet() -> None:
    changed = told(room(), WELL, NOW)
    changed.metadata.generation = 2
    rolling = replace(WELL, outdated=1, progress_at=NOW)
    assert stands(changed, rolling, NOW + 1) == ("Unknown", "Starting", True, False)
    assert stands(changed, WELL, NOW + 20) == ("True", "Live", False, False)


def test_a_change_that_never_comes_through_is_no_live_room() -> None:
    changed = told(room(), WELL, NOW)
    changed.metadata.generation = 2
    stuck = replace(WELL, outdated=1, progress_at=NOW)
    assert stands(changed, stuck, NOW + 61) == ("False", "ListenersMissing", False, False)


def test_a_change_that_makes_no_new_pods_leaves_a_live_room_ready() -> None:
    changed = told(room(), WELL, NOW)
    changed.metadata.generation = 2
    after = told(changed, WELL, NOW + 1).status
    assert after.observed_generation == 2
    ready = find(after.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.observed_generation) == ("True", 2)
    assert ready.last_transition_time == changed.status.conditions[0].last_transition_time


def test_a_fleet_that_may_not_be_made_is_stalled_at_once_unless_the_room_is_live_anyway() -> None:
    refused = Situation(NOBODY, pods=2, reporting=0, progress_at=NOW, refusal="the fleet cannot be made: no")
    assert stands(room(), refused, NOW) == ("False", "FleetRefused", False, True)
    assert stands(told(room(), WELL, NOW), replace(WELL, refusal="no"), NOW) == ("True", "Live", False, False)


HEARINGS = st.builds(lambda live: Hearing(6, live, {State.NO_MEDIA: 6 - live} if live < 6 else {}), st.integers(0, 6))
SITUATIONS = st.builds(
    Situation,
    hearing=HEARINGS,
    pods=st.just(2),
    reporting=st.integers(0, 2),
    outdated=st.integers(0, 2),
    progress_at=st.floats(0, 600).map(lambda ago: NOW - ago),
    refusal=st.sampled_from(["", "no"]),
    run=st.sampled_from([None, "kill-1"]),
)
STATUSES = st.sampled_from(["True", "False", "Unknown"])


@given(SITUATIONS, st.none() | STATUSES, st.booleans(), st.floats(0, 200))
def test_nothing_is_ready_that_is_not_live_but_a_ready_room_under_experiment(
    situation: Situation, ready: Any, current: bool, ago: float
) -> None:
    here = room()
    if ready is not None:
        stamp = to_timestamp(NOW - ago)
        condition = Condition(
            type="Ready", status=ready, reason="R", observed_generation=1 if current else 0, last_transition_time=stamp
        )
        here = here.model_copy(update={"status": AudioRoomStatus(conditions=[condition])})
    composed = status.compose(here, situation, Figures(), NOW)
    flags = {condition.type: condition.status for condition in composed.conditions}
    assert not flags["Reconciling"] == flags["Stalled"] == "True"
    assert composed.observed_generation == 1
    if flags["Ready"] == "True":
        assert situation.hearing.enough or (situation.run and ready == "True" and current)
    if flags["Stalled"] == "True" and not situation.refusal:
        assert ready == "False"
        assert ago >= 60


def test_the_figures_are_texts_that_the_status_takes() -> None:
    here = room()
    audible, indicators = status.measured(view(*[[(L, 50), (H, 10)]] * 6))
    assert audible == "83.3%"
    by_indicator = {indicator.indicator: indicator.value for indicator in indicators}
    assert by_indicator["OutageCount"] == "6"
    assert "RecoveryTime" not in by_indicator
    written = status.compose(here, replace(WELL, hearing=HALF), Figures(audible, indicators, ("relay-a",)), NOW)
    assert AudioRoomStatus.model_validate(dump(written)) == written
    assert dump(written)["listeners"] == {"intended": 6, "reporting": 6, "live": 3}
    assert dump(written)["serving"] == ["relay-a"]


@pytest.mark.parametrize(("count", "said"), [(2, "; a; b"), (4, "; a; b; and 2 more")])
def test_a_message_names_the_first_troubles_and_counts_the_rest(count: int, said: str) -> None:
    outlook = status.outlook(room(), replace(WELL, hearing=HALF, troubles=("a", "b", "c", "d")[:count]), NOW)
    assert outlook.message.endswith(said)


def test_an_archive_that_does_not_answer_is_named_and_changes_nothing_else() -> None:
    here = room()
    archived = told(here, replace(WELL, archive=""), NOW)
    lost = told(archived, replace(WELL, archive="the archive does not answer"), NOW + 60)
    back = told(lost, replace(WELL, archive=""), NOW + 90)
    told_conditions = [
        next(condition for condition in each.status.conditions if condition.type == "Archived")
        for each in (archived, lost, back)
    ]
    assert [(condition.status, condition.reason) for condition in told_conditions] == [
        ("True", "Archived"),
        ("False", "ArchiveUnavailable"),
        ("True", "Archived"),
    ]
    assert told_conditions[1].message == "the archive does not answer"
    assert [condition.last_transition_time for condition in told_conditions] == [
        to_timestamp(NOW + late) for late in (0, 60, 90)
    ]
    assert lost.status.conditions[:5] == archived.status.conditions[:5]


def test_where_nobody_wants_an_archive_none_is_named() -> None:
    assert [condition.type for condition in told(room(), WELL, NOW).status.conditions] == list(ConditionType)
