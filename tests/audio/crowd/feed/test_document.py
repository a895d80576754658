"""What a crowd pod says of its crowd, as a reader puts it together."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from showstopper.audio import spans
from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.feed import document
from showstopper.audio.crowd.feed.document import CrowdFeed
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.settings import MOST_NEWCOMERS, CrowdSettings, RoomSettings
from showstopper.availability.spans import State
from tests.audio.crowd.feed.records import PlayedListeners

LAG = 2.0
SIZE = 500


class Show:
    """A crowd whose time a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, size: int = SIZE, places: int = 0) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.swept = PlayedListeners(size, places)
        room = RoomSettings("main-stage", "ws://relay:7880", "stage", "key", "hush")
        self.feed = CrowdFeed(CrowdSettings(room, "main-stage-crowd-0", size), self.swept, LAG)
        for slot in range(size):
            self.swept.joined(slot, self.now)

    def second(self, *states: State) -> None:
        """Everybody hears that for a second, in equal parts of it."""
        for slot in range(self.swept.size):
            for part, state in enumerate(states):
                start = self.now - LAG + part / len(states)
                self.swept.hears(slot, start, start + 1 / len(states), state)
        self.now = self.swept.swept_at = self.now + 1.0
        self.feed.settle()

    def read(self, after: int) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(asyncio.run(self.feed.encoded(after)))
        return said


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    playing = Show(monkeypatch)
    for _ in range(4):
        playing.second(State.LIVE)
    return playing


def test_it_says_whose_account_it_is(show: Show) -> None:
    said = show.read(0)
    assert (said["room"], said["pod"], said["size"], said["hidden"]) == ("main-stage", "main-stage-crowd-0", SIZE, True)
    assert said["clock"]["monotonic"] == 1004.0
    assert said["settledUntil"] == 1002.0
    assert "hush" not in json.dumps(said)


def test_who_reads_on_is_told_what_is_new_and_nothing_of_those_who_hear_on(show: Show) -> None:
    first = show.read(0)
    assert first["changes"] == [{"slot": slot, "at": 1000.0, "state": "Live"} for slot in range(SIZE)]
    assert first["newest"] == first["changes"]
    show.second(State.LIVE)
    more = show.read(first["next"])
    assert (more["changes"], more["newest"], more["lost"]) == ([], [], 0)
    assert [each["seconds"] for each in more["totals"]] == [{"Live": float(SIZE)}]
    assert len(json.dumps(more)) < 1000
    assert show.read(more["next"])["totals"] == []


