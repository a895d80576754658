"""How newcomers come, are refused, are lost and leave, with a server that is played."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from livekit.protocol import rtc

from showstopper.audio.crowd import newcomers
from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.diary import Event, Visit
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.swept_listeners import SweptListeners
from showstopper.audio.settings import ArrivalSettings
from showstopper.audio.tokens import token
from tests.audio.crowd.played_server import PlayedServer, played, response
from tests.support.waiting import until

SHORT = Limits(signalling=2.0, response=0.3, media=0.5)
JOIN = response(join=rtc.JoinResponse())
BRIEF = ArrivalSettings(every=0.1, stay=0.3)
LONG = ArrivalSettings(every=0.2, stay=30.0)


@pytest.fixture
async def server() -> AsyncIterator[PlayedServer]:
    async with played() as running:
        yield running


def crowd_of(server: PlayedServer, arrivals: ArrivalSettings) -> Crowd:
    return Crowd(server.room, 1, name="main-stage-crowd-0", spread_seconds=0.0, limits=SHORT, arrivals=arrivals)


def over(crowd: Crowd) -> list[Visit]:
    return [visit for visit in crowd.visits if visit.left is not None]


class Log:
    """Notes what is logged."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def warning(self, event: str, **_: object) -> None:
        self.events.append(event)


async def test_each_comes_when_it_is_due_whatever_the_others_do_and_leaves_when_its_time_is_over(
    server: PlayedServer,
) -> None:
    began = time.monotonic()
    async with crowd_of(server, ArrivalSettings(every=0.1, stay=1.0, phase=0.2)) as crowd:
        await until("three have left", lambda: len(over(crowd)) >= 3)
        visits = list(crowd.visits)
    assert [visit.listener for visit in visits[:3]] == [f"main-stage-crowd-0/a{number}" for number in (1, 2, 3)]
    first = visits[:3]
    assert all(visit.called >= began + 0.1 * number for number, visit in enumerate(first))
    assert first[2].called < (first[0].left or 0.0), "the third came before the first had left"
    for visit in first:
        assert visit.joined is not None
        assert visit.left is not None
        assert visit.called < visit.joined < visit.left
        assert visit.left - visit.called >= 1.0
        assert (visit.ended, visit.error) == ("", "")
    assert len({visit.slot for visit in visits}) == len(visits), "places are taken until all is told"
    await until("all have hung up", lambda: not server.open)


async def test_newcomers_are_beside_those_who_stay(server: PlayedServer) -> None:
    async with crowd_of(server, BRIEF) as crowd:
        await crowd.all_tried()
        await until("one has left", lambda: bool(over(crowd)))
        assert crowd.size == 1
        assert [entry.event for entry in crowd.diary] == [Event.JOINED], "their visits are no entries of the diary"
        assert all(visit.slot >= 1 for visit in crowd.visits)
    assert server.resumes == 0


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"status": 401}, Refusal.UNAUTHORIZED, "HTTP 401"),
        ({"status": 503}, Refusal.UNAVAILABLE, "HTTP 503"),
        ({"says": [JOIN]}, Refusal.TIMED_OUT, "offered no media"),
        ({"has_udp": False}, Refusal.NO_UDP, "no UDP address"),
        ({"says": [response(leave=rtc.LeaveRequest())]}, Refusal.TOLD_TO_LEAVE, ""),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_who_is_refused_says_why_and_does_not_try_again(
    server: PlayedServer, change: dict[str, Any], reason: Refusal, words: str
) -> None:
    async with crowd_of(server, LONG) as crowd:
        await crowd.all_tried()
        for name, value in change.items():
            setattr(server, name, value)
        seen = len(crowd.visits)
        await until("two were refused", lambda: len([each for each in crowd.visits[seen:] if each.left]) >= 2)
        for visit in [each for each in crowd.visits[seen:] if each.left][:2]:
            assert visit.joined is None
            assert visit.ended == reason
            assert words in visit.error
            assert visit.error


