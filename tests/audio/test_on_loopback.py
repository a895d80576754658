"""Real hosts and listeners on real relays: what the feed says when something happens to them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from showstopper.audio.pings import PINGS_APART_SECONDS
from showstopper.availability.feed import parse_feed
from tests.audio.participants import Participant, Participants, gaps, live_now, outages, seconds
from tests.support.relays import Stage

pytestmark = pytest.mark.livekit

THREE = {"SHOWSTOPPER_LISTENERS": "3"}


def states(member: Participant, listener: str) -> list[str]:
    return [span["state"] for span in member.spans(listener)]


def statistics(member: Participant) -> list[dict[str, Any]]:
    return list(member.get("/v1/spans?after=0")["statistics"])


def _steady(row: dict[str, Any]) -> bool:
    """Whether a row says what 50 packets a second sound like. On a busy machine some come in bursts: not every row."""
    expected, samples = row["packetsReceived"] + row["packetsLost"], row["totalSamples"]
    delay, jitter = row["delaySeconds"], row["jitterSeconds"]
    steady = 90 <= expected <= 110 and samples == pytest.approx(96_000, rel=0.1)
    return steady and delay is not None and 0 < delay < 1 and 0 <= jitter < 0.5


def test_listeners_hear_hold_music_then_the_host_and_say_who_serves_them(
    participants: Participants, two_relays: Stage
) -> None:
    listener = participants.start("listener", SHOWSTOPPER_ARRIVAL_EVERY="1.5", SHOWSTOPPER_ARRIVAL_STAY="3", **THREE)
    host = participants.start("host", SHOWSTOPPER_HOLD_SECONDS="2")
    participants.until("three residents hear the host", lambda: live_now(listener, 3))
    participants.until(
        "an arrival heard it and left",
        lambda: any(arrival["firstLiveAt"] for arrival in listener.get("/v1/spans")["arrivals"]),
    )

    said = listener.get("/v1/spans?after=0")
    feed = parse_feed(said, offset=said["clock"]["wall"] - said["clock"]["monotonic"])
    for index in range(3):
        heard = states(listener, f"/{index}")
        assert heard[0] == "Joining"
        assert heard[-1] == "Live"
        assert "Hold" in heard
        mine = listener.spans(f"/{index}")
        assert all(earlier["to"] == later["from"] for earlier, later in pairwise(mine))
        assert 0 < mine[-1]["delaySeconds"] < 1
    called = [listener.spans(f"/{index}")[0]["from"] for index in range(3)]
    assert all(later - before > 0.9 * PINGS_APART_SECONDS for before, later in pairwise(called)), called
    ports = {sample.relay_port for sample in feed.listeners if sample.relay_port}
    assert len(ports) == 1
    assert two_relays.relay_at(ports.pop() or 0)
    participants.until("statistics of steady live sound", lambda: any(map(_steady, statistics(listener))))
    assert {row["listener"].rpartition("/")[2] for row in statistics(listener)} == {"0", "1", "2"}, "no newcomers"
    visit = next(arrival for arrival in feed.arrivals if arrival.first_live)
    assert visit.joined is not None
    assert visit.first_live is not None
    assert visit.called < visit.joined <= visit.first_live + 0.05
    assert visit.error == ""
    assert host.get("/v1/host")["published"]


def test_when_the_serving_relay_is_killed_each_listener_has_one_outage_and_comes_back(
    participants: Participants, two_relays: Stage, all_relays_up: Callable[[], None]
) -> None:
    listener = participants.start("listener", **THREE)
    host = participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    participants.until("three residents hear the host", lambda: live_now(listener, 3))
    killed = two_relays.relay_at(listener.get("/v1/spans")["listeners"][0]["relay"]["port"])
    killed_at = time.monotonic()
    killed.kill()
    try:
        back = "three residents hear the host on the other relay"
        participants.until(
            back,
            lambda: all(len(outages(listener.spans(f"/{index}"))) == 1 for index in range(3)) and live_now(listener, 3),
        )
        for index in range(3):
            (outage,) = outages(listener.spans(f"/{index}"))
            missing = sum(span["missingSeconds"] for span in outage)
            # What the player makes up before silence: 0.1 to 0.35 s, more if it was behind.
            # A listener that stood still itself, on a busy machine, does not know what it missed meanwhile.
            blind = sum(span["to"] - span["from"] for span in outage if span["state"] == "Unknown")
            assert 0 < missing - (seconds(outage) - blind) < 1
            assert -0.1 < outage[0]["from"] - killed_at < 2
            assert "Joining" in [span["state"] for span in outage]
        relays = [entry["relay"]["port"] for entry in listener.get("/v1/spans")["listeners"]]
        assert killed.media_port not in relays
        appearances = host.get("/v1/host")["connected"]
        assert len(appearances) == 2
        assert abs(appearances[0]["to"] - killed_at) < 3
    finally:
        all_relays_up()


def test_when_the_host_stands_still_media_is_missing_and_nobody_is_disconnected(participants: Participants) -> None:
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="1")
    host = participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    participants.until("the resident hears the host", lambda: live_now(listener, 1))
    host.process.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    participants.until("no media", lambda: states(listener, "/0")[-1] == "NoMedia")
    time.sleep(1.0)
    host.process.send_signal(signal.SIGCONT)
    lasted = time.monotonic() - stopped_at
    participants.until("the host is back", lambda: len(outages(listener.spans("/0"))) == 1 and live_now(listener, 1))
    (outage,) = outages(listener.spans("/0"))
    assert {span["state"] for span in outage} <= {"NoMedia", "Silent"}
    assert abs(sum(span["missingSeconds"] for span in outage) - lasted) < 1


def test_when_the_listener_itself_stands_still_it_says_unknown(participants: Participants) -> None:
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="1")
    participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    participants.until("the resident hears the host", lambda: live_now(listener, 1))
    listener.process.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    time.sleep(1.5)
    listener.process.send_signal(signal.SIGCONT)
    lasted = time.monotonic() - stopped_at
    participants.until("it hears again", lambda: len(gaps(listener.spans("/0"))) == 1 and live_now(listener, 1))
    (outage,) = gaps(listener.spans("/0"))
    assert outage[0]["state"] == "Unknown"
    unknown = sum(seconds([span]) for span in outage if span["state"] == "Unknown")
    assert lasted - 0.5 < unknown < lasted + 1


def test_a_room_without_a_host_is_no_media_and_a_room_of_somebody_else_s_sound_is_live(
    participants: Participants,
) -> None:
    empty = participants.start("listener", SHOWSTOPPER_LISTENERS="1")
    participants.until(
        "nobody speaks", lambda: states(empty, "/0")[-1:] == ["NoMedia"] and seconds(empty.spans("/0")[-1:]) > 1
    )
    # Hold music is no time code: a listener who knows none takes any sound for the host.
    participants.start("host", SHOWSTOPPER_HOLD_SECONDS="600")
    other = participants.start(
        "listener", SHOWSTOPPER_POD="other-listeners-0", SHOWSTOPPER_LISTENERS="1", SHOWSTOPPER_PROGRAM="External"
    )
    participants.until("the managed one hears hold music", lambda: states(empty, "/0")[-1] == "Hold")
    participants.until("the external one hears sound", lambda: states(other, "/0")[-1:] == ["Live"])


def heard(member: Participant, listener: str) -> dict[str, float]:
    """For how many seconds a listener was in each state."""
    totals: dict[str, float] = {}
    for span in member.spans(listener):
        totals[span["state"]] = totals.get(span["state"], 0.0) + span["to"] - span["from"]
    return totals


def test_a_stranger_s_noise_is_garbled_and_the_host_beside_it_is_live(participants: Participants) -> None:
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="1")
    participants.start("stranger", module="tests.audio.host.stranger")
    participants.until("ten seconds of noise", lambda: heard(listener, "/0").get("Garbled", 0.0) > 10)
    assert "Live" not in heard(listener, "/0")
    participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    participants.until("the resident hears the host", lambda: live_now(listener, 1))


@pytest.mark.matrix("losses of the host")
@pytest.mark.parametrize("percent", [10, 30])
def test_a_host_of_whom_packets_are_lost_is_never_garbled(participants: Participants, percent: int) -> None:
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="3")
    participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    participants.until("three residents hear the host", lambda: live_now(listener, 3))
    lossy = ["add table inet lossy", "add chain inet lossy out { type filter hook output priority 0; }"]
    # The first two bits of a packet of sound are 10 (RFC 7983).
    sound = f"meta l4proto udp @th,64,2 2 numgen random mod 100 < {percent} counter drop"
    lossy.append(f"add rule inet lossy out {sound}")
    subprocess.run(["nft", "-f", "-"], input="\n".join(lossy), text=True, check=True)
    try:
        since = listener.get("/v1/spans")["clock"]["monotonic"]
        participants.until(
            "15 s of it are told",
            lambda: min(span["to"] for span in listener.get("/v1/spans")["open"]) > since + 15,
        )
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "lossy"], check=True)
    told = {state for index in range(3) for state in heard(listener, f"/{index}")}
    assert "Garbled" not in told
    assert sum(row["concealedSamples"] for row in statistics(listener)) > 0


def test_who_joins_at_the_second_try_inside_the_sdk_hears_the_host(
    participants: Participants, two_relays: Stage
) -> None:
    """As at a relay's start and death: releases 1.1.14 to 1.2.1 of the SDK then get packets and play none of them."""
    host = participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    participants.until("the host is heard by the relays", lambda: (host.get("/v1/host") or {}).get("published"))
    two_relays.door.breaking = 1
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="1")
    participants.until("the resident hears the host", lambda: live_now(listener, 1))
    assert two_relays.door.breaking == 0
    assert listener.get("/v1/spans")["listeners"][0]["totalSamples"] > 0


