"""Excuses: what a managed host's own failures explain of what listeners missed, and what they do not."""

import math
from dataclasses import replace

import pytest

from showstopper.availability import excuses, outages
from showstopper.availability.feed import Arrival
from showstopper.availability.hosts import STOOD_STILL
from showstopper.availability.indicators import arriving
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS, TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.listening import LONGEST_DEAD_AIR, audible_ratio
from showstopper.availability.spans import Kind, State
from showstopper.availability.tracks import View, arrival_track, resident_track, unfinished_call
from tests.availability.build import EPOCH, H, J, L, N, O, Q, U, away, spans, view, window


def states(view: View) -> list[list[tuple[State, float]]]:
    return [[(span.state, round(span.seconds, 3)) for span in track.spans] for track in view.residents]


def test_what_listeners_missed_while_the_host_was_away_is_unknown() -> None:
    heard = view([(L, 20), (N, 3), (H, 2), (L, 35)], [(L, 20), (Q, 5), (L, 35)])
    told = excuses.excused(heard, [away(19.8, 24)])
    assert states(told) == [[(L, 20), (U, 5), (L, 35)]] * 2
    assert outages.of_view(told) == []
    assert audible_ratio(told).value == 1.0
    assert audible_ratio(told).lower == pytest.approx(55 / 60), "nobody knows what the room would have done"


def test_a_lost_connection_is_not_the_hosts_doing() -> None:
    heard = view([(L, 20), (O, 3), (J, 2), (L, 35)])
    assert excuses.excused(heard, [away(19.8, 25)]) == heard


def test_an_outage_of_others_while_somebody_hears_the_host_is_the_rooms() -> None:
    heard = view([(L, 20), (N, 10), (L, 30)], [(L, 60)])
    assert excuses.excused(heard, [away(0, 60)]) == heard


def test_an_outage_at_another_time_is_the_rooms() -> None:
    heard = view([(L, 20), (N, 10), (L, 30)])
    assert excuses.excused(heard, [away(40, 41)]) == heard
    assert states(excuses.excused(heard, [away(20, 22)])) == [[(L, 20), (U, 4), (N, 6), (L, 30)]]


def test_a_host_that_stands_still_for_a_moment_in_an_outage_explains_nothing_of_it() -> None:
    heard = view([(L, 20), (N, 8), (J, 2), (L, 30)])
    assert excuses.excused(heard, [away(24, 24.4, STOOD_STILL)]) == heard
    told = states(excuses.excused(heard, [away(19.9, 20.4, STOOD_STILL)]))
    assert told == [[(L, 20), (U, 0.9), (N, 7.1), (J, 2), (L, 30)]], "it may have begun with that"


def test_a_host_that_was_cut_off_on_purpose_explains_nothing_by_what_else_befalls_it() -> None:
    """A host without a way to the room tries to join for ever, and may stand still over it."""
    heard = view([(L, 20), (N, 15), (L, 25)])
    long = away(24, 28, STOOD_STILL)
    assert states(excuses.excused(heard, [long])) == [[(L, 20), (N, 4), (U, 4.5), (N, 6.5), (L, 25)]]
    assert excuses.excused(heard, [long], [window(20, 34)]) == heard


def test_what_a_host_does_beside_being_cut_off_is_an_absence_as_ever() -> None:
    heard = view([(L, 20), (N, 15), (L, 25)])
    for absence, cut_off in (
        (away(19, 24), window(20, 34)),  # it went before
        (away(30, 36), window(20, 31)),  # and is still away when it could be heard again
        (away(24, 28), window(40, 50)),
    ):
        assert excuses.excused(heard, [absence], [cut_off]) == excuses.excused(heard, [absence]) != heard


def test_a_host_that_stands_still_after_the_window_explains_nothing_of_an_outage_around_that() -> None:
    whole = spans("r0", [(L, 20), (N, 15), (L, 5)])
    track = resident_track("r0", whole, window(0, 30), until=EPOCH + 40)
    told = excuses.excused(View(window(0, 30), (track,), following=10), [away(31, 31.4, STOOD_STILL)])
    assert LONGEST_DEAD_AIR.measure(told, None).lower == pytest.approx(15)
    explained = excuses.excused(View(window(0, 30), (track,), following=10), [away(34.5, 34.9, STOOD_STILL)])
    assert LONGEST_DEAD_AIR.measure(explained, None).lower == pytest.approx(14.5)