async def test_who_is_not_in_when_it_has_to_leave_was_not_let_in(server: PlayedServer) -> None:
    server.says = [JOIN]
    slow = Limits(signalling=5.0, response=5.0, media=15.0)
    async with Crowd(server.room, 1, spread_seconds=60.0, first=9, limits=slow, arrivals=BRIEF) as crowd:
        await until("one has left", lambda: bool(over(crowd)))
        (visit, *_) = over(crowd)
    assert (visit.joined, visit.ended, visit.error) == (None, Refusal.TIMED_OUT, "not in the room after 0.3 s")


async def test_who_loses_its_session_has_left(server: PlayedServer) -> None:
    async with crowd_of(server, LONG) as crowd:
        await until("one is in", lambda: any(visit.joined for visit in crowd.visits))
        visit = next(visit for visit in crowd.visits if visit.joined)
        await server.hang_up()
        await until("it has left", lambda: visit.left is not None)
        assert visit.ended == Loss.SIGNALLING_CLOSED
        assert visit.error == "", "it was let in"


async def test_who_finds_no_place_makes_no_call_of_the_room(
    server: PlayedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArrivalSettings, "places", 2)
    log = Log()
    monkeypatch.setattr(newcomers, "log", log)
    async with crowd_of(server, ArrivalSettings(every=0.05, stay=0.1)) as crowd:
        await crowd.all_tried()
        await until("two have come and gone", lambda: len(over(crowd)) == 2)
        await until("nobody has a place", lambda: "newcomer_without_a_place" in log.events)
        joins = server.joins
        assert joins == 3, "one who stays, and two newcomers"
        crowd.vacate(crowd.visits[0])
        await until("a third has come", lambda: len(over(crowd)) == 2)
    assert server.joins == 4


async def test_after_a_stall_the_missed_ones_are_skipped(server: PlayedServer) -> None:
    async with crowd_of(server, ArrivalSettings(every=0.1, stay=5.0)) as crowd:
        await until("one has come", lambda: bool(crowd.visits))
        stood = time.monotonic()
        time.sleep(1.0)  # noqa: ASYNC251 - the whole process stands still
        await until("others have come", lambda: len([each for each in crowd.visits if each.called > stood]) >= 3)
        called = [each.called for each in crowd.visits if each.called > stood]
        assert called[2] - called[0] >= 0.09


@pytest.mark.parametrize("hidden", [True, False])
async def test_they_are_as_hidden_as_the_crowd(
    server: PlayedServer, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    tickets = list[str]()

    def noted(*arguments: Any, **options: Any) -> str:
        tickets.append(token(*arguments, **options))
        return tickets[-1]

    monkeypatch.setattr(newcomers, "token", noted)
    async with Crowd(server.room, 1, name="main-stage-crowd-0", hidden=hidden, arrivals=BRIEF) as crowd:
        await until("one has left", lambda: bool(over(crowd)))
    claims = jwt.decode(tickets[0], options={"verify_signature": False})
    assert claims["sub"] == "main-stage-crowd-0/a1"
    assert claims["video"].get("hidden", False) is hidden
    assert not claims["video"].get("canPublish", False)


def test_a_place_is_given_again_once_all_is_told_and_nothing_is_left_in_it() -> None:
    swept = SweptListeners(1, places=1)
    visit = swept.receive("a1")
    assert visit is not None
    assert visit.slot == 1
    assert swept.receive("a2") is None
    swept.ledger.first_at[1], swept.ledger.last_at[1], swept.ledger.silent_since[1] = 5.0, 6.0, 5.5
    swept.vacate(visit)
    again = swept.receive("a3")
    assert again is not None
    assert again.slot == 1
    assert swept.visits == [again]
    for row in (swept.ledger.first_at, swept.ledger.last_at, swept.ledger.silent_since):
        assert row[1] != row[1], "NaN"


def test_a_crowd_without_newcomers_has_no_place_for_any() -> None:
    assert SweptListeners(3).receive("a1") is None
    assert len(SweptListeners(3).ledger.received) == 3
