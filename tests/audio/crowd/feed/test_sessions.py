import math

from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.feed.sessions import Sessions
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


STALL = (113.0, 130.5)


def test_without_a_socket_of_our_own_it_is_unknown_until_it_is_in_or_the_room_refuses_it() -> None:
    sessions = Sessions(1, 100.0)
    for at, refusal in ((101.0, Refusal.INSTRUMENT), (102.0, Refusal.INSTRUMENT), (103.0, Refusal.UNREACHABLE)):
        sessions.take(Entry(at, 0, Event.REFUSED, refusal))
    assert sessions.without(0) == [
        (100.0, 101.0, State.JOINING),
        (101.0, 102.0, State.UNKNOWN),
        (102.0, 103.0, State.UNKNOWN),
        (103.0, math.inf, State.OFFLINE),
    ]
    assert sessions.refused == {Refusal.INSTRUMENT: 2, Refusal.UNREACHABLE: 1}


def test_who_is_lost_after_we_stood_still_is_unknown_from_then_on() -> None:
    """The relay gave the session up. A room that has no place for all who come back at once is our doing, too."""
    sessions = Sessions(1, 100.0)
    sessions.take(Entry(101.0, 0, Event.JOINED))
    sessions.take(Entry(131.0, 0, Event.LOST, Loss.SIGNALLING_CLOSED), [(50.0, 52.0), STALL])
    assert sessions.without(0) == [(100.0, 101.0, State.JOINING), (130.5, math.inf, State.UNKNOWN)]
    sessions.take(Entry(132.0, 0, Event.REFUSED, Refusal.UNAVAILABLE), [STALL])
    sessions.take(Entry(152.0, 0, Event.REFUSED, Refusal.UNAVAILABLE), [STALL])
    assert sessions.without(0)[-2:] == [(130.5, 152.0, State.UNKNOWN), (152.0, math.inf, State.OFFLINE)]
    assert sessions.lost == {Loss.INSTRUMENT: 1}
    assert sessions.refused == {Refusal.INSTRUMENT: 1, Refusal.UNAVAILABLE: 1}


def test_what_no_stall_can_do_is_the_room_s() -> None:
    sessions = Sessions(2, 100.0)
    for slot, reason in ((0, Loss.NONSENSE), (1, Loss.SIGNALLING_CLOSED)):
        sessions.take(Entry(101.0, slot, Event.JOINED))
        sessions.take(Entry(131.0, slot, Event.LOST, reason), [STALL] if slot == 0 else [(101.0, 110.9)])
        assert sessions.without(slot)[-1] == (131.0, math.inf, State.JOINING)
    sessions.take(Entry(132.0, 0, Event.REFUSED, Refusal.UNREACHABLE), [STALL])
    assert sessions.without(0)[-1] == (132.0, math.inf, State.OFFLINE)


def test_what_was_over_is_forgotten_and_what_goes_on_is_not() -> None:
    sessions = Sessions(1, 100.0)
    sessions.take(Entry(101.0, 0, Event.JOINED))
    sessions.take(Entry(110.0, 0, Event.LOST))
    sessions.forget(0, 105.0)
    assert sessions.without(0) == [(110.0, math.inf, State.JOINING)]
