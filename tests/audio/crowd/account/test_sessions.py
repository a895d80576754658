import math

from showstopper.audio.crowd.account.sessions import Sessions
from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.availability.spans import State


def test_who_comes_is_joining_until_it_is_in() -> None:
    sessions = Sessions(2, 100.0)
    assert sessions.without(0) == [(100.0, math.inf, State.JOINING)]
    sessions.take(Entry(102.0, 0, Event.JOINED))
    assert sessions.without(0) == [(100.0, 102.0, State.JOINING)]
    assert sessions.without(1) == [(100.0, math.inf, State.JOINING)]


def test_who_is_lost_is_joining_and_who_is_refused_is_offline_until_it_is_in_again() -> None:
    sessions = Sessions(1, 100.0)
    for entry in (
        Entry(101.0, 0, Event.JOINED),
        Entry(110.0, 0, Event.LOST, Loss.SIGNALLING_CLOSED),
        Entry(111.0, 0, Event.REFUSED, Refusal.UNREACHABLE),
        Entry(113.0, 0, Event.REFUSED, Refusal.UNREACHABLE),
        Entry(114.0, 0, Event.RESUMED),
    ):
        sessions.take(entry)
    assert sessions.without(0) == [
        (100.0, 101.0, State.JOINING),
        (110.0, 111.0, State.JOINING),
        (111.0, 113.0, State.OFFLINE),
        (113.0, 114.0, State.OFFLINE),
    ]
    assert sessions.refused == {Refusal.UNREACHABLE: 2}
    assert sessions.lost == {Loss.SIGNALLING_CLOSED: 1}


def test_what_was_over_is_forgotten_and_what_goes_on_is_not() -> None:
    sessions = Sessions(1, 100.0)
    sessions.take(Entry(101.0, 0, Event.JOINED))
    sessions.take(Entry(110.0, 0, Event.LOST))
    sessions.forget(0, 105.0)
    assert sessions.without(0) == [(110.0, math.inf, State.JOINING)]