def test_a_host_whose_sound_does_not_come_through_joins_afresh(participants: Participants) -> None:
    """The relay answers the pings, so the SDK sees a good connection."""
    blocked = ["add table inet silence", "add chain inet silence out { type filter hook output priority 0; }"]
    # The first two bits of a packet of sound are 10 (RFC 7983).
    blocked.append("add rule inet silence out udp dport 20000-32000 @th,64,2 2 counter drop")
    subprocess.run(["nft", "-f", "-"], input="\n".join(blocked), text=True, check=True)
    try:
        host = participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
        participants.until("it tries again", lambda: (host.get("/v1/host") or {"attempts": 0})["attempts"] >= 2)
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "silence"], check=True)
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="1")
    participants.until("the resident hears the host", lambda: live_now(listener, 1))


def test_a_join_that_is_refused_is_recorded_with_its_error(participants: Participants) -> None:
    listener = participants.start(
        "listener",
        SHOWSTOPPER_LISTENERS="1",
        SHOWSTOPPER_ARRIVAL_EVERY="1",
        SHOWSTOPPER_ARRIVAL_STAY="5",
        LIVEKIT_API_SECRET="not-the-secret-that-the-relays-have",
    )
    visits = participants.until("an arrival was refused", lambda: (listener.get("/v1/spans") or {}).get("arrivals"))
    assert visits[0]["joinedAt"] is None
    assert "401" in visits[0]["error"] or "nauthorized" in visits[0]["error"]
    assert set(states(listener, "/0")) <= {"Joining", "Offline"}
    assert not {"Live", "NoMedia"} & set(states(listener, "/a1"))


