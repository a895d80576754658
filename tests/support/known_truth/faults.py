"""Each fault alone, in a random dose: the bounds are far from what such a dose can do, on either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from tests.support.known_truth.scenario import FAILS, PASSES, Right, Scenario, inconclusive, lenient
from tests.support.staged_room import Object, Show

RELAY = {"component": "relay", "serving": True, "max": 1}
SPARE = {"component": "relay", "serving": False, "max": 1}
TO_LISTENERS = {"direction": "Egress", "ports": ["media"]}
RECOVERY = "36s"
"""RecoveryTime of 25 s needs ten seconds more to be seen. Clients that find another relay take 5 to 15."""

HEARD = ({"indicator": "AudibleRatio", "min": "80%"},)
SHORT = ({"indicator": "LongestDeadAir", "max": "1s"},)
LONG = ({"indicator": "LongestDeadAir", "max": "60s"}, {"indicator": "RecoveryTime", "max": "25s"})


def fault(kind: str, spec: Object, *, target: Object = RELAY, duration: str | None = None) -> Object:
    """A fault of an Experiment."""
    lasts = {"duration": duration} if duration else {}
    return {"name": kind.lower(), "target": dict(target), **lasts, kind: spec}


def alone(
    kind: str, known: str, right: Right, *faults: Object, expect: Sequence[Object] = HEARD, recovery: str = "6s"
) -> Scenario:
    """A scenario in which nothing happens but the fault."""
    spec: dict[str, Any] = {"faults": list(faults), "expect": list(expect), "recovery": recovery}
    return Scenario(kind, known, right, spec)


def some_seconds(random: Random, least: int = 5, most: int = 8) -> str:
    return f"{random.randint(least, most)}s"


def borne(kind: str, known: str, *faults: Object) -> Scenario:
    return alone(kind, known, PASSES, *faults)


def silent(random: Random, kind: str, known: str, *faults: Object) -> Scenario:
    """Certainly more than a second of dead air, and certainly less than a minute, unless LiveKit splits the room.

    Two of eight relays that stood still for 3 to 4 s came back into a room of their own: those who stayed in it never
    heard the host again, and Failed is true. Then the relays have to say so.
    """
    if random.random() < 0.5:
        return alone(kind, f"{known}: more than 1 s is missed", FAILS, *faults, expect=SHORT)
    bounded = alone(kind, f"{known}: 60 s are met", {**PASSES, **FAILS}, *faults, expect=LONG, recovery=RECOVERY)
    return replace(bounded, objection=unless_split)


def unless_split(show: Show, run: Object) -> str:
    failed = run["status"]["verdict"] == "Failed"
    return "the room is not split, and came back" if failed and not show.split() else ""


def light_loss(random: Random) -> Scenario:
    """Opus conceals what is lost."""
    dose = {"percent": f"{random.randint(5, 20)}%", **TO_LISTENERS}
    fault_ = fault("packetLoss", dose, duration=some_seconds(random))
    return borne("light loss", "up to 20 % is concealed, and heard", fault_)


def total_loss(random: Random) -> Scenario:
    """No packet of the sound arrives."""
    lost = fault("packetLoss", {"percent": "100%", **TO_LISTENERS}, duration=some_seconds(random, 4, 6))
    return silent(random, "total loss", "nothing arrives for 4 to 6 s", lost)


def delay(random: Random) -> Scenario:
    """What comes late is heard all the same. How late is another indicator."""
    late = fault("delay", {"latency": f"{random.randint(50, 150)}ms", **TO_LISTENERS}, duration=some_seconds(random))
    return borne("delay", "sound that comes 0.15 s late is heard", late)


def long_delay(random: Random) -> Scenario:
    """Above the bound by more than a hundred milliseconds for most of the window."""
    latency = f"{random.randint(400, 480)}ms"
    late = fault("delay", {"latency": latency, **TO_LISTENERS}, duration="12s")
    expect = ({"indicator": "MouthToEar", "max": "150ms"},)
    return alone("long delay", "no ear is within 0.15 s of the mouth", FAILS, late, expect=expect)


def duplicate(random: Random) -> Scenario:
    """A packet that comes twice is heard once."""
    twice = {"percent": f"{random.randint(10, 60)}%", **TO_LISTENERS}
    return borne("duplicate", "twice is heard once", fault("duplicate", twice, duration=some_seconds(random)))


def corrupt(random: Random) -> Scenario:
    """SRTP throws a damaged packet away: a light loss."""
    damaged = {"percent": f"{random.randint(5, 15)}%", **TO_LISTENERS}
    return borne("corrupt", "as a loss of up to 15 %", fault("corrupt", damaged, duration=some_seconds(random)))


def reorder(random: Random) -> Scenario:
    """The jitter buffer puts packets in order."""
    held = {"percent": f"{random.randint(5, 20)}%", "hold": "60ms", **TO_LISTENERS}
    return borne("reorder", "the jitter buffer holds 60 ms", fault("reorder", held, duration=some_seconds(random)))


def bandwidth(random: Random) -> Scenario:
    """How much of it is heard depends on the SDK: only the evidence is known."""
    narrow = {"rate": f"{random.randint(60, 120)}kbit", "direction": "Egress"}
    lasts = fault("bandwidth", narrow, duration=some_seconds(random))
    return alone("bandwidth", "something is heard in the end", PASSES, lasts, expect=lenient(), recovery="15s")


def small_mtu(random: Random) -> Scenario:
    """No packet of the sound is so small."""
    tunnel = {"size": random.randint(80, 110), **TO_LISTENERS}
    lasts = fault("mtu", tunnel, duration=some_seconds(random, 4, 6))
    return silent(random, "small mtu", "all packets of the sound are larger", lasts)


def large_mtu(random: Random) -> Scenario:
    """No packet of the sound is so large."""
    tunnel = {"size": random.randint(1400, 1490), **TO_LISTENERS}
    lasts = fault("mtu", tunnel, duration=some_seconds(random))
    return alone("large mtu", "no packet is larger: nothing was tested", inconclusive("NoEffect"), lasts)


def blocked_media(random: Random) -> Scenario:
    """All UDP of the relay, both ways."""
    blocked = {"protocols": ["UDP"], "ports": ["media"]}
    lasts = fault("portBlock", blocked, duration=some_seconds(random, 3, 5))
    return silent(random, "blocked media", "no sound passes for 3 to 5 s", lasts)


def cut_off_from_store(random: Random) -> Scenario:
    """Whoever is in may hear on: only the evidence is known."""
    cut = fault("partition", {"peers": [{"component": "store"}]}, duration=some_seconds(random))
    return alone("store cut off", "something is heard", PASSES, cut, expect=lenient(), recovery="25s")


def idle_store(random: Random) -> Scenario:
    """The store asks no name server."""
    quiet = fault("dnsFailure", {}, target={"component": "store"}, duration=some_seconds(random, 2, 4))
    return alone("idle store", "nobody asks: nothing was tested", inconclusive("NoEffect"), quiet, expect=lenient())


def idle_relay(random: Random) -> Scenario:
    """No media passes a relay that serves nobody."""
    lost = {"percent": f"{random.randint(20, 100)}%", **TO_LISTENERS}
    quiet = fault("packetLoss", lost, target=SPARE, duration=some_seconds(random, 2, 4))
    return alone("idle relay", "no media passes it: nothing was tested", inconclusive("NoEffect"), quiet)


def freeze(random: Random) -> Scenario:
    """Not a single packet leaves a process that stands still."""
    still = fault("freeze", {}, duration=some_seconds(random, 3, 4))
    return silent(random, "freeze", "a relay that stands still for 3 s sends nothing", still)


def throttle(random: Random) -> Scenario:
    """How it sounds depends on the machine: only the evidence is known."""
    slow = fault("cpuThrottle", {"limit": f"{random.randint(50, 90)}m"}, duration="8s")
    return alone("throttle", "something is heard", PASSES, slow, expect=lenient(), recovery="15s")


def flood(random: Random) -> Scenario:
    """How the relay bears it depends on the machine: only the evidence is known."""
    packets = {"port": "media", "shape": "RTP", "rate": random.choice([2000, 5000, 10000])}
    sent = fault("packetFlood", packets, duration="6s")
    return alone("flood", "something is heard", PASSES, sent, expect=lenient(), recovery="10s")


def storm(random: Random) -> Scenario:
    """How the relay bears it depends on the machine: only the evidence is known."""
    joins = {"port": "signal", "joins": random.randint(20, 60), "rate": random.choice([10, 20, 30])}
    made = fault("joinStorm", joins, duration="10s")
    return alone("storm", "something is heard", PASSES, made, expect=lenient(), recovery="10s")


def process_kill(random: Random) -> Scenario:
    """Its clients notice after some seconds, and find another relay."""
    return silent(random, "process kill", "clients need seconds to find another", fault("containerKill", {}))


def pod_kill(random: Random) -> Scenario:
    """Its clients notice after some seconds, and find another relay."""
    killed = fault("podKill", {"gracePeriod": "0s"}, target={**RELAY, "minReady": 1})
    return silent(random, "pod kill", "clients need seconds to find another", killed)


def spare_kill(_random: Random) -> Scenario:
    """Nobody is connected to it."""
    killed = fault("podKill", {"gracePeriod": "0s"}, target={**SPARE, "minReady": 1})
    strict = ({"indicator": "AudibleRatio", "min": "95%"},)
    scenario = alone("spare kill", "nobody is connected to it", PASSES, killed, expect=strict)

    def objection(show: Show, run: Object) -> str:
        gone = [target["uid"] for target in run["status"]["targets"] if target["uid"] in show.relays()]
        return f"a target is still there: {gone}" if gone else ""

    return replace(scenario, objection=objection)


ALL = (
    light_loss,
    total_loss,
    delay,
    long_delay,
    duplicate,
    corrupt,
    reorder,
    bandwidth,
    small_mtu,
    large_mtu,
    blocked_media,
    cut_off_from_store,
    idle_store,
    idle_relay,
    freeze,
    throttle,
    flood,
    storm,
    process_kill,
    pod_kill,
    spare_kill,
)
