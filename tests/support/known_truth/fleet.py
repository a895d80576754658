"""Faults that the host carries out on itself, and those of the networks of host and listeners, in random doses."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from tests.support.known_truth.faults import alone, borne, fault, silent, some_seconds
from tests.support.known_truth.moments import active, delete, of_role, serving
from tests.support.known_truth.scenario import FAILS, PASSES, Scenario, inconclusive
from tests.support.staged_room import Object, Show

HOST = {"fleet": "Host"}
HALF = {"fleet": "Listeners", "percent": "50%"}
EVERYBODY = {"fleet": "Listeners", "percent": "100%"}

BOUND_SECONDS = 12
"""Of dead air, far from either dose: whoever has left the room needs up to five seconds until it is heard again."""
BRIEF, LONG = (4, 5), (16, 18)

KINDS_OF_HOST = ("deadAir", "holdStall", "garble", "hostLeaves")


def of_host(kind: str, seconds: int, **spec: object) -> Object:
    """A fault that the host carries out on itself: it has no target."""
    return {"name": kind.lower(), "duration": f"{seconds}s", kind: spec}


def _missed(random: Random, kind: str, known: str, made: Callable[[int], Object]) -> Scenario:
    """Dead air for as long as the fault, of which one dose is below the bound, and the other above it."""
    long = random.random() < 0.5
    seconds = random.randint(*(LONG if long else BRIEF))
    expect = ({"indicator": "LongestDeadAir", "max": f"{BOUND_SECONDS}s"},)
    known = f"{known} for {seconds} s, which is {'more' if long else 'less'} than {BOUND_SECONDS} s"
    return alone(kind, known, FAILS if long else PASSES, made(seconds), expect=expect, recovery="10s")


def dead_air(random: Random) -> Scenario:
    """Packets of silence."""
    return _missed(random, "dead air", "everybody hears silence", lambda seconds: of_host("deadAir", seconds))


def hold_stall(random: Random) -> Scenario:
    """Hold music is not the host."""
    return _missed(random, "hold stall", "everybody hears hold music", lambda seconds: of_host("holdStall", seconds))


def garble(random: Random) -> Scenario:
    """All the time."""
    return _missed(random, "garble", "nobody understands a word", lambda seconds: of_host("garble", seconds))


def host_leaves(random: Random) -> Scenario:
    """It was told to: that is no failure of the instrument."""
    return _missed(random, "host leaves", "nobody speaks", lambda seconds: of_host("hostLeaves", seconds))


def garble_in_bursts(random: Random) -> Scenario:
    """In and out: each burst is an outage of its own, and the longest is as long as one of them."""
    expect = ({"indicator": "LongestDeadAir", "max": "3s"},)
    if random.random() < 0.5:
        long = of_host("garble", 10, burst="6s", every="8s")
        return alone("garble in bursts", "a burst lasts 6 s, and 3 are allowed", FAILS, long, expect=expect)
    brief = of_host("garble", 9, burst=f"{random.randint(6, 12)}00ms", every="4s")
    return alone("garble in bursts", "between two bursts the host is heard for 2.8 s", PASSES, brief, expect=expect)


def uplink_lost(random: Random) -> Scenario:
    """Nothing leaves the host by UDP. It may find its way by TCP before the end."""
    lost = fault("packetLoss", {"percent": "100%"}, target=HOST, duration=some_seconds(random, 6, 8))
    return silent(random, "uplink lost", "until it is back by TCP nobody hears the host", lost)


def uplink_light(random: Random) -> Scenario:
    """Relays ask for lost packets again, and Opus conceals the rest."""
    dose = {"percent": f"{random.randint(5, 15)}%", "direction": "Egress"}
    return borne(
        "uplink light",
        "up to 15 % is repeated or concealed, and heard",
        fault("packetLoss", dose, target=HOST, duration=some_seconds(random)),
    )


def slow_network(random: Random) -> Scenario:
    """Published networks of which one is good, and the other has 600 ms each way."""
    target = random.choice([HOST, EVERYBODY])
    if random.random() < 0.5:
        good = fault("networkProfile", {"name": "Mobile4G"}, target=target, duration=some_seconds(random))
        return borne("slow network", "100 Mbit/s, 45 ms and 0.2 % are no trouble", good)
    late = fault("networkProfile", {"name": "Satellite"}, target=target, duration="12s")
    expect = ({"indicator": "MouthToEar", "max": "300ms"},)
    return alone("slow network", "a satellite is 0.6 s away", FAILS, late, expect=expect)


def last_mile_lost(random: Random) -> Scenario:
    """One of two listeners gets nothing: the longest dead air is that of the worst."""
    lost = fault("packetLoss", {"percent": "100%"}, target=HALF, duration=some_seconds(random, 4, 6))
    return silent(random, "last mile lost", "half of the listeners are deaf for 4 to 6 s", lost)


def last_mile_light(random: Random) -> Scenario:
    """Opus conceals what is lost."""
    dose = {"percent": f"{random.randint(5, 20)}%", "direction": "Ingress"}
    lost = fault("packetLoss", dose, target=EVERYBODY, duration=some_seconds(random))
    return borne("last mile light", "up to 20 % is concealed, and heard", lost)


def last_mile_idle(random: Random) -> Scenario:
    """No listener speaks with the store."""
    lost = {"percent": f"{random.randint(20, 100)}%", "peers": [{"component": "store"}]}
    quiet = fault("packetLoss", lost, target=HALF, duration=some_seconds(random, 2, 4))
    return alone("last mile idle", "no media comes from the store: nothing was tested", inconclusive("NoEffect"), quiet)


def host_killed_silent(random: Random) -> Scenario:
    """The host's pod is deleted while it carries out a fault: what comes back knows nothing of it."""
    kind = random.choice(KINDS_OF_HOST)

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        time.sleep(random.uniform(0, 3))
        delete(show, of_role(show, "host")[0])

    spec = {"faults": [of_host(kind, 60)], "expect": [{"indicator": "LongestDeadAir", "max": "10m"}], "recovery": "5s"}
    right = inconclusive("LeaseLost", "AgentStopped", "HostLost", "TargetsGone")
    return Scenario("host killed, silent", "nobody held the fault to its end", right, spec, meanwhile=meanwhile)