def test_a_second_is_bounded_whatever_the_crowd_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three thousand listeners who change forty times a second."""
    show = Show(monkeypatch, 3000)
    for _ in range(3):
        show.second(State.LIVE)
    read = show.read(0)["next"]
    show.second(*[State.LIVE, State.HOLD] * 20)
    more = show.read(read)
    assert len(json.dumps(more)) < 500_000
    assert more["totals"][0]["untold"] > 2800
    assert sum(more["totals"][0]["seconds"].values()) == pytest.approx(3000)


async def test_who_asks_for_all_of_it_holds_up_nobody_and_is_told_of_one_moment(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "BATCH", 50)
    turns = 0

    async def sweep() -> None:
        nonlocal turns
        while True:
            turns += 1
            if turns == 5:
                show.second(State.HOLD)
            await asyncio.sleep(0)

    sweeping = asyncio.create_task(sweep())
    said = json.loads(await show.feed.encoded(0))
    sweeping.cancel()
    assert turns >= 2 * SIZE // 50
    assert {each["state"] for name in ("changes", "newest") for each in said[name]} == {"Live"}
    assert (said["next"], said["settledUntil"]) == (SIZE + 2, 1002.0)
    assert json.loads(await show.feed.encoded(said["next"]))["changes"][0]["state"] == "Hold"


def test_who_comes_late_is_told_since_when_each_is_in_its_state(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show.feed, "_ring", spans.Ring(most=2))
    show.second(State.LIVE)
    show.second(State.HOLD)
    said = show.read(0)
    assert said["lost"] == SIZE
    assert {(change["at"], change["state"]) for change in said["newest"]} == {(1003.0, "Hold")}
    assert len(said["newest"]) == SIZE


def test_a_reader_of_another_process_s_numbers_begins_afresh(show: Show) -> None:
    assert show.read(10**12)["newest"] == show.read(0)["newest"] != []


def test_refusals_losses_and_the_instrument_s_own_failures_are_counted(show: Show) -> None:
    show.swept.diary.append(Entry(1003.0, 1, Event.LOST, Loss.SIGNALLING_CLOSED))
    show.swept.diary.append(Entry(1003.1, 1, Event.REFUSED, Refusal.UNAVAILABLE))
    show.swept.drops, show.swept.clock_steps, show.swept.unopened, show.swept.doubts = 3, 1, 7, 2
    show.swept.latest_sweep_seconds = 1.25
    show.swept.stalls.extend((float(number), number + 1.5) for number in range(200))
    show.swept.dropped.extend((float(number), 2) for number in range(200))
    show.second(State.LIVE)
    said = show.read(0)
    assert said["losses"] == {Loss.SIGNALLING_CLOSED: 1}
    assert said["refusals"] == {Refusal.UNAVAILABLE: 1}
    stalls, drops = said["instrument"].pop("stalls"), said["instrument"].pop("drops")
    assert said["instrument"] == {
        "kernelDrops": 3,
        "clockSteps": 1,
        "latestSweepSeconds": 1.25,
        "unopened": 7,
        "doubts": 2,
    }
    assert len(stalls) == 100
    assert stalls[-1] == {"from": 199.0, "to": 200.5}
    assert (len(drops), drops[-1]) == (100, {"at": 199.0, "packets": 2})


def test_newcomers_are_told_as_they_go_on_and_once_when_they_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    show = Show(monkeypatch, 2, places=1)
    visit = show.swept.comes(1001.0)
    for _ in range(4):
        show.second(State.LIVE)
    first = show.read(0)
    assert first["arrivals"] == [
        {
            "listener": "main-stage-crowd-0/a1",
            "kind": "Arrival",
            "calledAt": 1001.0,
            "joinedAt": None,
            "firstAudioAt": None,
            "firstLiveAt": None,
            "leftAt": None,
            "error": "",
            "seenUntil": 1002.0,
            "sureUntil": 1002.0,
        }
    ]
    visit.joined = 1001.5
    show.swept.hears(2, 1002.25, 1003.5)
    show.second(State.LIVE)
    visit.left = 1003.5
    more = show.read(first["next"])
    (going,) = more["arrivals"]
    assert (going["joinedAt"], going["firstLiveAt"], going["leftAt"]) == (1001.5, 1002.25, None)
    show.second(State.LIVE)
    (over,) = show.read(more["next"])["arrivals"]
    assert (over["leftAt"], over["seenUntil"], over["sureUntil"]) == (1003.5, 1003.5, 1003.5)
    assert show.read(more["next"])["arrivals"] == [over], "who reads again is told again"
    assert show.read(show.read(more["next"])["next"])["arrivals"] == []


def test_a_crowd_without_newcomers_tells_of_none(show: Show) -> None:
    assert show.read(0)["arrivals"] == []


def test_the_most_newcomers_are_told_in_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand who wait for the host, and 50 who left within the second."""
    show = Show(monkeypatch, 1, places=MOST_NEWCOMERS)
    for place in range(MOST_NEWCOMERS):
        show.swept.comes(1000.0 + place / 1000, 1 + place, f"a{place}")
    for _ in range(4):
        show.second(State.LIVE)
    read = show.read(0)["next"]
    for visit in show.swept.visits[:50]:
        visit.left, visit.error = 1002.5, "the server took the connection and did not let the listener in"
    show.second(State.LIVE)
    more = show.read(read)
    assert len(more["arrivals"]) == MOST_NEWCOMERS
    assert len(json.dumps(more)) < 300_000
