"""The crowd process: what it serves, and on a real relay what it says of a room whose host speaks."""

from __future__ import annotations

import signal
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from showstopper.audio.crowd import process
from showstopper.audio.crowd.feed.document import CrowdFeed
from showstopper.audio.settings import CrowdSettings, RoomSettings
from tests.audio.crowd.feed.records import PlayedListeners
from tests.audio.participants import Participant, Participants
from tests.support.relays import Relay

SETTINGS = CrowdSettings(RoomSettings("main-stage", "ws://relay:7880", "stage", "key", "hush"), "main-stage-crowd-0", 2)
SIZE = 20


async def test_it_serves_its_account_and_its_health() -> None:
    swept = PlayedListeners(2)
    feed = CrowdFeed(SETTINGS, swept, 0.0)
    swept.swept_at = time.monotonic()
    feed.settle()
    async with TestClient(TestServer(process.application(feed))) as http:
        assert await (await http.get("/healthz")).text() == "ok\n"
        said = await (await http.get("/v1/crowd")).json()
        assert (said["pod"], said["next"], len(said["changes"])) == ("main-stage-crowd-0", 3, 2)
        assert (await (await http.get("/v1/crowd?after=3")).json())["changes"] == []
        refused = await http.get("/v1/crowd?after=-1")
        assert (refused.status, "whole number" in await refused.text()) == (400, True)


def states(said: dict[str, Any]) -> dict[int, list[str]]:
    """The states of each listener, in order."""
    states_by_slot: dict[int, list[str]] = {}
    for change in said["changes"]:
        states_by_slot.setdefault(change["slot"], []).append(change["state"])
    return states_by_slot


@pytest.mark.livekit
@pytest.mark.matrix("a crowd's process")
def test_everybody_hears_the_host_until_the_relay_is_killed_and_again_after_it(
    people: Participants, relay: Relay
) -> None:
    crowd = started(people, relay)
    people.until("everybody hears the host", lambda: now(crowd) == {"Live": SIZE})
    before = crowd.get("/v1/crowd")
    assert before["present"] == SIZE
    assert before["instrument"]["kernelDrops"] == 0
    relay.kill()
    people.until("nobody does", lambda: "Live" not in now(crowd))
    relay.start()
    people.until("everybody hears it again", lambda: now(crowd) == {"Live": SIZE})
    said = crowd.get(f"/v1/crowd?after={before['next']}")
    assert set(states(said)) == set(range(SIZE))
    assert all({"NoMedia", "Live"} <= set(mine) and mine[-1] == "Live" for mine in states(said).values())
    assert said["losses"]["SignallingClosed"] >= SIZE


@pytest.mark.livekit
@pytest.mark.matrix("a crowd's process")
@pytest.mark.parametrize("seconds", [6.0, 12.0])
def test_while_its_process_stands_still_nobody_is_known_to_hear_or_not(
    people: Participants, relay: Relay, seconds: float
) -> None:
    """The relay sends on, and a buffer holds three seconds of it."""
    crowd = started(people, relay)
    people.until("everybody hears the host", lambda: now(crowd) == {"Live": SIZE})
    before = crowd.get("/v1/crowd")
    crowd.process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    crowd.process.send_signal(signal.SIGCONT)
    stall = people.until("it knows that it stood still", lambda: stalls(crowd, seconds))[0]
    people.until("that is told", lambda: settled(crowd, stall[1] + 5.0))
    people.until("everybody hears the host again", lambda: now(crowd) == {"Live": SIZE})
    said = crowd.get(f"/v1/crowd?after={before['next']}")
    since = [each for each in said["changes"] if each["at"] > stall[0] - 0.5]
    meanwhile = {each["state"] for each in since if each["at"] < stall[1] + 0.2}
    assert "Unknown" in meanwhile <= {"Unknown", "Live"}
    assert not {"Offline", "Joining"} & {each["state"] for each in since}
    assert said["losses"] == {}


