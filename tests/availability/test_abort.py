import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from showstopper.availability.abort import AbortCondition, breached
from showstopper.availability.counts import CountSample
from showstopper.availability.errors import BoundError
from showstopper.availability.hosts import HostKnown
from showstopper.availability.indicators import INDICATORS, Indicator, Recovery
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS, TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.count_error import COUNT_ERROR
from showstopper.availability.indicators.indicator import Better
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECONNECTS
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.availability.verdict import Finding
from tests.availability.build import (
    EPOCH,
    J,
    L,
    N,
    O,
    Q,
    Story,
    U,
    arrival_json,
    away,
    feed,
    known_stories,
    row,
    spans,
    timeline,
)

DEAF = AbortCondition(AUDIBLE_RATIO, below=0.1, seconds=10)


def room(*stories: Story) -> Timeline:
    length = sum(seconds for _, seconds in stories[0])
    return timeline(
        feed([span for index, story in enumerate(stories) for span in spans(f"r{index}", story)], clock=length)
    )


def asked(
    condition: AbortCondition, timeline: Timeline, now: float, since: float = 0.0, residents: int = 1, **more: Any
) -> Finding | None:
    recovery = Recovery(EPOCH + since)
    return breached(condition, timeline, residents, since=EPOCH + since, now=EPOCH + now, recovery=recovery, **more)


def host(seen: float, *absences: tuple[float, float]) -> HostKnown:
    """A host that answered last at `seen`, and could not be heard meanwhile."""
    return HostKnown(EPOCH + seen, tuple(away(start, end) for start, end in absences))


def showing(number: int) -> Callable[[View], View]:
    """A door that shows that number of listeners all the time."""
    shown = tuple(CountSample(EPOCH + second, number) for second in range(60))
    return lambda view: dataclasses.replace(view, counts=shown)


def test_a_share_must_have_been_beyond_the_bound_for_as_long_as_the_condition_says() -> None:
    deaf = room([(L, 10), (Q, 20)])
    assert asked(DEAF, deaf, 18) is None
    finding = asked(DEAF, deaf, 19.5)
    assert finding is not None
    assert finding.reason == "AbortIf"
    assert finding.message == "AudibleRatio was 5 %, below 10 %, for 10 s: the run was ended early"


@pytest.mark.parametrize("indicator", [indicator for indicator in INDICATORS if indicator.trailing], ids=str)
def test_a_condition_without_for_fires_for_every_indicator_that_is_taken_over_the_last_seconds(
    indicator: Indicator,
) -> None:
    sick = room([(L, 10), (Q, 20)])
    worst = [row(start, start + 2.0, lost=50.0, concealed=48_000.0, jitter=1.0, delay=3.0) for start in range(0, 30, 2)]
    deaf = [arrival_json(f"a{index}", index, index + 4.9, error="timeout") for index in range(30)]
    sick.add(feed([], clock=30, arrivals=deaf, statistics=worst))
    bound = {"below": 0.1} if indicator.better is Better.HIGHER else {"above": 0.01}
    assert asked(AbortCondition(indicator, **bound), sick, 30, beside=showing(1400)) is not None


def test_without_for_the_last_five_seconds_count() -> None:
    at_once = AbortCondition(AUDIBLE_RATIO, below=0.1)
    deaf = room([(L, 10), (Q, 20)])
    assert asked(at_once, deaf, 14.4) is None
    finding = asked(at_once, deaf, 14.6)
    assert finding is not None
    assert finding.message == "AudibleRatio was 8 %, below 10 %, for 5 s: the run was ended early"


def test_nothing_before_the_fault_counts() -> None:
    deaf = room([(Q, 30)])
    assert asked(DEAF, deaf, 24, since=15) is None
    assert asked(DEAF, deaf, 25, since=15) is not None


def test_a_room_that_is_well_is_not_ended() -> None:
    assert asked(DEAF, room([(L, 30)]), 30) is None


SHORT = AbortCondition(AUDIBLE_RATIO, below=0.1, seconds=2)


def test_silence_that_the_host_explains_ends_no_run() -> None:
    deaf = room([(L, 10), (Q, 20)])
    assert asked(SHORT, deaf, 25, host=host(25)) is not None
    assert asked(SHORT, deaf, 25, host=host(25, (10, 25))) is None
    assert asked(SHORT, deaf, 25, host=host(25, (10, 14))) is not None, "it is back"


@pytest.mark.parametrize("now", [12.5, 13.0, 14.0, 14.9, 15.5, 20.0])
def test_a_host_that_just_falls_silent_ends_no_run_before_it_is_known_to_be_gone(now: float) -> None:
    """It is asked once a second, and is known to be gone after five: a condition of two seconds must not be faster."""
    deaf = room([(L, 10), (N, now - 10)])
    gone = [(10.0, now)] if now > 15 else []
    assert asked(SHORT, deaf, now, host=host(10.0, *gone)) is None
    assert asked(SHORT, deaf, now, host=host(now)) is not None


def test_a_host_that_answers_a_second_late_holds_the_brake_up_for_no_longer_than_that() -> None:
    deaf = room([(L, 10), (N, 20)])
    assert asked(SHORT, deaf, 13.5, host=host(12.4)) is not None


