import math

import pytest
from hypothesis import given

from showstopper.availability.abort import AbortCondition, breached
from showstopper.availability.errors import BoundError
from showstopper.availability.indicators import INDICATORS, Indicator, Recovery
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS, TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.indicator import Better
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECONNECTS
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.timeline import Timeline
from showstopper.availability.verdict import Finding
from tests.availability.build import EPOCH, L, Q, Story, U, arrival_json, feed, known_stories, row, spans, timeline

DEAF = AbortCondition(AUDIBLE_RATIO, below=0.1, seconds=10)


def room(*stories: Story) -> Timeline:
    length = sum(seconds for _, seconds in stories[0])
    return timeline(
        feed([span for index, story in enumerate(stories) for span in spans(f"r{index}", story)], clock=length)
    )


def asked(
    condition: AbortCondition, found: Timeline, now: float, since: float = 0.0, residents: int = 1
) -> Finding | None:
    return breached(condition, found, residents, since=EPOCH + since, now=EPOCH + now, recovery=Recovery(EPOCH + since))


def test_a_share_must_have_been_beyond_the_bound_for_as_long_as_the_condition_says() -> None:
    deaf = room([(L, 10), (Q, 20)])
    assert asked(DEAF, deaf, 18) is None
    found = asked(DEAF, deaf, 19.5)
    assert found is not None
    assert found.reason == "AbortIf"
    assert found.message == "AudibleRatio was 5 %, below 10 %, for 10 s: the run was ended early"


@pytest.mark.parametrize("indicator", [indicator for indicator in INDICATORS if indicator.trailing], ids=str)
def test_a_condition_without_for_fires_for_every_indicator_that_is_taken_over_the_last_seconds(
    indicator: Indicator,
) -> None:
    sick = room([(L, 10), (Q, 20)])
    worst = [row(start, start + 2.0, lost=50.0, concealed=48_000.0, jitter=1.0, delay=3.0) for start in range(0, 30, 2)]
    deaf = [arrival_json(f"a{index}", index, index + 4.9, error="timeout") for index in range(30)]
    sick.add(feed([], clock=30, arrivals=deaf, statistics=worst))
    bound = {"below": 0.1} if indicator.better is Better.HIGHER else {"above": 0.01}
    assert asked(AbortCondition(indicator, **bound), sick, 30) is not None


def test_without_for_the_last_five_seconds_count() -> None:
    at_once = AbortCondition(AUDIBLE_RATIO, below=0.1)
    deaf = room([(L, 10), (Q, 20)])
    assert asked(at_once, deaf, 14.4) is None
    found = asked(at_once, deaf, 14.6)
    assert found is not None
    assert found.message == "AudibleRatio was 8 %, below 10 %, for 5 s: the run was ended early"


def test_nothing_before_the_fault_counts() -> None:
    deaf = room([(Q, 30)])
    assert asked(DEAF, deaf, 24, since=15) is None
    assert asked(DEAF, deaf, 25, since=15) is not None


def test_a_room_that_is_well_is_not_ended() -> None:
    assert asked(DEAF, room([(L, 30)]), 30) is None


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
    found = asked(condition, deaf, 23.5)
    assert found is not None
    assert "8.5 s, above 8 s" in found.message


@pytest.mark.parametrize(
    ("indicator", "above"),
    [(OUTAGE_COUNT, 0.0), (RECONNECTS, -1.0), (RECOVERY_TIME, 8.0)],
)
def test_counts_and_recovery_are_taken_from_the_fault_on(indicator: Indicator, above: float) -> None:
    condition = AbortCondition(indicator, above=above, seconds=5)
    assert asked(condition, room([(L, 10), (Q, 20)]), 30) is not None
    assert asked(AbortCondition(indicator, above=100, seconds=5), room([(L, 10), (Q, 20)]), 30) is None


def test_newcomers_can_end_a_run_too() -> None:
    found = room([(L, 30)])
    found.add(feed([], clock=31, arrivals=[arrival_json(f"a{index}", index, index + 5.0) for index in range(20)]))
    assert asked(AbortCondition(ARRIVAL_AUDIBLE, below=0.5, seconds=10), found, 30) is not None
    slow = asked(AbortCondition(TIME_TO_FIRST_AUDIO, above=3, seconds=10), found, 30)
    assert slow is not None
    assert "5 s, above 3 s" in slow.message


def test_a_newcomer_that_was_refused_has_waited_for_ever() -> None:
    found = room([(L, 30)])
    found.add(feed([], clock=31, arrivals=[arrival_json("a0", 25.0, 25.1, error="room is full")]))
    slow = asked(AbortCondition(TIME_TO_FIRST_AUDIO, above=3, seconds=10), found, 30)
    assert slow is not None
    assert "endless, above 3 s" in slow.message


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