def test_a_newcomer_that_was_lost_sight_of_while_the_host_was_away_hides_no_outage_without_end() -> None:
    whole = spans("a1", [(J, 1), (L, 9), (Q, 2)], start=10, kind=Kind.ARRIVAL)
    track = arrival_track(unfinished_call("a1", whole), whole, window(0, 60))
    assert track is not None
    lost = View(window(0, 60), (), (track,))
    assert LONGEST_DEAD_AIR.measure(lost, None).upper == math.inf, "nobody saw the end of an outage that was seen"
    assert LONGEST_DEAD_AIR.measure(excuses.excused(lost, [away(20, 24)]), None).upper == pytest.approx(2)
    at_the_end = arrival_track(unfinished_call("a1", whole), whole, window(0, 22))
    assert at_the_end is not None
    still_in = View(window(0, 22), (), (at_the_end,))
    assert LONGEST_DEAD_AIR.measure(excuses.excused(still_in, [away(20, 21)]), None).upper == math.inf


def newcomer(**events: float | None) -> Arrival:
    times = {name: None if at is None else EPOCH + at for name, at in events.items()}
    called, left = EPOCH + 20, EPOCH + 35
    return Arrival("a1", called, times["joined"], times["audio"], times["live"], left, "", left, left)


def test_a_newcomer_who_waited_for_a_host_that_was_away_neither_heard_it_nor_did_not() -> None:
    heard = View(window(0, 60), (), (), (newcomer(joined=20.5, audio=None, live=None),))
    told = excuses.excused(heard, [away(19, 40)])
    assert ARRIVAL_AUDIBLE.measure(heard, None).value == 0.0
    assert ARRIVAL_AUDIBLE.measure(told, None).value is None
    assert JOIN_SUCCESS.measure(told, None).value == 1.0


def test_a_newcomer_who_heard_a_host_that_was_away_too_late_did_not_fail() -> None:
    heard = View(window(0, 60), (), (), (newcomer(joined=20.5, audio=26, live=26),))
    assert ARRIVAL_AUDIBLE.measure(heard, None).value == 0.0
    assert ARRIVAL_AUDIBLE.measure(excuses.excused(heard, [away(19, 25)]), None).value is None
    in_time = View(window(0, 60), (), (), (newcomer(joined=20.5, audio=24, live=24),))
    assert ARRIVAL_AUDIBLE.measure(excuses.excused(in_time, [away(19, 23)]), None).value == 1.0


@pytest.mark.parametrize("end", [22.0, 23.9])
def test_a_newcomer_who_heard_a_host_that_was_away_in_the_next_window_hides_nothing_of_this_one(end: float) -> None:
    call = newcomer(joined=20.5, audio=24, live=24)
    this, following = (
        excuses.excused(View(each, (), (), (call,)), [away(19, 21)]) for each in (window(0, end), window(end, 60))
    )
    assert ARRIVAL_AUDIBLE.measure(this, None).reason == arriving.NO_CALL
    assert [arriving.fate_in_time(each, each.first_live, this.window) for each in this.calls] == [None]
    assert ARRIVAL_AUDIBLE.measure(following, None).value == 1.0
    assert TIME_TO_FIRST_AUDIO.measure(this, None).lower == pytest.approx(0.5), "the rest is the host's"


def test_a_newcomer_who_joined_when_the_host_was_back_waited_for_the_room_alone() -> None:
    heard = View(window(0, 60), (), (), (newcomer(joined=22.5, audio=None, live=None),))
    assert excuses.excused(heard, [away(20.5, 21, STOOD_STILL)]) == heard


def test_a_newcomer_waits_for_the_room_until_it_has_joined_whoever_speaks() -> None:
    late = View(window(0, 60), (), (), (newcomer(joined=26, audio=None, live=None),))
    told = excuses.excused(late, [away(19, 40)])
    assert JOIN_SUCCESS.measure(told, None).value == 0.0
    assert ARRIVAL_AUDIBLE.measure(told, None).value == 0.0
    assert TIME_TO_FIRST_AUDIO.measure(told, None).lower == pytest.approx(6.0)


def test_a_newcomer_whom_the_room_refused_is_refused_whoever_speaks() -> None:
    heard = View(window(0, 60), (), (), (newcomer(joined=None, audio=None, live=None),))
    assert excuses.excused(heard, [away(19, 40)]) == heard


def test_what_was_not_known_of_a_newcomer_anyway_a_host_that_is_away_makes_no_surer() -> None:
    """Our own process stood still while it joined, which made it late."""
    hidden = replace(newcomer(joined=27, audio=32, live=32), sure_until=EPOCH + 22)
    (told,) = excuses.excused(View(window(0, 60), (), (), (hidden,)), [away(25, 31)]).calls
    assert told.sure_until == EPOCH + 22
    assert arriving.fate_in_time(told, told.joined, window(0, 60)) is arriving.CallOutcome.LOST
