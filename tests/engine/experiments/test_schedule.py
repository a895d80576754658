"""When a schedule fires: read by a library, bounded by a deadline, never twice."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.schema.cron import CRON_PATTERN, MACROS
from showstopper.availability.verdict import Finding
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.experiments.schedule import STARTING_DEADLINE, Firing, Schedule, fire, stamp
from tests.support import build

DAILY = Schedule("0 3 * * *")
CRONS = [
    "* * * * *",
    "*/7 * * * *",
    "0 3 * * *",
    "30 2 * * *",
    "15 */5 * * 1-5",
    "0 0 1,15 * *",
    "0 12 29 2 *",
    "@hourly",
]
ZONES = ["UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
schedule = st.builds(Schedule, st.sampled_from(CRONS), st.sampled_from(ZONES))
# Ten years around the present, with all their clock changes.
moments = st.integers(
    int(datetime(2021, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2031, 1, 1, tzinfo=UTC).timestamp())
)
fractions = st.floats(0, 0.999)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@given(schedule, moments, fractions)
def test_the_next_firing_comes_later_and_is_a_whole_minute(schedule: Schedule, moment: int, fraction: float) -> None:
    following = schedule.after(moment + fraction)
    assert following > moment + fraction - 1
    assert following > moment
    assert following % 60 == 0


@given(schedule, moments, fractions)
def test_back_and_forth_agree(schedule: Schedule, moment: int, fraction: float) -> None:
    now = moment + fraction
    last = schedule.until(now)
    assert last <= now
    assert schedule.after(last) > now, "there is no firing between the last one and now"
    assert schedule.until(last) == last, "a firing is its own last one"
    assert schedule.after(schedule.after(last)) > schedule.after(last)


def test_half_a_second_before_a_firing_it_has_not_come() -> None:
    moment = at("2026-03-01T03:00Z")
    assert DAILY.until(moment - 0.5) == at("2026-02-28T03:00Z")
    assert DAILY.until(moment) == DAILY.until(moment + 0.5) == moment


@given(schedule, moments)
def test_a_schedule_that_is_new_has_missed_nothing(schedule: Schedule, now: int) -> None:
    assert fire(schedule, None, now) == Firing(None, None, schedule.after(now))


@given(schedule, moments, st.integers(0, 10**7), st.integers(1, 86_400))
def test_of_all_that_was_missed_at_most_the_last_is_made_up_for(
    schedule: Schedule, before: int, away: int, patience: int
) -> None:
    schedule = Schedule(schedule.cron, schedule.zone, timedelta(seconds=patience))
    planned, now = schedule.after(before), before + away
    firing = fire(schedule, planned, now)
    assert firing.next > now or firing.next == planned
    if now < planned:
        assert firing == Firing(None, None, planned)
        return
    assert (firing.due is None) != (firing.missed is None), "it is made up for, or said to be missed"
    last = firing.due or firing.missed
    assert last is not None
    assert planned <= last <= now < schedule.after(last)
    assert (firing.due is not None) == (now - last <= patience)


@given(schedule, moments)
def test_exactly_then_it_is_due(schedule: Schedule, before: int) -> None:
    planned = schedule.after(before)
    assert fire(schedule, planned, planned).due == planned
    assert fire(schedule, planned, planned - 0.001).due is None


def test_a_late_start_is_bounded() -> None:
    planned, late = at("2026-03-01T03:00Z"), STARTING_DEADLINE.total_seconds()
    following = at("2026-03-02T03:00Z")
    assert fire(DAILY, planned, planned + late) == Firing(planned, None, following)
    assert fire(DAILY, planned, planned + late + 0.1) == Firing(None, planned, following)


def test_an_operator_that_was_away_for_a_year_is_not_kept_busy_by_it() -> None:
    minutely = Schedule("* * * * *")
    planned = at("2025-01-01T00:00Z")
    now = at("2026-01-01T00:00:30Z")
    assert fire(minutely, planned, now) == Firing(now - 30, None, now + 30)


@pytest.mark.parametrize(
    ("cron", "zone", "moment", "following"),
    [
        ("0 3 * * *", "UTC", "2026-07-01T03:00Z", "2026-07-02T03:00Z"),
        ("0 3 * * *", "Europe/Zurich", "2026-07-01T00:00Z", "2026-07-01T01:00Z"),
        ("0 3 * * *", "Europe/Zurich", "2026-12-01T00:00Z", "2026-12-01T02:00Z"),
        # An hour that is left out in spring: once, as soon as there is a time again. One that comes twice: once.
        ("30 2 * * *", "Europe/Zurich", "2026-03-28T12:00Z", "2026-03-29T01:00Z"),
        ("30 2 * * *", "Europe/Zurich", "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        ("30 2 * * *", "Europe/Zurich", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
        ("@weekly", "UTC", "2026-07-01T00:00Z", "2026-07-05T00:00Z"),
        ("0 12 * JAN-mar Mon", "UTC", "2026-07-01T00:00Z", "2027-01-04T12:00Z"),
    ],
)
def test_examples(cron: str, zone: str, moment: str, following: str) -> None:
    assert stamp(Schedule(cron, zone).after(at(moment))) == stamp(at(following))


def test_an_experiment_without_a_schedule_has_none() -> None:
    assert schedules.of(build.experiment().spec) is None


def test_defaults_are_those_that_are_documented() -> None:
    assert schedules.of(build.experiment(schedule="@daily").spec) == Schedule("@daily", "UTC", timedelta(minutes=5))


def test_all_of_it_is_read() -> None:
    spec = build.experiment(schedule="0 3 * * *", timeZone="Asia/Tokyo", startingDeadline="1h").spec
    assert schedules.of(spec) == Schedule("0 3 * * *", "Asia/Tokyo", timedelta(hours=1))


@given(st.from_regex(re.compile(f"^({CRON_PATTERN})$", re.ASCII), fullmatch=True))
def test_what_the_api_takes_can_be_read_or_is_refused(cron: str) -> None:
    schedule_or_finding = schedules.of(build.experiment(schedule="@daily").spec.model_copy(update={"schedule": cron}))
    assert isinstance(schedule_or_finding, Schedule | Finding)
    if isinstance(schedule_or_finding, Schedule):
        assert schedule_or_finding.after(0) > 0
    else:
        assert schedule_or_finding.message.startswith(f'schedule "{cron}"')


@pytest.mark.parametrize("macro", MACROS)
def test_every_macro_is_known(macro: str) -> None:
    assert isinstance(schedules.of(build.experiment(schedule=macro).spec), Schedule)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"schedule": "0 3 * * 5-1"}, "never fires (Bad day-of-week): write ranges upwards, and days that"),
        ({"schedule": "0 3 30 2 *"}, 'schedule "0 3 30 2 *" never fires'),
        ({"schedule": "0 3 31 4,6 *"}, "days that their months have"),
        ({"schedule": "@daily", "timeZone": "Europe/Zurch"}, 'did you mean "Europe/Zurich"?'),
        (
            {"schedule": "@daily", "timeZone": "Local"},
            'there is no time zone "Local": write a name of the IANA database',
        ),
        ({"schedule": "@daily", "timeZone": "America"}, 'there is no time zone "America"'),
    ],
)
def test_what_a_pattern_cannot_know_is_found_and_says_what_to_write(spec: dict[str, Any], says: str) -> None:
    finding = schedules.of(build.experiment(**spec).spec)
    assert isinstance(finding, Finding)
    assert finding.reason == "InvalidSchedule"
    assert says in finding.message