def relay_killed_silent(random: Random) -> Scenario:
    """Silence that is allowed, in which somebody else deletes the relay that serves: that is not the fault's."""

    def meanwhile(show: Show, name: str) -> None:
        relay = serving(show)
        active(show, name)
        delete(show, relay)

    seconds = random.randint(3, 4)
    spec = {
        "faults": [of_host("deadAir", seconds)],
        "expect": [{"indicator": "LongestDeadAir", "max": f"{seconds + 1}s"}],
        "recovery": "30s",
    }
    right = inconclusive("PodsGone", "ReleaseChanged", "ReleaseUnknown")
    known = "clients need longer than that to find another relay"
    return Scenario("relay killed, silent", known, right, spec, meanwhile=meanwhile)


def host_killed_uplink(random: Random) -> Scenario:
    """The host's pod is deleted under a light loss of its uplink."""

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        time.sleep(random.uniform(0, 3))
        delete(show, of_role(show, "host")[0])

    light = fault("packetLoss", {"percent": "5%", "direction": "Egress"}, target=HOST, duration="10s")
    spec = {"faults": [light], "expect": [{"indicator": "LongestDeadAir", "max": "1s"}], "recovery": "20s"}
    right = inconclusive("HostLost", "TargetsGone", "TooBrief", "NoEffect")
    known = "the silence is of our own host, and not of its uplink"
    return Scenario("host killed, uplink", known, right, spec, meanwhile=meanwhile)


def listener_killed_last_mile(random: Random) -> Scenario:
    """The listener whose last mile is hit is deleted."""

    def meanwhile(show: Show, name: str) -> None:
        run = active(show, name)
        time.sleep(random.uniform(0, 3))
        delete(show, run["status"]["targets"][0]["pod"])

    light = fault("packetLoss", {"percent": "10%", "direction": "Ingress"}, target=HALF, duration="12s")
    expect = [{"indicator": "Reconnects", "max": "0"}, {"indicator": "OutageCount", "max": "0"}]
    spec = {"faults": [light], "expect": expect, "recovery": "10s"}
    right = inconclusive("TooMuchUnknown", "ListenersGone", "NotMeasured", "TargetsGone", "TooBrief", "NoEffect")
    known = "half of the ears are our own loss"
    return Scenario("listener killed, last mile", known, right, spec, meanwhile=meanwhile)


ALL = (
    dead_air,
    hold_stall,
    garble,
    garble_in_bursts,
    host_leaves,
    uplink_lost,
    uplink_light,
    slow_network,
    last_mile_lost,
    last_mile_light,
    last_mile_idle,
    host_killed_silent,
    relay_killed_silent,
    host_killed_uplink,
    listener_killed_last_mile,
)
