"""What is told of newcomers: what the room did to them, and never what our own process did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.diary import Visit
from showstopper.audio.crowd.feed.settling import Settling
from showstopper.audio.crowd.feed.visits import GLIMPSE_SECONDS
from showstopper.audio.crowd.ledger import Stretch
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.crowd.stalls import AFTERMATH_SECONDS
from showstopper.availability.feed import Arrival
from showstopper.availability.indicators.arriving import CallOutcome, fate_in_time
from showstopper.availability.spans import State, Window
from tests.audio.crowd.feed.records import PlayedListeners

LAG = 5.0
BEGAN = 100.0


class Show:
    """A crowd of one, with places for newcomers, whose time a test moves."""

    def __init__(self, places: int = 3) -> None:
        self.swept = PlayedListeners(1, places)
        self._settling = Settling(self.swept, LAG, BEGAN)

    def until(self, settled: float) -> list[Arrival]:
        """Settle up to that time. Returns the visits that are over by then, as far as they were not told before."""
        self.swept.swept_at = settled + LAG
        assert self._settling.settle() is not None
        over, self._settling.over = self._settling.over, []
        return over

    @property
    def refused(self) -> dict[str, int]:
        return dict(self._settling.sessions.refused)

    @property
    def under_way(self) -> tuple[Arrival, ...]:
        return self._settling.under_way


@pytest.fixture
def show() -> Show:
    return Show()


def well(show: Show, called: float, stay: float = 8.0, slot: int = 1) -> Visit:
    """A newcomer who joins in half a second, and hears the host from the first packet on."""
    visit = show.swept.comes(called, slot, f"a{called:g}")
    visit.joined, visit.left = called + 0.5, called + stay
    show.swept.hears(slot, called + 0.75, called + stay)
    return visit


def test_a_visit_is_told_as_it_goes_on_and_for_good_when_it_is_over(show: Show) -> None:
    visit = well(show, 101.0)
    assert show.until(100.5) == []
    assert not show.under_way, "nothing is told before its time"
    assert show.until(101.25) == []
    (waiting,) = show.under_way
    assert (waiting.listener, waiting.called, waiting.joined) == ("main-stage-crowd-0/a101", 101.0, None)
    assert (waiting.left, waiting.seen_until, waiting.sure_until) == (None, 101.25, 101.25)
    assert show.until(103.0) == []
    (hearing,) = show.under_way
    assert (hearing.joined, hearing.first_audio, hearing.first_live) == (101.5, 101.75, 101.75)
    assert (hearing.left, hearing.seen_until, hearing.sure_until) == (None, 103.0, 103.0)
    (over,) = show.until(110.0)
    assert (over.left, over.seen_until, over.sure_until, over.error) == (109.0, 109.0, 109.0, "")
    assert (over.joined, over.first_audio, over.first_live) == (101.5, 101.75, 101.75)
    assert show.under_way == ()
    assert show.swept.vacated == [visit]
    assert show.until(111.0) == []
    assert not over.followed


def test_newcomers_are_no_listeners_of_the_crowd(show: Show) -> None:
    well(show, 101.0)
    show.swept.joined(0, BEGAN)
    show.swept.hears(0, BEGAN, 120.0)
    show.swept.ledger.pauses.append(Stretch(1, 102.0, 103.0))
    show.swept.ledger.silences.append(Stretch(1, 103.0, 104.0))
    show.swept.swept_at = 110.0 + LAG
    turn = show._settling.settle()
    assert turn is not None
    assert {change.slot for change in turn[0]} == {0}
    assert sum(turn[1].seconds.values()) == pytest.approx(10.0)


def test_who_comes_into_a_place_has_nothing_of_who_was_there_before(show: Show) -> None:
    well(show, 101.0)
    show.until(110.0)
    show.swept.ledger.vacate(1)
    again = show.swept.comes(115.0, 1, "a2")
    again.joined, again.left = 115.5, 123.0
    (over,) = show.until(124.0)
    assert (over.joined, over.first_audio, over.first_live, over.sure_until) == (115.5, None, None, 123.0)


def refused(show: Show, reason: str, words: str = "HTTP 503", took: float = 2.0) -> Visit:
    visit = show.swept.comes(101.0)
    visit.left, visit.ended, visit.error = 101.0 + took, reason, words
    return visit


def test_who_was_refused_is_told_with_the_reason(show: Show) -> None:
    refused(show, Refusal.UNAVAILABLE)
    (over,) = show.until(105.0)
    assert (over.joined, over.first_live, over.left, over.error) == (None, None, 103.0, "HTTP 503")
    assert over.sure_until == 103.0
    assert fate_in_time(over, over.joined, Window(100.0, 110.0)) is CallOutcome.FAILED
    assert show.refused == {Refusal.UNAVAILABLE: 1}


@pytest.mark.parametrize(
    ("reason", "stalls", "sure_until"),
    [
        (Refusal.INSTRUMENT, [], 101.0),
        (Refusal.TIMED_OUT, [(101.5, 102.75)], 101.5),
        (Refusal.TIMED_OUT, [(99.0, 101.25)], 101.0),
        (Loss.PING_TIMEOUT, [(101.5, 102.75)], 101.5),
    ],
    ids=["no sockets", "stood still", "stood still when it called", "lost"],
)
def test_what_our_own_process_may_have_done_is_no_refusal(
    show: Show, reason: str, stalls: list[tuple[float, float]], sure_until: float
) -> None:
    refused(show, reason)
    show.swept.stalls.extend(stalls)
    show.swept.blind.extend(stalls)
    (over,) = show.until(105.0)
    assert (over.left, over.sure_until) == (103.0, sure_until)
    assert show.refused == {Refusal.INSTRUMENT: 1}
    assert fate_in_time(over, over.joined, Window(100.0, 110.0)) is CallOutcome.LOST


@pytest.mark.parametrize(("ended", "sure_until"), [(100.0, 101.0), (103.0 - AFTERMATH_SECONDS, 103.0)])
def test_after_a_stall_those_who_stay_may_come_back_all_at_once(show: Show, ended: float, sure_until: float) -> None:
    refused(show, Refusal.TIMED_OUT)
    show.swept.stalls.append((ended - 2.0, ended))
    show.swept.blind.append((ended - 2.0, ended))
    (over,) = show.until(105.0)
    assert (over.left, over.sure_until) == (103.0, sure_until)


def test_a_stall_excuses_nothing_that_a_room_does_to_nobody_for_being_slow(show: Show) -> None:
    refused(show, Refusal.UNAUTHORIZED)
    show.swept.stalls.append((98.0, 100.0))
    (over,) = show.until(105.0)
    assert over.sure_until == over.left == 103.0


def test_the_end_of_a_join_may_be_noticed_after_the_first_packet(show: Show) -> None:
    visit = show.swept.comes(101.0)
    visit.joined, visit.left = 102.25, 109.0
    show.swept.hears(1, 102.0, 109.0)
    show.until(102.125)
    (hearing,) = show.under_way
    assert (hearing.joined, hearing.first_live) == (None, 102.0)
    (over,) = show.until(110.0)
    assert (over.joined, over.first_live) == (102.25, 102.0)


def waits(show: Show, first_live: float | None, left: float = 112.0) -> Visit:
    """A newcomer who has packets of the hold music a second after its call, and may hear the host later."""
    visit = show.swept.comes(101.0)
    visit.joined, visit.left = 101.5, left
    until = left if first_live is None else first_live
    show.swept.hears(1, 102.0, until, State.HOLD)
    if first_live is not None:
        show.swept.hears(1, first_live, left)
    return visit


def test_who_hears_hold_music_is_sure_never_to_have_heard_the_host(show: Show) -> None:
    waits(show, None)
    (over,) = show.until(113.0)
    assert (over.first_audio, over.first_live, over.sure_until) == (102.0, None, 112.0)
    assert fate_in_time(over, over.first_live, Window(100.0, 120.0)) is CallOutcome.FAILED


@pytest.mark.parametrize("blind", [(103.0, 103.05), (103.0, 106.0), (99.0, 101.25)])
def test_what_was_dropped_or_is_in_doubt_while_it_waited_is_not_known(show: Show, blind: tuple[float, float]) -> None:
    waits(show, None)
    show.swept.blind.append(blind)
    (over,) = show.until(113.0)
    assert over.sure_until == max(101.0, blind[0])
    assert fate_in_time(over, over.first_live, Window(100.0, 120.0)) is CallOutcome.LOST


def test_who_heard_the_host_in_time_did_so_whatever_we_missed(show: Show) -> None:
    waits(show, 104.0)
    show.swept.blind.extend([(102.5, 102.75), (108.0, 109.0)])
    (over,) = show.until(113.0)
    assert (over.first_live, over.sure_until) == (104.0, 102.5)
    assert fate_in_time(over, over.first_live, Window(100.0, 120.0)) is CallOutcome.HAPPENED


def test_what_we_missed_after_it_had_heard_the_host_takes_nothing_away(show: Show) -> None:
    waits(show, 104.0)
    show.swept.blind.append((108.0, 109.0))
    (over,) = show.until(113.0)
    assert (over.first_live, over.sure_until) == (104.0, 112.0)


def test_what_comes_late_after_a_stall_of_ours_is_no_figure_of_the_room(show: Show) -> None:
    waits(show, 110.0)
    show.swept.blind.append((101.25, 101.75))
    (over,) = show.until(113.0)
    assert over.first_audio is None
    assert fate_in_time(over, over.first_live, Window(100.0, 120.0)) is CallOutcome.LOST


def test_packets_that_no_reference_knows_are_not_live_and_not_refused(show: Show) -> None:
    visit = show.swept.comes(101.0)
    visit.joined, visit.left = 101.5, 112.0
    show.swept.ledger.first_at[1], show.swept.ledger.last_at[1] = 102.0, 111.98
    (over,) = show.until(113.0)
    assert (over.first_audio, over.first_live, over.sure_until) == (102.0, None, 102.0)
    assert fate_in_time(over, over.first_live, Window(100.0, 120.0)) is CallOutcome.LOST


@pytest.mark.parametrize(("length", "sure_until"), [(GLIMPSE_SECONDS - 0.1, 112.0), (GLIMPSE_SECONDS + 0.1, 104.0)])
def test_a_glimpse_that_is_not_known_hides_nothing(show: Show, length: float, sure_until: float) -> None:
    visit = show.swept.comes(101.0)
    visit.joined, visit.left = 101.5, 112.0
    show.swept.hears(1, 102.0, 104.0, State.HOLD)
    show.swept.hears(1, 104.0 + length, 112.0, State.HOLD)
    (over,) = show.until(113.0)
    assert over.sure_until == pytest.approx(sure_until)


def test_of_what_is_unknown_in_the_end_it_is_not_known_how_long_it_lasts(show: Show) -> None:
    waits(show, None)
    show.swept.heard.clear()
    show.swept.hears(1, 102.0, 104.0, State.HOLD)
    show.swept.ledger.last_at[1] = 111.98
    show.until(104.25)
    assert [arrival.sure_until for arrival in show.under_way] == [104.0]


def test_digital_silence_is_no_sound(show: Show) -> None:
    visit = show.swept.comes(101.0)
    visit.joined, visit.left = 101.5, 112.0
    ledger = show.swept.ledger
    ledger.first_at[1], ledger.last_at[1], ledger.silent_since[1] = 102.0, 111.98, 102.0
    show.until(103.0)
    assert [arrival.first_audio for arrival in show.under_way] == [None]
    ledger.silences.append(Stretch(1, 102.0, 104.0))
    ledger.silent_since[1] = float("nan")
    show.swept.hears(1, 104.0, 112.0)
    (over,) = show.until(113.0)
    assert (over.first_audio, over.first_live, over.sure_until) == (104.0, 104.0, 112.0)


TIMES = st.integers(0, 120).map(lambda tenths: 101.0 + tenths / 10)
TURNS = st.lists(st.integers(1, 150).map(lambda tenths: BEGAN + tenths / 10), min_size=1, max_size=5, unique=True)


@given(st.none() | TIMES, TIMES, st.lists(st.tuples(TIMES, TIMES), max_size=2), TURNS)
def test_however_it_is_asked_the_same_is_told_and_what_is_sure_stays_so(
    first_live: float | None, left: float, blind: list[tuple[float, float]], turns: list[float]
) -> None:
    """What was said to be sure of a visit that went on is still so when it is over."""
    left = max(left, 102.5, first_live + 0.1 if first_live is not None else 0.0)
    first_live = None if first_live is None else max(first_live, 102.1)
    shows = [Show(), Show()]
    for each in shows:
        waits(each, first_live, max(left, (first_live or 0.0) + 0.1))
        each.swept.blind.extend((min(times), max(times)) for times in blind)
    parts, whole = shows
    said, over = list[Arrival](), list[Arrival]()
    for turn in sorted(turns):
        over += parts.until(turn)
        said += parts.under_way
    over += parts.until(130.0)
    assert over == whole.until(130.0)
    (end,) = over
    assert end.first_live is None or end.first_live >= (first_live or 0.0)
    for arrival in said:
        assert arrival.called <= arrival.sure_until <= arrival.seen_until
        known = end.first_live is not None and end.first_live < arrival.sure_until
        assert arrival.first_live == (end.first_live if known else arrival.first_live)
        assert arrival.first_live in {None, end.first_live}
