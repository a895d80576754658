"""A room's crowd, as its status has it. Small HTTP servers on loopback stand for its pods."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from showstopper.api.room import AudioRoom, CrowdStatus
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.client import Client
from showstopper.cluster.listeners import CROWD, ROLE_LABEL, ROOM_LABEL
from showstopper.engine.rooms.crowds import RoomCrowd
from showstopper.engine.rooms.listening.collector import REPORTING_SECONDS
from showstopper.engine.rooms.listening.roster import Roster
from tests.engine.rooms.build import pod, room
from tests.engine.rooms.listening.test_collector import crowd, listener_pods, until

NAME = "main-stage-crowd-0"


def with_crowd(count: int, per_pod: int = 2) -> AudioRoom:
    return room(listeners={"count": 6, "perPod": 3, "crowd": {"count": count, "perPod": per_pod}})


@asynccontextmanager
async def asked(here: AudioRoom, **answers: Callable[[int], Any]) -> AsyncIterator[tuple[RoomCrowd, Roster, Clock]]:
    """The crowd of a room whose pods of these numbers answer so."""
    clock, roster = Clock(), Roster(cast("Client", None))
    replies = {f"main-stage-crowd-{number[1:]}": answer for number, answer in answers.items()}
    async with listener_pods(**replies) as (pods, there), listeners.session() as session:
        for each in there:
            labels = {ROOM_LABEL: "main-stage", ROLE_LABEL: CROWD}
            body = pod(each.name, labels=labels, address=each.address or "")
            body["metadata"] |= {"uid": each.name, "resourceVersion": "1"}
            roster.mirror.learn(body)
        room_crowd = RoomCrowd(here.key, clock, session, roster, port=pods.port)
        heard = asyncio.Event()
        running = asyncio.create_task(room_crowd.run(lambda: here, heard.set))
        try:
            yield room_crowd, roster, clock
        finally:
            running.cancel()
            await asyncio.wait([running])


async def test_it_says_how_many_hear_the_host_and_what_the_others_do() -> None:
    here = with_crowd(4)
    first = crowd("main-stage-crowd-0", (0, 80.0, "Live"), (1, 80.0, "NoMedia"))
    second = crowd("main-stage-crowd-1", (0, 80.0, "Live"))
    async with asked(here, p0=lambda _: first, p1=lambda _: second) as (room_crowd, _, clock):
        await until(lambda: _reporting(room_crowd, here, clock) == 3, "what both pods say")
        assert room_crowd.status(here, clock.now()) == CrowdStatus(
            intended=4, reporting=3, live=2, others="1 NoMedia, 1 Unknown", refusals="6 Unavailable"
        )


async def test_of_a_pod_that_does_not_answer_any_more_nothing_is_said() -> None:
    here = with_crowd(2)
    answer = crowd(NAME, (0, 80.0, "Live"), (1, 80.0, "Live"))
    async with asked(here, p0=lambda _: answer) as (room_crowd, _, clock):
        await until(lambda: _reporting(room_crowd, here, clock) == 2, "what the pod says")
        later = room_crowd.status(here, clock.now() + REPORTING_SECONDS + 2)
        assert later == CrowdStatus(intended=2, reporting=0, live=0)


async def test_a_crowd_pod_in_trouble_is_named_and_one_that_is_wanted_no_more_is_not() -> None:
    here = with_crowd(2)
    async with asked(here, p0=lambda _: crowd(NAME, room="other"), p1=lambda _: crowd("x")) as (room_crowd, _, clock):
        await until(lambda: bool(room_crowd.troubles(here)), "the trouble")
        assert room_crowd.troubles(here) == {NAME: 'span feed: room: is "other", not "main-stage"'}
        assert _reporting(room_crowd, here, clock) == 0


async def test_a_room_without_a_crowd_has_no_status_of_one() -> None:
    async with asked(room(), p0=lambda _: crowd(NAME)) as (room_crowd, _, clock):
        assert room_crowd.status(room(), clock.now()) is None
        assert room_crowd.troubles(room()) == {}


async def test_it_hears_the_host_when_nearly_all_of_it_do() -> None:
    here = with_crowd(2)
    answer = crowd(NAME, (0, 80.0, "Live"), (1, 80.0, "Live"))
    async with asked(here, p0=lambda _: answer) as (room_crowd, _, clock):
        assert not room_crowd.is_live(here, clock.now())
        await until(lambda: room_crowd.is_live(here, clock.now()), "a crowd that is live")
        assert not room_crowd.is_live(with_crowd(4), clock.now()), "half of it is not there"
    assert room_crowd.is_live(room(), clock.now()), "there is nobody who would not hear"


async def test_it_is_known_as_far_as_its_pod_that_has_told_least_says_that_it_is_settled() -> None:
    here = with_crowd(4)
    replies = {"p0": crowd("main-stage-crowd-0", (0, 80.0, "Live")), "p1": crowd("main-stage-crowd-1")}
    async with asked(here, p0=lambda _: replies["p0"], p1=lambda _: replies["p1"]) as (room_crowd, _, _):
        assert room_crowd.known_until(here) == 0.0
        await until(lambda: room_crowd.known_until(here) > 0.0, "what both pods say")
        seen = room_crowd.timeline.seen_until()
        assert seen is not None
        assert room_crowd.known_until(here) < seen, "what is told is settled, and older than the answer"
    assert room_crowd.known_until(room()) == math.inf


def _reporting(room_crowd: RoomCrowd, here: AudioRoom, clock: Clock) -> int:
    status = room_crowd.status(here, clock.now())
    assert status is not None
    return status.reporting
