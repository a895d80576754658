"""A real door, in two replicas, before real relays: listeners come in through it, and LiveKit tells it who is in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audio.participants import Participant, Participants, live_now
from tests.support.relays import Stage

pytestmark = pytest.mark.livekit


def door(participants: Participants, number: int, *peers: Participant) -> Participant:
    """One replica."""
    return participants.start(
        "door",
        SHOWSTOPPER_POD=f"door-{number}",
        SHOWSTOPPER_DOOR_ROOMS=participants.room,
        SHOWSTOPPER_DOOR_PEERS=",".join(f"http://127.0.0.1:{peer.port}" for peer in peers),
        SHOWSTOPPER_DOOR_DRAIN_SECONDS="0.2",
        SHOWSTOPPER_DOOR_PER_SECOND="1000",
    )


def listeners(member: Participant, room: str) -> Any:
    said = member.get(f"/rooms/{room}")
    return said and said["listeners"]


def test_listeners_come_in_by_the_door_which_counts_them_and_not_the_host(
    participants: Participants, two_relays: Stage
) -> None:
    first = door(participants, 0)
    second = door(participants, 1, first)
    participants.until("the doors are open", lambda: first.get("/v1/tallies") and second.get("/v1/tallies"))
    participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    token = f"http://127.0.0.1:{first.port}/token"
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="3", SHOWSTOPPER_DOOR=token)
    participants.until("three residents hear the host", lambda: live_now(listener, 3))
    participants.until("one replica shows three listeners", lambda: _now(first, participants.room) == 3)
    participants.until("so does the other", lambda: _now(second, participants.room) == 3)
    shown = listeners(second, participants.room)
    assert shown["now"] <= shown["peak"] <= shown["cumulative"]


def _now(member: Participant, room: str) -> Any:
    shown = listeners(member, room)
    return shown and shown["now"]


def test_a_closed_room_is_a_join_that_fails_with_the_doors_words(participants: Participants, two_relays: Stage) -> None:
    first = door(participants, 0)
    participants.until("the door is open", lambda: first.get("/v1/tallies"))
    # Another room than the one that it lets into is not available.
    settings = {"SHOWSTOPPER_DOOR": f"http://127.0.0.1:{first.port}/token", "LIVEKIT_ROOM": "elsewhere"}
    arriving = {"SHOWSTOPPER_ARRIVAL_EVERY": "1", "SHOWSTOPPER_ARRIVAL_STAY": "2"}
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="1", **settings, **arriving)

    def refused() -> Any:
        said = listener.get("/v1/spans?after=0") or {"arrivals": []}
        return [visit["error"] for visit in said["arrivals"]]

    errors = participants.until("a newcomer was turned away", refused)
    assert errors[0] == "the door answered HTTP 404: this room is not available"
    # Nothing is heard. On a busy machine a listener does not always know how far its join is.
    assert {span["state"] for span in listener.spans("/0")} <= {"Joining", "Offline", "Unknown"}
