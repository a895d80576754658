"""A crowd on a real relay, beside listeners of the SDK: what both say of the same outage."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.diary import Event
from showstopper.audio.crowd.matching.matcher import Matcher
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.listener.client import POLL_SECONDS
from showstopper.audio.settings import RoomSettings
from showstopper.availability.spans import State
from tests.support import sdk_listeners
from tests.support.relays import KEY, SECRET, Relay
from tests.support.waiting import until

pytestmark = pytest.mark.livekit

SIZE = 20
TRIES = 3
AGREEMENT_SECONDS = 0.02
"""What separates two listeners of the same outage at most: one packet."""

BURST_SECONDS = 0.03
"""The same where a burst ends it: the player is asked, who counts in steps of 10 ms."""


def all_hear(crowd: Crowd, since: float) -> bool:
    """Whether everybody has a session, and has had packets since then."""
    return crowd.present == crowd.size and bool(np.all(crowd.ledger.last_at > since))


def events(crowd: Crowd, event: Event, since: float = 0.0) -> list[str]:
    return [entry.reason for entry in crowd.diary if entry.event is event and entry.at > since]


async def test_every_packet_is_counted_though_the_process_stands_still(room: RoomSettings) -> None:
    async with Crowd(room, SIZE, spread_seconds=0.5) as crowd:
        await until("everybody hears the host", lambda: all_hear(crowd, time.monotonic() - 0.5))
        assert events(crowd, Event.REFUSED) == []
        crowd.sweep()
        before, began = crowd.ledger.received.copy(), time.monotonic()
        pauses = len(crowd.ledger.pauses)
        time.sleep(1.5)  # the whole process, as on a machine that has other work  # noqa: ASYNC251
        await asyncio.sleep(1.0)
        crowd.sweep()
        received, lasted = crowd.ledger.received - before, time.monotonic() - began
        assert crowd.latest_sweep_seconds > 1.4
        assert received.max() - received.min() <= 2, received
        assert received.min() > 0.8 * 50 * lasted
        assert crowd.ledger.lost.tolist() == [0] * SIZE
        assert crowd.drops == 0
        # Packets had their times from the kernel: what is still a pause is the relay's, not the stall of this process.
        assert all(pause.end - pause.start < 1.0 for pause in list(crowd.ledger.pauses)[pauses:])
        assert [round(end - start, 1) for start, end in crowd.stalls] == [pytest.approx(1.5, abs=0.3)]
    assert crowd.present == 0


async def test_all_are_told_to_hear_the_host_live_until_the_relay_is_killed(room: RoomSettings, relay: Relay) -> None:
    offset = time.time() - time.monotonic()
    matcher = Matcher(SIZE, Rules(), lambda at: at + offset)
    async with Crowd(room, SIZE, spread_seconds=0.5, matcher=matcher) as crowd:
        await until("everybody hears the host", lambda: all_hear(crowd, time.monotonic() - 0.5))
        # On a busy machine the host stumbles, and what lies around that is Unknown.
        await until("everybody is told to hear the host", lambda: bool(np.all(live(crowd)[0] > 2.0)))
        killed_at = time.monotonic()
        relay.kill()
        await until("it is told until then", lambda: bool(np.all(live(crowd)[1] > killed_at - 1.5)))
        assert matcher.unopened == 0
        assert {heard.state for _, heard in crowd.heard} == {State.LIVE}
        assert live(crowd)[1].max() < killed_at + 0.05


def live(crowd: Crowd) -> npt.NDArray[np.float64]:
    """The seconds in which each was told to hear the host, and when it was last told to."""
    seconds = np.zeros((2, SIZE))
    for slot, heard in crowd.heard:
        if heard.state is State.LIVE:
            seconds[:, slot] = seconds[0, slot] + heard.end - heard.start, max(seconds[1, slot], heard.end)
    return seconds


async def test_crowd_and_sdk_agree_on_the_beginning_of_an_outage_and_the_crowd_comes_back(
    room: RoomSettings, relay: Relay, tmp_path: Path
) -> None:
    """The best of some tries: the SDK takes its times itself, later on a busy machine. Ours are the kernel's.

    The SDK gives its sessions up at once, and what they counted is lost with them but for a last look.
    """
    with sdk_listeners.started(room, 2, tmp_path / "sdk.log") as sdk:
        async with Crowd(room, SIZE, spread_seconds=0.5) as crowd:
            disagreements: list[float] = []
            while not disagreements or (min(disagreements) > AGREEMENT_SECONDS and len(disagreements) < TRIES):
                await until("everybody hears the host", lambda: all_hear(crowd, time.monotonic() - 0.5))
                await until("the SDK's listeners do", lambda: hearing(sdk) == 2)
                await asyncio.sleep(1.0)
                killed_at = time.monotonic()
                ours, theirs = await kill(relay, crowd, sdk)
                assert max(ours) - min(ours) < AGREEMENT_SECONDS + 0.005
                disagreements.append(max(abs(median(ours) - each) for each in theirs))
                await come_back(relay, crowd, killed_at)
            assert min(disagreements) < AGREEMENT_SECONDS, disagreements


async def test_crowd_and_sdk_agree_on_the_end_of_an_outage_that_ends_in_a_burst(
    room: RoomSettings, relay: Relay, tmp_path: Path
) -> None:
    """The relay holds packets up while it stands still. A player says when they came, once it has run dry.

    Longer each time: what came in the last burst is still in the player.
    """
    with sdk_listeners.started(room, 2, tmp_path / "sdk.log") as sdk:
        async with Crowd(room, 4, spread_seconds=0.5) as crowd:
            disagreements: list[float] = []
            while not disagreements or (min(disagreements) > BURST_SECONDS and len(disagreements) < TRIES):
                await until("everybody hears the host", lambda: all_hear(crowd, time.monotonic() - 0.5))
                await until("the SDK's listeners do", lambda: hearing(sdk) == 2)
                await asyncio.sleep(1.0)
                ours, theirs = await freeze(relay, crowd, sdk, 3.0 + 2 * len(disagreements))
                disagreements.append(max(abs(median(ours) - each) for each in theirs))
            assert min(disagreements) < BURST_SECONDS, disagreements


def hearing(sdk: sdk_listeners.SdkListeners) -> int:
    """How many of them have packets now. Who has never had any has no absence either."""
    said = sdk.report()
    absent = sum(any(end > said["at"] - 1.0 for _, end in absences) for absences in said["absences"].values())
    return int(said["hearing"]) - absent


async def kill(relay: Relay, crowd: Crowd, sdk: sdk_listeners.SdkListeners) -> tuple[list[float], list[float]]:
    """Kill the relay: when media ended for each of the crowd, and for each of the SDK's."""
    killed_at = time.monotonic()
    relay.kill()
    await asyncio.sleep(1.5)
    crowd.sweep()
    absences = [each for listener in sdk.report()["absences"].values() for each in listener]
    theirs = [start for start, end in absences if start > killed_at - POLL_SECONDS - 0.1 and end - start > 0.12]
    ours = list(crowd.ledger.paused_since(time.monotonic()).values())
    assert len(theirs) == 2, (killed_at, absences)
    assert len(ours) == crowd.size
    return ours, theirs