def test_they_leave_the_room_when_they_are_told_to(participants: Participants) -> None:
    listener = participants.start("listener", SHOWSTOPPER_ARRIVAL_EVERY="1", SHOWSTOPPER_ARRIVAL_STAY="20", **THREE)
    host = participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    participants.until("three residents hear the host", lambda: live_now(listener, 3))
    for member in (listener, host):
        member.process.terminate()
        assert member.process.wait(timeout=30) == 0, member.words()
    log = "".join((relay.folder / f"{relay.name}.log").read_text() for relay in participants.stage.relays)
    mine = [line for line in log.splitlines() if f'"{participants.room}"' in line and "participant closing" in line]
    assert sum("CLIENT_REQUEST_LEAVE" in line for line in mine) >= 4


def test_a_wrong_setting_is_one_line_and_status_two(participants: Participants) -> None:
    listener = participants.start("listener", SHOWSTOPPER_LISTENERS="many")
    assert listener.process.wait(timeout=60) == 2
    assert listener.words().splitlines() == [
        "SHOWSTOPPER_LISTENERS is 'many'; it must be a whole number from 0 to 1000"
    ]
    host = participants.start("host", LIVEKIT_URL="")
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.CompletedProcess([], host.process.wait(timeout=60)).check_returncode()
    assert host.words().startswith("LIVEKIT_URL is not set")