def test_who_lost_the_connection_has_lost_it_without_the_host() -> None:
    assert asked(SHORT, room([(L, 10), (O, 20)]), 25, host=host(25, (10, 25))) is not None


def test_listeners_that_start_anew_end_no_run() -> None:
    """What a new process tells before it has heard the host says something of us."""
    first = feed(spans("r0", [(L, 10)]), clock=10)
    again = feed(still=spans("r0", [(J, 14)], start=12), clock=26, boot="boot-2")
    assert asked(SHORT, timeline(first, again), 26) is None
    assert asked(SHORT, timeline(again), 26) is not None, "it has never been in: that is the room's"


def test_unknown_time_does_not_count_but_who_is_blind_ends_nothing() -> None:
    assert asked(DEAF, room([(Q, 30)], [(U, 30)]), 30, residents=2) is not None
    assert asked(DEAF, room([(Q, 30)], [(U, 30)], [(U, 30)]), 30, residents=3) is None
    assert asked(DEAF, room([(Q, 30)]), 30, residents=3) is None
    assert asked(DEAF, Timeline(), 30) is None


def test_the_seconds_that_no_pod_has_told_yet_are_not_waited_for() -> None:
    assert asked(DEAF, room([(L, 5), (Q, 20)]), 35, since=2) is not None


def test_a_probe_that_tells_late_blinds_no_short_condition() -> None:
    """As the real one does: what it says ends 0.7 s before the clock that it says it by."""
    short = AbortCondition(AUDIBLE_RATIO, below=0.1, seconds=1)
    late = timeline(feed(still=spans("r0", [(L, 5), (Q, 10)])[-1:], clock=15.7))
    assert asked(short, late, 15.7) is not None


def test_what_only_grows_must_have_been_beyond_the_bound_so_long_ago() -> None:
    condition = AbortCondition(LONGEST_DEAD_AIR, above=8, seconds=5)
    deaf = room([(L, 10), (Q, 20)])
    assert asked(condition, deaf, 22.9) is None
    finding = asked(condition, deaf, 23.5)
    assert finding is not None
    assert "8.5 s, above 8 s" in finding.message


@pytest.mark.parametrize(
    ("indicator", "above"),
    [(OUTAGE_COUNT, 0.0), (RECONNECTS, -1.0), (RECOVERY_TIME, 8.0)],
)
def test_counts_and_recovery_are_taken_from_the_fault_on(indicator: Indicator, above: float) -> None:
    condition = AbortCondition(indicator, above=above, seconds=5)
    assert asked(condition, room([(L, 10), (Q, 20)]), 30) is not None
    assert asked(AbortCondition(indicator, above=100, seconds=5), room([(L, 10), (Q, 20)]), 30) is None


def test_newcomers_can_end_a_run_too() -> None:
    timeline = room([(L, 30)])
    timeline.add(feed([], clock=31, arrivals=[arrival_json(f"a{index}", index, index + 5.0) for index in range(20)]))
    assert asked(AbortCondition(ARRIVAL_AUDIBLE, below=0.5, seconds=10), timeline, 30) is not None
    slow = asked(AbortCondition(TIME_TO_FIRST_AUDIO, above=3, seconds=10), timeline, 30)
    assert slow is not None
    assert "5 s, above 3 s" in slow.message


def test_a_newcomer_that_was_refused_has_waited_for_ever() -> None:
    timeline = room([(L, 30)])
    timeline.add(feed([], clock=31, arrivals=[arrival_json("a0", 25.0, 25.1, error="room is full")]))
    slow = asked(AbortCondition(TIME_TO_FIRST_AUDIO, above=3, seconds=10), timeline, 30)
    assert slow is not None
    assert "endless, above 3 s" in slow.message


def test_a_public_count_can_end_a_run_too_and_one_that_nobody_sampled_ends_nothing() -> None:
    condition = AbortCondition(COUNT_ERROR, above=100, seconds=10)
    well = room([(L, 30)])
    finding = asked(condition, well, 30, beside=showing(1400))
    assert finding is not None
    assert "CountError was 1399, above 100" in finding.message
    assert asked(condition, well, 30, beside=showing(2)) is None
    assert asked(condition, well, 30) is None


def test_without_newcomers_their_indicators_end_nothing() -> None:
    assert asked(AbortCondition(JOIN_SUCCESS, below=0.5, seconds=10), room([(L, 30)]), 30) is None


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"below": 0.1, "above": 0.2},
        {"below": math.nan},
        {"above": 1.0, "seconds": -1},
        {"above": 1.0, "seconds": math.inf},
    ],
)
def test_a_condition_without_one_plain_bound_is_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(BoundError, match="AudibleRatio"):
        AbortCondition(AUDIBLE_RATIO, **bounds)


@given(known_stories())
def test_asking_often_or_once_makes_no_difference(story: Story) -> None:
    often, once = room(story), room(story)
    for now in range(30):
        asked(DEAF, often, now)
    assert asked(DEAF, often, 30) == asked(DEAF, once, 30)