async def freeze(
    relay: Relay, crowd: Crowd, sdk: sdk_listeners.SdkListeners, seconds: float
) -> tuple[list[float], list[float]]:
    """Stop the relay for some seconds: when media came again for each of the crowd, and for each of the SDK's."""
    stopped_at = time.monotonic()
    relay.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    relay.send(signal.SIGCONT)
    await asyncio.sleep(1.5)
    crowd.sweep()

    def ends(pauses: Iterable[tuple[float, float]]) -> list[float]:
        return [end for start, end in pauses if abs(start - stopped_at) < 0.3 and end - start > seconds / 2]

    ours = ends((pause.start, pause.end) for pause in crowd.ledger.pauses)
    absences = sdk.report()["absences"].values()
    theirs = [end for pauses in absences for end in ends(pauses)]
    assert (len(ours), len(theirs)) == (crowd.size, 2), (stopped_at, ours, absences)
    return ours, theirs


async def come_back(relay: Relay, crowd: Crowd, lost_since: float) -> None:
    """Start the relay again: everybody was lost once, and joins afresh."""
    relay.start()
    again = time.monotonic()
    await until("everybody hears the host again", lambda: all_hear(crowd, again))
    assert events(crowd, Event.LOST, lost_since) == [Loss.SIGNALLING_CLOSED] * crowd.size
    assert len(events(crowd, Event.JOINED, lost_since)) == crowd.size
    assert {pause.slot for pause in crowd.ledger.pauses if pause.end > again} == set(range(crowd.size))


async def test_a_session_whose_signalling_breaks_is_resumed_and_media_goes_on(room: RoomSettings) -> None:
    async with Crowd(room, 4, spread_seconds=0.0) as crowd:
        await until("everybody hears the host", lambda: all_hear(crowd, time.monotonic() - 0.5))
        cut_at = time.monotonic()
        crowd.sweep()
        lost = crowd.ledger.lost
        for slot in range(4):
            listener = crowd.listener(slot)
            assert listener is not None
            assert listener.session is not None
            listener.session.signalling.socket.shutdown(socket.SHUT_RDWR)
        await until("all are resumed", lambda: len(events(crowd, Event.RESUMED, cut_at)) == 4)
        await asyncio.sleep(0.5)
        assert events(crowd, Event.JOINED, cut_at) == []
        # The relay sends nothing between its offer and our answer to its check: that is a packet, and more on a busy
        # machine. Read in sweeps, it would always be some.
        assert max(crowd.ledger.lost - lost) < 50
        assert all_hear(crowd, time.monotonic() - 0.5)
        restarted = [crowd.listener(slot).session.negotiation.restarts for slot in range(4)]  # type: ignore[union-attr]
        assert restarted == [1] * 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"secret": "not-the-secret-that-the-relay-has"}, Refusal.UNAUTHORIZED),
        ({"url": "ws://127.0.0.1:1"}, Refusal.UNREACHABLE),
    ],
    ids=["secret", "port"],
)
async def test_who_is_not_let_in_says_why(relay: Relay, change: dict[str, Any], reason: Refusal) -> None:
    nobody = RoomSettings("crowd", relay.url, "nobody", KEY, SECRET)
    async with Crowd(dataclasses.replace(nobody, **change), 3, spread_seconds=0.0) as crowd:
        await crowd.all_tried()
        assert set(events(crowd, Event.REFUSED)) == {reason}
        assert crowd.present == 0
