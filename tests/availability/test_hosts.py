"""Hosts: what the managed host's own failures explain, and what they do not."""

from typing import Any

import pytest

from showstopper.availability import hosts
from showstopper.availability.errors import FeedError
from showstopper.availability.hosts import STARTED_ANEW, STOOD_STILL, UNANSWERED, HostLog, parse_host
from showstopper.availability.spans import Window
from tests.availability.build import EPOCH, away, window


def document(boot: str = "one", *, at: float, started: float = 0.0, **more: Any) -> dict[str, Any]:
    """What a host says at `at`, on a clock that begins at the epoch."""
    clock = {"monotonic": at, "wall": EPOCH + at}
    return {"boot": boot, "clock": clock, "startedAt": started, "holdUntil": started + 3, "stalls": [], **more}


def log(*documents: dict[str, Any]) -> HostLog:
    made = HostLog()
    for each in documents:
        made.add(parse_host(each, "host", EPOCH, 0.001))
    return made


def gaps(log: HostLog, whole: Window, **more: Any) -> list[tuple[float, float, str]]:
    return [
        (round(each.start - EPOCH, 3), round(each.end - EPOCH, 3), each.why) for each in log.absences(whole, **more)
    ]


def test_each_process_has_its_own_clock_and_says_since_when() -> None:
    first = {**document(at=29), "clock": {"monotonic": 29.0, "wall": EPOCH + 29.25}}
    answers = log(first, document("two", at=60, started=31))
    assert [(clock.since - EPOCH, round(clock.ahead, 6)) for clock in answers.clocks] == [(0.0, 0.25), (31.0, 0.0)]
    assert all(0.001 <= clock.uncertainty < 0.002 for clock in answers.clocks)
    assert answers.ahead == 0


def test_a_process_that_answers_throughout_was_there() -> None:
    assert gaps(log(document(at=20), document(at=59)), window(10, 60)) == []


def test_a_new_process_was_away_from_the_last_word_of_the_old_one_to_the_end_of_its_hold_music() -> None:
    answers = log(document(at=29), document("two", at=60, started=31, holdUntil=34.5))
    assert gaps(answers, window(10, 60)) == [(29, 34.5, STARTED_ANEW)]


def test_a_new_process_that_the_room_has_not_taken_yet_is_still_away() -> None:
    assert gaps(log(document(at=29), document("two", at=60, started=31, holdUntil=None)), window(10, 60)) == [
        (29, 60, STARTED_ANEW)
    ]


def test_a_host_that_falls_silent_is_away_from_its_last_word() -> None:
    assert gaps(log(document(at=29)), window(10, 60)) == [(29, 60, UNANSWERED)]
    assert gaps(log(document(at=56)), window(10, 60)) == [], "it may owe an answer, and be well"


def test_a_host_that_never_answered_is_not_known_to_have_been_there() -> None:
    assert gaps(log(), window(10, 60)) == [(10, 60, UNANSWERED)]


def test_who_remembers_the_last_word_of_the_process_before_knows_when_it_went() -> None:
    answers = log(document("two", at=60, started=31, holdUntil=34))
    assert gaps(answers, window(10, 60)) == [(10, 34, STARTED_ANEW)]
    assert gaps(answers, window(10, 60), seen=EPOCH + 29) == [(29, 34, STARTED_ANEW)]


def test_a_process_tells_when_it_stood_still() -> None:
    answers = log(document(at=60, stalls=[{"from": 5, "to": 6}, {"from": 20, "to": 20.7}]))
    assert gaps(answers, window(10, 60)) == [(20, 20.7, STOOD_STILL)]


def test_a_host_of_another_version_is_refused_by_the_field_that_it_lacks() -> None:
    with pytest.raises(FeedError, match="boot"):
        parse_host({"clock": {"monotonic": 1.0, "wall": 1.0}}, "host", 0.0, 0.0)


def test_many_absences_are_kept_as_few_that_cover_them_all() -> None:
    many = [away(at, at + 0.5) for at in range(10)]
    few = hosts.bounded([*many, away(50, 51)], 2)
    assert [(each.start - EPOCH, each.end - EPOCH) for each in few] == [(0, 9.5), (50, 51)]
    assert hosts.bounded([away(1, 3), away(2, 4)], 20) == [away(1, 4)]