def started(people: Participants, relay: Relay) -> Participant:
    """The process of a crowd."""
    return people.start(
        "crowd",
        SHOWSTOPPER_POD="main-stage-crowd-0",
        SHOWSTOPPER_LISTENERS=str(SIZE),
        LIVEKIT_URL=relay.url,
    )


def stalls(crowd: Participant, seconds: float) -> list[tuple[float, float]]:
    """When it stood still for about so long, as it says itself."""
    said = crowd.get("/v1/crowd") or {"instrument": {"stalls": []}}
    told = [(stall["from"], stall["to"]) for stall in said["instrument"]["stalls"]]
    return [(start, end) for start, end in told if end - start > seconds - 0.5]


def settled(crowd: Participant, until: float) -> bool:
    """Whether it has told all of the time up to then."""
    said = crowd.get("/v1/crowd")
    return said is not None and said["settledUntil"] > until


def now(crowd: Participant) -> dict[str, int]:
    """How many are in each state, as far as that is settled."""
    said = crowd.get("/v1/crowd") or {"newest": []}
    return dict(Counter(change["state"] for change in said["newest"]))


def coming(people: Participants, relay: Relay) -> Participant:
    """The process of a small crowd with a newcomer each second."""
    return people.start(
        "crowd",
        SHOWSTOPPER_POD="main-stage-crowd-0",
        SHOWSTOPPER_LISTENERS="4",
        SHOWSTOPPER_ARRIVAL_EVERY="1",
        SHOWSTOPPER_ARRIVAL_STAY="6",
        LIVEKIT_URL=relay.url,
    )


def over(crowd: Participant, called_after: float = 0.0) -> list[dict[str, Any]]:
    """The newcomers who called after that and whose visits are over, in order."""
    said = crowd.get("/v1/crowd") or {"arrivals": []}
    visits = [visit for visit in said["arrivals"] if visit["leftAt"] is not None and visit["calledAt"] > called_after]
    return sorted(visits, key=lambda visit: visit["calledAt"])


@pytest.mark.livekit
@pytest.mark.matrix("a crowd's process")
def test_newcomers_hear_the_host_soon_and_none_gets_in_while_the_relay_is_gone(
    people: Participants, relay: Relay
) -> None:
    crowd = coming(people, relay)
    people.until("everybody hears the host", lambda: now(crowd) == {"Live": 4})
    since = crowd.get("/v1/crowd")["clock"]["monotonic"]
    well = people.until("five have come and gone", lambda: len(over(crowd, since)) >= 5 and over(crowd, since))[:5]
    for visit in well:
        assert visit["listener"].startswith("main-stage-crowd-0/a")
        assert visit["calledAt"] < visit["joinedAt"] < visit["leftAt"], visit
        assert visit["calledAt"] < visit["firstAudioAt"] <= visit["firstLiveAt"] < visit["leftAt"], visit
        assert visit["error"] == ""
        assert visit["seenUntil"] == visit["leftAt"]
    apart = [later["calledAt"] - sooner["calledAt"] for sooner, later in pairwise(well)]
    assert all(each > 0.5 for each in apart), apart
    assert now(crowd) == {"Live": 4}, "those who stay are no others"
    relay.kill()
    killed = crowd.get("/v1/crowd")["clock"]["monotonic"]
    refused = people.until("three were refused", lambda: len(over(crowd, killed)) >= 3 and over(crowd, killed))
    assert {visit["joinedAt"] for visit in refused[:3]} == {None}
    assert all(visit["error"] for visit in refused[:3])
    assert all(visit["sureUntil"] == visit["leftAt"] for visit in refused[:3])
    relay.start()
    again = crowd.get("/v1/crowd")["clock"]["monotonic"]
    people.until(
        "they hear the host again",
        lambda: [visit for visit in over(crowd, again) if visit["firstLiveAt"] is not None],
    )
