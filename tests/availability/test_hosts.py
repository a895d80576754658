"""Hosts: what the managed host's own failures explain, and what they do not."""

from typing import Any

import pytest

from showstopper.availability import hosts, outages
from showstopper.availability.errors import FeedError
from showstopper.availability.feed import Arrival
from showstopper.availability.hosts import STARTED_ANEW, STOOD_STILL, UNANSWERED, Absence, HostLog, parse_host
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS
from showstopper.availability.indicators.listening import audible_ratio
from showstopper.availability.spans import State, Window
from showstopper.availability.tracks import View
from tests.availability.build import EPOCH, H, J, L, N, O, Q, U, view, window


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


def missed(start: float, end: float, why: str = STARTED_ANEW) -> Absence:
    return Absence(EPOCH + start, EPOCH + end, why)


def states(view: View) -> list[list[tuple[State, float]]]:
    return [[(span.state, round(span.seconds, 3)) for span in track.spans] for track in view.residents]


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


def test_what_listeners_missed_while_the_host_was_away_is_unknown() -> None:
    heard = view([(L, 20), (N, 3), (H, 2), (L, 35)], [(L, 20), (Q, 5), (L, 35)])
    told = hosts.excused(heard, [missed(19.8, 24)])
    assert states(told) == [[(L, 20), (U, 5), (L, 35)]] * 2
    assert outages.of_view(told) == []
    assert audible_ratio(told).value == 1.0
    assert audible_ratio(told).lower == pytest.approx(55 / 60), "nobody knows what the room would have done"


def test_a_lost_connection_is_not_the_hosts_doing() -> None:
    heard = view([(L, 20), (O, 3), (J, 2), (L, 35)])
    assert hosts.excused(heard, [missed(19.8, 25)]) == heard


def test_an_outage_of_others_while_somebody_hears_the_host_is_the_rooms() -> None:
    heard = view([(L, 20), (N, 10), (L, 30)], [(L, 60)])
    assert hosts.excused(heard, [missed(0, 60)]) == heard


def test_an_outage_at_another_time_is_the_rooms() -> None:
    heard = view([(L, 20), (N, 10), (L, 30)])
    assert hosts.excused(heard, [missed(40, 41)]) == heard
    assert states(hosts.excused(heard, [missed(20, 22)])) == [[(L, 20), (U, 4), (N, 6), (L, 30)]]


def test_a_host_that_stands_still_for_a_moment_in_an_outage_explains_nothing_of_it() -> None:
    heard = view([(L, 20), (N, 8), (J, 2), (L, 30)])
    assert hosts.excused(heard, [missed(24, 24.4, STOOD_STILL)]) == heard
    told = states(hosts.excused(heard, [missed(19.9, 20.4, STOOD_STILL)]))
    assert told == [[(L, 20), (U, 0.9), (N, 7.1), (J, 2), (L, 30)]], "it may have begun with that"


def newcomer(**events: float | None) -> Arrival:
    times = {name: None if at is None else EPOCH + at for name, at in events.items()}
    called, left = EPOCH + 20, EPOCH + 35
    return Arrival("a1", called, times["joined"], times["audio"], times["live"], left, "", left, left)


def test_a_newcomer_who_waited_for_a_host_that_was_away_neither_heard_it_nor_did_not() -> None:
    heard = View(window(0, 60), (), (), (newcomer(joined=20.5, audio=None, live=None),))
    told = hosts.excused(heard, [missed(19, 40)])
    assert ARRIVAL_AUDIBLE.measure(heard, None).value == 0.0
    assert ARRIVAL_AUDIBLE.measure(told, None).value is None
    assert JOIN_SUCCESS.measure(told, None).value == 1.0


def test_a_newcomer_who_heard_a_host_that_was_away_too_late_did_not_fail() -> None:
    heard = View(window(0, 60), (), (), (newcomer(joined=20.5, audio=26, live=26),))
    assert ARRIVAL_AUDIBLE.measure(heard, None).value == 0.0
    assert ARRIVAL_AUDIBLE.measure(hosts.excused(heard, [missed(19, 25)]), None).value is None
    in_time = View(window(0, 60), (), (), (newcomer(joined=20.5, audio=24, live=24),))
    assert ARRIVAL_AUDIBLE.measure(hosts.excused(in_time, [missed(19, 23)]), None).value == 1.0


def test_a_newcomer_whom_the_room_refused_is_refused_whoever_speaks() -> None:
    heard = View(window(0, 60), (), (), (newcomer(joined=None, audio=None, live=None),))
    assert hosts.excused(heard, [missed(19, 40)]) == heard


def test_many_absences_are_kept_as_few_that_cover_them_all() -> None:
    many = [missed(at, at + 0.5) for at in range(10)]
    few = hosts.bounded([*many, missed(50, 51)], 2)
    assert [(each.start - EPOCH, each.end - EPOCH) for each in few] == [(0, 9.5), (50, 51)]
    assert hosts.bounded([missed(1, 3), missed(2, 4)], 20) == [missed(1, 4)]
