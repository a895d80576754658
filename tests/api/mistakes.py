"""What people write wrongly, and what they must be told: by the API server, and by the models that read files."""

from dataclasses import dataclass
from typing import Any

from tests.api.build import LEAVE_OUT, experiment, game_day, gate, room

A_DURATION = 'write whole hours, minutes, seconds or milliseconds, like "1m30s"'
A_SHARE = 'write a percentage from "0%" to "100%", like "99.5%"'
A_COUNT = 'write a whole number in quotes, like "3"'
A_CRON = 'write five fields, minute hour day-of-month month day-of-week, like "0 3 * * 1-5"'
A_NAME = "write a name of at most 63 lower-case letters, digits and hyphens"
ONE_KIND = "write exactly one kind of fault in an entry (podKill, podEvict, rolloutRestart, scaleDown, configPush, "
NOT_A_DURATION = f"not a valid duration: {A_DURATION}"
ITS_TURN = "leave schedule, suspend and dryRun out of its experiment"
HOW_LONG = (
    "podKill, podEvict, rolloutRestart and containerKill take no duration, and every other kind lasts: "
    'write duration, like "30s"'
)
LOSS = {"name": "one", "target": {"component": "relay"}, "duration": "20s", "packetLoss": {"percent": "5%"}}
EVICTS = {"name": "one", "target": {"component": "relay"}, "podEvict": {}}
RESTARTS = {"name": "one", "target": {"component": "relay"}, "rolloutRestart": {}}
PUSHES = {
    "name": "one",
    "target": {"component": "relay"},
    "duration": "20s",
    "configPush": {"configMap": "livekit", "key": "livekit.yaml", "value": "port: 1"},
}
DRAINS = {"name": "one", "target": {"component": "relay"}, "nodeDrain": {}}
SCALES = {"name": "one", "target": {"component": "relay"}, "scaleDown": {"replicas": 1}}
KILLS_CONTAINER = {"name": "one", "target": {"component": "relay"}, "containerKill": {}}
FREEZES = {"name": "one", "target": {"component": "relay"}, "freeze": {}}
STRESSES = {"name": "one", "target": {"component": "relay"}, "duration": "20s"}
THROTTLES = {"name": "one", "target": {"component": "relay"}, "duration": "20s", "cpuThrottle": {"limit": "200m"}}
MEMORY = "write exactly one of size, percent (of the container's memory limit) and overLimit: true (to go past it)"
A_CPU_LIMIT = 'write CPU cores in quotes, from "50m" to "64", like "200m", "0.5" or "2"'
FLOOD = {
    "name": "one",
    "target": {"component": "relay"},
    "duration": "20s",
    "packetFlood": {"port": "media", "rate": 1000},
}
STORM = {
    "name": "one",
    "target": {"component": "relay", "serving": True},
    "duration": "20s",
    "joinStorm": {"port": "signal", "joins": 50},
}
OPENINGS = {"name": "one", "target": {"component": "relay"}, "duration": "20s"}
KILL = {"name": "one", "target": {"component": "relay"}, "podKill": {}}
SILENCE = {"name": "one", "duration": "20s", "deadAir": {}}
GARBLED = {"name": "one", "duration": "20s", "garble": {}}
CLOSED = {"name": "one", "duration": "20s", "roomUnavailable": {}}
WHOM = "take no target, and every other kind hits pods: write target, like {component: relay}"
ONE_TARGET = "write exactly one of component, for pods under test, and fleet"
OF_COMPONENT = "serving, maxPercent and minReady are of a component's pods"
ONLY_NETWORK = "only the network of the fleet is hit (packetLoss, delay, "
ONLY_MEDIA = "of the fleet only media is hit, which is UDP: leave out ports, and every protocol but UDP"
PROFILE = {"name": "one", "target": {"fleet": "Listeners"}, "duration": "20s"}
AVAILABLE = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "relay", "condition": "Available"}
PORT = {"name": "media", "port": 7880}
RELAY = {"name": "relay", "selector": {"matchLabels": {"app": "relay"}}}


@dataclass(frozen=True)
class Mistake:
    """An object with one mistake in it; `field` and `says` are in what the server and the models answer."""

    name: str
    body: dict[str, Any]
    field: str
    says: str
    model_says: str | None = None  # where it has words of its own

    @property
    def place(self) -> str:
        """The field as the models spell it: faults.0 for faults[0]."""
        return self.field.replace("[", ".").replace("]", "")


def _experiment(name: str, changes: dict[str, Any], field: str, says: str, *own: str) -> Mistake:
    return Mistake(name, experiment(changes), field, says, *own)


def _room(name: str, changes: dict[str, Any], field: str, says: str, *own: str) -> Mistake:
    return Mistake(name, room(changes), field, says, *own)


def _day(name: str, changes: dict[str, Any], field: str, says: str, *own: str) -> Mistake:
    return Mistake(name, game_day(changes), field, says, *own)


def _gate(name: str, changes: dict[str, Any], field: str, says: str, *own: str) -> Mistake:
    return Mistake(name, gate(changes), field, says, *own)


def _flood(name: str, changes: dict[str, Any], field: str, says: str, *own: str) -> Mistake:
    """A flood with other fields; `field` is the one below packetFlood."""
    spec = {key: value for key, value in {"port": "media", "rate": 1000, **changes}.items() if value is not LEAVE_OUT}
    body = experiment({"spec.faults.0": FLOOD | {"packetFlood": spec}})
    return Mistake(name, body, f"spec.faults[0].packetFlood{field}", says, *own)


def _aimed(name: str, target: dict[str, Any], field: str, says: str, *own: str) -> Mistake:
    """A loss with another target; `field` is the one below it."""
    body = experiment({"spec.faults.0": LOSS | {"target": target}})
    return Mistake(name, body, f"spec.faults[0].target{field}", says, *own)


def _at_listeners(name: str, kind: str, spec: dict[str, Any], says: str) -> Mistake:
    """A fault of another kind, of the room's listeners."""
    lasts = {} if kind == "podKill" else {"duration": "20s"}
    fault = {"name": "one", "target": {"fleet": "Listeners"}, **lasts, kind: spec}
    return Mistake(name, experiment({"spec.faults.0": fault}), "spec.faults[0]", says)


def _storm(name: str, changes: dict[str, Any], field: str, says: str, *own: str) -> Mistake:
    """A storm with other fields; `field` is the one below joinStorm."""
    spec = {key: value for key, value in {"port": "signal", "joins": 50, **changes}.items() if value is not LEAVE_OUT}
    body = experiment({"spec.faults.0": STORM | {"joinStorm": spec}})
    return Mistake(name, body, f"spec.faults[0].joinStorm{field}", says, *own)


FORBIDDEN = "Extra inputs are not permitted"
MISTAKES = (
    _experiment("unknown field", {"spec.expekt": []}, "spec.expekt", "unknown field", FORBIDDEN),
    _experiment("unknown kind", {"spec.faults.0.podKil": {}}, "spec.faults[0].podKil", "unknown field", FORBIDDEN),
    _experiment("two kinds in one entry", {"spec.faults.0.packetLoss": {"percent": "5%"}}, "spec.faults[0]", ONE_KIND),
    _experiment("a kill that lasts", {"spec.faults.0.duration": "20s"}, "spec.faults[0]", HOW_LONG),
    _experiment(
        "a loss without an end",
        {"spec.faults.0": {name: value for name, value in LOSS.items() if name != "duration"}},
        "spec.faults[0]",
        HOW_LONG,
    ),
    _experiment("an eviction that lasts", {"spec.faults.0": {**EVICTS, "duration": "20s"}}, "spec.faults[0]", HOW_LONG),
    _experiment("a restart that lasts", {"spec.faults.0": {**RESTARTS, "duration": "20s"}}, "spec.faults[0]", HOW_LONG),
    _experiment(
        "a restart of the relays that serve",
        {"spec.faults.0": {**RESTARTS, "target": {"component": "relay", "serving": True}}},
        "spec.faults[0]",
        "takes the component as a whole, whoever serves: leave out target.serving",
    ),
    _experiment(
        "a push without an end",
        {"spec.faults.0": {key: value for key, value in PUSHES.items() if key != "duration"}},
        "spec.faults[0]",
        HOW_LONG,
    ),
    _experiment(
        "a push of nothing",
        {"spec.faults.0": {**PUSHES, "configPush": {"configMap": "livekit", "key": "livekit.yaml"}}},
        "spec.faults[0].configPush.value",
        "Required value",
        "Field required",
    ),
    _experiment(
        "two pushes at a time",
        {"spec.faults.0": PUSHES, "spec.faults.1": PUSHES | {"name": "two"}},
        "spec",
        "an experiment has one configPush",
    ),
    _experiment("a drain without an end", {"spec.faults.0": DRAINS}, "spec.faults[0]", HOW_LONG),
    _experiment(
        "two drains at a time",
        {"spec.faults.0": DRAINS | {"duration": "9s"}, "spec.faults.1": DRAINS | {"name": "two", "duration": "9s"}},
        "spec",
        "an experiment has one nodeDrain",
    ),
    _experiment("a scaling down without an end", {"spec.faults.0": SCALES}, "spec.faults[0]", HOW_LONG),
    _experiment(
        "a scaling down to less than nothing",
        {"spec.faults.0": {**SCALES, "duration": "20s", "scaleDown": {"replicas": -1}}},
        "spec.faults[0].scaleDown.replicas",
        "greater than or equal to 0",
    ),
    _experiment(
        "a container kill that lasts",
        {"spec.faults.0": {**KILLS_CONTAINER, "duration": "20s"}},
        "spec.faults[0]",
        HOW_LONG,
    ),
    _experiment(
        "a silence without an end", {"spec.faults.0": {"name": "one", "deadAir": {}}}, "spec.faults[0]", HOW_LONG
    ),
    _experiment(
        "a silence of a component",
        {"spec.faults.0": SILENCE | {"target": {"component": "relay"}}},
        "spec.faults[0]",
        WHOM,
    ),
    _experiment(
        "a loss of nobody",
        {"spec.faults.0": {name: value for name, value in LOSS.items() if name != "target"}},
        "spec.faults[0]",
        WHOM,
    ),
    _experiment(
        "two faults of the host at a time",
        {"spec.faults.0": SILENCE, "spec.faults.1": SILENCE | {"name": "two"}},
        "spec",
        "a host carries out one of its own faults (deadAir",
    ),
    _experiment(
        "a door of a component",
        {"spec.faults.0": CLOSED | {"target": {"component": "door"}}},
        "spec.faults[0]",
        WHOM,
    ),
    _experiment(
        "a door that is closed twice at a time",
        {"spec.faults.0": CLOSED, "spec.faults.1": CLOSED | {"name": "two"}},
        "spec",
        "a door carries out each of its faults (roomUnavailable, countSkew) once at a time",
    ),
    _experiment(
        "a door that turns nobody away",
        {"spec.faults.0": CLOSED | {"roomUnavailable": {"percent": "0%"}}},
        "spec.faults[0].roomUnavailable.percent",
        '"0%" has no effect: write more, like "5%"',
    ),
    _experiment(
        "a door that has people wait too long",
        {"spec.faults.0": CLOSED | {"roomUnavailable": {"wait": "2m"}}},
        "spec.faults[0].roomUnavailable.wait",
        'write a duration from "0s" to "1m"',
    ),
    *(
        _experiment(
            f"a wrong count {name}",
            {"spec.faults.0": {"name": "one", "duration": "20s", "countSkew": skew}},
            "spec.faults[0].countSkew",
            "Multiplied takes a factor, and nothing else does",
        )
        for name, skew in (
            ("that is multiplied by nothing", {"shows": "Multiplied"}),
            ("of another kind with a factor", {"shows": "Cumulative", "factor": 3}),
        )
    ),
    *(
        _room(
            f"a start {name}",
            {"spec.program": {"startsAt": text}},
            "spec.program.startsAt",
            'write a time with its zone, like "2026-08-12T20:00:00-04:00"',
        )
        for name, text in (
            ("in words", "tonight at eight"),
            ("without a zone", "2026-08-12T20:00:00"),
            ("on a day that no month has", "2026-06-31T20:00:00Z"),
        )
    ),
    _room(
        "a door without a scheme",
        {"spec.door": {"url": "door:8090/token"}},
        "spec.door.url",
        'write the address of the token endpoint, like "http://door:8090/token"',
    ),
    _room(
        "a door of a component that is not there",
        {"spec.door": {"url": "http://door:8090/token", "component": "door"}},
        "spec",
        "door.component names a component of the room: add it to components, or leave it out",
    ),
    _experiment(
        "a pattern without a repetition",
        {"spec.faults.0": GARBLED | {"garble": {"burst": "1s"}}},
        "spec.faults[0].garble",
        "write burst and every, or neither",
    ),
    _experiment(
        "a pattern that leaves nothing of the host",
        {"spec.faults.0": GARBLED | {"garble": {"burst": "2s", "every": "2400ms"}}},
        "spec.faults[0].garble",
        "between two bursts the host is heard for 500ms at least",
    ),
    _experiment(
        "a burst that nobody would call one",
        {"spec.faults.0": GARBLED | {"garble": {"burst": "500ms", "every": "2s"}}},
        "spec.faults[0].garble.burst",
        'write a duration from "600ms" to "1m"',
    ),
    _experiment("a freeze without an end", {"spec.faults.0": FREEZES}, "spec.faults[0]", HOW_LONG),
    _experiment(
        "a throttle without an end",
        {"spec.faults.0": {key: value for key, value in THROTTLES.items() if key != "duration"}},
        "spec.faults[0]",
        HOW_LONG,
    ),
    _experiment(
        "a throttle to almost nothing",
        {"spec.faults.0": THROTTLES | {"cpuThrottle": {"limit": "49m"}}},
        "spec.faults[0].cpuThrottle.limit",
        A_CPU_LIMIT,
    ),
    _experiment(
        "a throttle in percent",
        {"spec.faults.0": THROTTLES | {"cpuThrottle": {"limit": "20%"}}},
        "spec.faults[0].cpuThrottle.limit",
        A_CPU_LIMIT,
    ),
    _experiment(
        "a stress by nobody",
        {"spec.faults.0": STRESSES | {"cpuStress": {"workers": 0}}},
        "spec.faults[0].cpuStress.workers",
        "should be greater than or equal to 1",
        "Input should be greater than or equal to 1",
    ),
    _experiment(
        "a stress of no load",
        {"spec.faults.0": STRESSES | {"cpuStress": {"load": "0%"}}},
        "spec.faults[0].cpuStress.load",
        '"0%" has no effect',
    ),
    _experiment(
        "a stress of more containers than there may be",
        {"spec.faults.0": STRESSES | {"target": {"component": "relay", "max": 21}, "cpuStress": {}}},
        "spec.faults[0]",
        "a cpuStress has 20 targets at the most: write a smaller target.max",
    ),
    _experiment(
        "a stress of no memory",
        {"spec.faults.0": STRESSES | {"memoryStress": {}}},
        "spec.faults[0].memoryStress",
        MEMORY,
    ),
    _experiment(
        "a stress of memory in two ways",
        {"spec.faults.0": STRESSES | {"memoryStress": {"size": "64Mi", "percent": "90%"}}},
        "spec.faults[0].memoryStress",
        MEMORY,
    ),
    _experiment(
        "a stress of memory in decimal units",
        {"spec.faults.0": STRESSES | {"memoryStress": {"size": "200M"}}},
        "spec.faults[0].memoryStress.size",
        'write memory in quotes, from "1Mi" to "99999Mi" or from "1Gi" to "99Gi", like "200Mi"',
    ),
    _experiment(
        "a stress of all memory",
        {"spec.faults.0": STRESSES | {"memoryStress": {"percent": "100%"}}},
        "spec.faults[0].memoryStress",
        'percent is below the limit: write "99%" or less, or overLimit: true to go past it',
    ),
    _experiment(
        "a stress that does not go over the limit",
        {"spec.faults.0": STRESSES | {"memoryStress": {"overLimit": False}}},
        "spec.faults[0].memoryStress",
        "write overLimit: true, or leave it out and write size or percent",
    ),
    _experiment(
        "a signal that ends nobody",
        {"spec.faults.0": {**KILLS_CONTAINER, "containerKill": {"signal": "SIGCONT"}}},
        "spec.faults[0].containerKill.signal",
        'supported values: "SIGKILL", "SIGTERM"',
        "Input should be 'SIGKILL', 'SIGTERM'",
    ),
    _experiment(
        "a loss of more than all",
        {"spec.faults.0": LOSS | {"packetLoss": {"percent": "101%"}}},
        "spec.faults[0].packetLoss.percent",
        A_SHARE,
    ),
    _experiment(
        "a loss of nothing",
        {"spec.faults.0": LOSS | {"packetLoss": {"percent": "0%"}}},
        "spec.faults[0].packetLoss.percent",
        '"0%" has no effect',
    ),
    _experiment(
        "packets smaller than IP allows",
        {
            "spec.faults.0": {name: value for name, value in LOSS.items() if name != "packetLoss"}
            | {"mtu": {"size": 67}}
        },
        "spec.faults[0].mtu.size",
        "should be greater than or equal to 68",
    ),
    _experiment(
        "a delay of more than five seconds",
        {
            "spec.faults.0": {name: value for name, value in LOSS.items() if name != "packetLoss"}
            | {"delay": {"latency": "6s"}}
        },
        "spec.faults[0].delay.latency",
        'write a duration from "1ms" to "5s"',
    ),
    _aimed(
        "a part of the fleet that is no target",
        {"fleet": "Crowd"},
        ".fleet",
        'Unsupported value: "Crowd": supported values: "Host", "Listeners"',
        "Input should be 'Host' or 'Listeners'",
    ),
    _aimed("a target of nothing", {"max": 1}, "", ONE_TARGET),
    _aimed("a component and the fleet", {"component": "relay", "fleet": "Host"}, "", ONE_TARGET),
    _aimed("ready listeners that must be left", {"fleet": "Listeners", "minReady": 1}, "", OF_COMPONENT),
    _aimed("listeners that serve", {"fleet": "Listeners", "serving": True}, "", OF_COMPONENT),
    _aimed("a largest share of the listeners", {"fleet": "Listeners", "maxPercent": "50%"}, "", OF_COMPONENT),
    _aimed("a share of the host", {"fleet": "Host", "percent": "50%"}, "", "percent is of the room's listener pods"),
    _aimed(
        "a share of a component", {"component": "relay", "percent": "50%"}, "", "percent is of the room's listener pods"
    ),
    _aimed("no listener", {"fleet": "Listeners", "percent": "0%"}, ".percent", '"0%" has no effect'),
    _aimed("several hosts", {"fleet": "Host", "max": 2}, "", "a room has one host, and nothing to choose"),
    _at_listeners("a kill of listeners", "podKill", {}, ONLY_NETWORK),
    _at_listeners("listeners that stand still", "freeze", {}, ONLY_NETWORK),
    _at_listeners("name servers of listeners", "dnsFailure", {}, ONLY_NETWORK),
    _at_listeners("ports of listeners", "packetLoss", {"percent": "5%", "ports": ["media"]}, ONLY_MEDIA),
    _at_listeners("what is no media", "portBlock", {"protocols": ["UDP", "TCP"]}, ONLY_MEDIA),
    _experiment(
        "a silence of the host by a target",
        {"spec.faults.0": SILENCE | {"target": {"fleet": "Host"}}},
        "spec.faults[0]",
        WHOM,
    ),
    _experiment(
        "a network that nobody has published",
        {"spec.faults.0": PROFILE | {"networkProfile": {"name": "Lossy5G"}}},
        "spec.faults[0].networkProfile.name",
        'Unsupported value: "Lossy5G": supported values: "Mobile4G", "Lossy4G"',
        "Input should be 'Mobile4G', 'Lossy4G'",
    ),
    _experiment(
        "any network",
        {"spec.faults.0": PROFILE | {"networkProfile": {}}},
        "spec.faults[0].networkProfile.name",
        "Required value",
        "Field required",
    ),
    _flood(
        "a flood of no bound", {"rate": LEAVE_OUT}, "", "as fast as possible needs a budget: write packets, or a rate"
    ),
    _flood("a flood of no packet", {"packets": 0}, ".packets", "greater than or equal to 1"),
    _flood("a flood that no core sends", {"rate": 5_000_001}, ".rate", "less than or equal to 5000000"),
    _flood("packets that fit no frame", {"size": 1473}, ".size", "less than or equal to 1472"),
    _flood("packets too short for RTP", {"size": 11}, "", "write a size of 12 to 1472"),
    _flood("packets of no STUN", {"shape": "STUN", "size": 22}, "", "its size is a multiple of 4"),
    _flood(
        "packets of another shape",
        {"shape": "SYN"},
        ".shape",
        'Unsupported value: "SYN": supported values: "Random", "RTP", "STUN"',
        "Input should be 'Random', 'RTP' or 'STUN'",
    ),
    _flood("a flood to everywhere", {"port": LEAVE_OUT}, ".port", "Required value", "Field required"),
    _experiment(
        "a flood of hours",
        {"spec.faults.0": FLOOD | {"duration": "11m"}},
        "spec.faults[0]",
        "a packetFlood lasts 10m at the most",
    ),
    _experiment(
        "a flood of a whole deployment",
        {"spec.faults.0": FLOOD | {"target": {"component": "relay", "max": 101}}},
        "spec.faults[0]",
        "a packetFlood has 100 targets at the most",
    ),
    _storm("a storm of no bound", {"joins": LEAVE_OUT}, "", "all at once needs a budget: write joins, or a rate"),
    _storm("a storm of nobody", {"joins": 0}, ".joins", "greater than or equal to 1"),
    _storm("a storm that no pod makes", {"joins": 3001}, ".joins", "less than or equal to 3000"),
    _storm("joins that no pod makes", {"rate": 1001}, ".rate", "less than or equal to 1000"),
    _storm("a ramp of no rate", {"ramp": "5s"}, "", "a ramp is of a rate: write rate"),
    _storm("a ramp of hours", {"rate": 5, "ramp": "6m"}, ".ramp", 'write a duration from "1s" to "5m"'),
    _storm("a storm to everywhere", {"port": LEAVE_OUT}, ".port", "Required value", "Field required"),
    _experiment(
        "retries of no bound",
        {"spec.faults.0": {**OPENINGS, "retryStorm": {"port": "signal", "clients": 50}}},
        "spec.faults[0].retryStorm.tries",
        "Required value",
        "Field required",
    ),
    _experiment(
        "clients who cannot come back",
        {"spec.faults.0": {**OPENINGS, "retryStorm": {"port": "signal", "clients": 50, "tries": 99}}},
        "spec.faults[0].retryStorm",
        "write tries of twice the clients or more",
    ),
    _experiment(
        "clients who are sent away before they are dropped",
        {
            "spec.faults.0": {
                **OPENINGS,
                "duration": "3m",
                "retryStorm": {"port": "signal", "clients": 5, "tries": 99, "drop": "1m", "signallingOnly": True},
            }
        },
        "spec.faults[0].retryStorm",
        "write a drop below 1m, or leave signallingOnly out",
    ),
    _experiment(
        "connections of no bound",
        {"spec.faults.0": {**OPENINGS, "connectionFlood": {"port": "signal"}}},
        "spec.faults[0].connectionFlood",
        "all at once needs a budget: write connections, or a rate",
    ),
    _experiment(
        "connections of another kind",
        {"spec.faults.0": {**OPENINGS, "connectionFlood": {"port": "signal", "rate": 5, "opening": "QUIC"}}},
        "spec.faults[0].connectionFlood.opening",
        'Unsupported value: "QUIC": supported values: "TCP", "WebSocket"',
        "Input should be 'TCP' or 'WebSocket'",
    ),
    _experiment(
        "a storm of hours",
        {"spec.faults.0": STORM | {"duration": "11m"}},
        "spec.faults[0]",
        "a joinStorm lasts 10m at the most",
    ),
    _experiment(
        "a storm of a whole deployment",
        {"spec.faults.0": STORM | {"target": {"component": "relay", "max": 101}}},
        "spec.faults[0]",
        "a joinStorm has 100 targets at the most",
    ),
    _experiment("no kind", {"spec.faults.0.podKill": LEAVE_OUT}, "spec.faults[0]", ONE_KIND),
    _experiment("two faults of one name", {"spec.faults.1": KILL}, "spec", "two faults have the same name"),
    _experiment("no fault", {"spec.faults": []}, "spec.faults", "at least 1 item"),
    _experiment("no room", {"spec.roomRef": LEAVE_OUT}, "spec.roomRef", "Required value", "Field required"),
    _experiment("a room of no name", {"spec.roomRef.name": "Main Stage"}, "spec.roomRef.name", A_NAME),
    _experiment("its own name", {"metadata.name": "relay.kill"}, "metadata.name", A_NAME),
    _experiment("empty expect", {"spec.expect": []}, "spec.expect", "at least 1 item"),
    _experiment("no expect", {"spec.expect": LEAVE_OUT}, "spec.expect", "Required value", "Field required"),
    _experiment(
        "unknown indicator",
        {"spec.expect.0.indicator": "Audibility"},
        "spec.expect[0].indicator",
        'Unsupported value: "Audibility": supported values: "JoinSuccess"',
        "'Audibility' is not an indicator: write one of JoinSuccess, TimeToFirstAudio, ",
    ),
    _experiment(
        "an expectation of nothing",
        {"spec.expect.0": {"min": "70%"}},
        "spec.expect[0]",
        "write exactly one of indicator, kubernetes in an entry",
    ),
    _experiment(
        "two sources in one entry",
        {"spec.expect.0.kubernetes": AVAILABLE},
        "spec.expect[0]",
        "write exactly one of indicator, kubernetes in an entry",
    ),
    _experiment(
        "a condition as a duration",
        {"spec.expect.0": {"kubernetes": AVAILABLE, "max": "5s"}},
        "spec.expect[0]",
        f"is a share: {A_SHARE}",
    ),
    _experiment(
        "the condition of a Secret",
        {"spec.expect.0": {"kubernetes": AVAILABLE | {"apiVersion": "v1", "kind": "Secret"}, "min": "95%"}},
        "spec.expect[0].kubernetes",
        "no expectation reads a Secret: write a kind that has conditions",
    ),
    _experiment(
        "a resource for a kind",
        {"spec.expect.0": {"kubernetes": AVAILABLE | {"kind": "deployments"}, "min": "95%"}},
        "spec.expect[0].kubernetes.kind",
        'write a kind, like "Deployment"',
    ),
    _experiment(
        "an indicator that a crowd cannot tell",
        {"spec.expect.0": {"indicator": "MouthToEar", "listeners": "Crowd", "max": "1s"}},
        "spec.expect[0]",
        "a crowd tells JoinSuccess",
    ),
    _experiment(
        "a source of a crowd",
        {"spec.expect.0": {"kubernetes": AVAILABLE, "listeners": "Crowd", "min": "95%"}},
        "spec.expect[0]",
        "a crowd tells JoinSuccess",
    ),
    _experiment(
        "no such listeners",
        {"spec.expect.0.listeners": "Audience"},
        "spec.expect[0].listeners",
        'Unsupported value: "Audience"',
        "'Fleet', 'Crowd' or 'All'",
    ),
    _experiment(
        "the name of an indicator of a crowd",
        {"spec.expect.0.indicator": "AudibleRatio of the crowd"},
        "spec.expect[0].indicator",
        'Unsupported value: "AudibleRatio of the crowd"',
        "is not an indicator",
    ),
    _experiment("min and max", {"spec.expect.0.max": "80%"}, "spec.expect[0]", "write exactly one of min and max"),
    _experiment(
        "neither min nor max", {"spec.expect.0.min": LEAVE_OUT}, "spec.expect[0]", "write exactly one of min and max"
    ),
    _experiment("share over 100 %", {"spec.expect.0.min": "101%"}, "spec.expect[0]", f"is a share: {A_SHARE}"),
    _experiment("share without unit", {"spec.expect.0.min": "0.7"}, "spec.expect[0]", f"is a share: {A_SHARE}"),
    _experiment(
        "share as a duration", {"spec.expect.0.min": "7s"}, "spec.expect[0]", f"AudibleRatio is a share: {A_SHARE}"
    ),
    _experiment(
        "duration as a share",
        {"spec.expect.0": {"indicator": "RecoveryTime", "max": "5%"}},
        "spec.expect[0]",
        f"RecoveryTime is a duration: {A_DURATION}",
    ),
    _experiment(
        "a recovery that cannot show the bound",
        {
            "spec.expect.0": {"indicator": "RecoveryTime", "max": "25s"},
            "spec.timing": {"baseline": "15s", "recovery": "30s"},
        },
        "spec",
        "RecoveryTime is known 10s after its value: write a timing.recovery of at least its max and 10s",
        "RecoveryTime is known 10s after its value: write a timing.recovery of at least 35s",
    ),
    _experiment(
        "duration of no unit",
        {"spec.expect.0": {"indicator": "LongestDeadAir", "max": "2"}},
        "spec.expect[0]",
        f"LongestDeadAir is a duration: {A_DURATION}",
    ),
    _experiment(
        "count with a unit",
        {"spec.expect.0": {"indicator": "OutageCount", "max": "3s"}},
        "spec.expect[0]",
        f"OutageCount is a count: {A_COUNT}",
    ),
    _experiment(
        "a number for a text",
        {"spec.expect.0": {"indicator": "OutageCount", "max": 3}},
        "spec.expect[0].max",
        "must be of type string",
        "Input should be a valid string",
    ),
    _experiment(
        "above and below", {"spec.abortIf.0.below": "1s"}, "spec.abortIf[0]", "write exactly one of below and above"
    ),
    _experiment(
        "abort in no unit", {"spec.abortIf.0.above": "many"}, "spec.abortIf[0]", f"is a duration: {A_DURATION}"
    ),
    _experiment(
        "abort too late", {"spec.abortIf.0.for": "61m"}, "spec.abortIf[0].for", 'write a duration from "0s" to "1h"'
    ),
    _experiment(
        "decimal duration",
        {"spec.timing.baseline": "1.5s"},
        "spec.timing.baseline",
        NOT_A_DURATION,
    ),
    _experiment("bare duration", {"spec.timing.recovery": "60"}, "spec.timing.recovery", NOT_A_DURATION),
    _experiment(
        "long baseline", {"spec.timing.baseline": "2h"}, "spec.timing.baseline", 'write a duration from "0s" to "1h"'
    ),
    _experiment(
        "long recovery",
        {"spec.timing.recovery": "60m1ms"},
        "spec.timing.recovery",
        'write a duration from "0s" to "1h"',
    ),
    _experiment(
        "no deadline", {"spec.timing.deadline": "0s"}, "spec.timing.deadline", 'write a duration from "1s" to "24h"'
    ),
    _experiment(
        "half a second's grace",
        {"spec.faults.0.podKill.gracePeriod": "1500ms"},
        "spec.faults[0].podKill.gracePeriod",
        'write a duration from "0s" to "10m", in whole seconds',
    ),
    _experiment(
        "more than all pods",
        {"spec.faults.0.target.maxPercent": "100.1%"},
        "spec.faults[0].target.maxPercent",
        f"not a valid share: {A_SHARE}",
    ),
    _experiment(
        "no pods",
        {"spec.faults.0.target.max": 0},
        "spec.faults[0].target.max",
        "should be greater than or equal to 1",
    ),
    *(
        _experiment(name, {"spec.schedule": cron}, "spec.schedule", f"not a cron schedule: {A_CRON}")
        for name, cron in (
            ("a schedule of six fields", "0 0 3 * * *"),
            ("a schedule of four", "0 3 * *"),
            ("a sixty-first minute", "60 3 * * *"),
            ("a month of no name", "0 3 * MAI *"),
            ("a step of nothing", "*/0 * * * *"),
            ("a time zone in the schedule", "CRON_TZ=UTC 0 3 * * *"),
            ("an interval", "@every 1h"),
        )
    ),
    _experiment(
        "a time zone by its offset",
        {"spec.schedule": "@daily", "spec.timeZone": "+02:00"},
        "spec.timeZone",
        'not a time zone: write a name of the IANA database, like "Europe/Zurich" or "UTC"',
    ),
    _experiment("a time zone of nothing", {"spec.timeZone": "UTC"}, "spec", "belong to a schedule: write schedule too"),
    _experiment("a deadline of nothing", {"spec.startingDeadline": "1m"}, "spec", "belong to a schedule"),
    _experiment(
        "a start days late",
        {"spec.schedule": "@daily", "spec.startingDeadline": "48h"},
        "spec.startingDeadline",
        'write a duration from "1s" to "24h"',
    ),
    _room("no address", {"spec.livekit.url": "relay:7880"}, "spec.livekit.url", 'like "ws://relay:7880"'),
    _room("no components", {"spec.components": []}, "spec.components", "at least 1 item"),
    _room("two components of one name", {"spec.components.1": RELAY}, "spec", "two components have the same name"),
    _room(
        "two ports of one name",
        {"spec.components.0.ports.1": PORT},
        "spec.components[0]",
        "two ports of a component have the same name",
    ),
    _room(
        "no such port",
        {"spec.components.0.ports.0.port": 65536},
        "spec.components[0].ports[0].port",
        "less than or equal to 65535",
    ),
    _room(
        "no such protocol",
        {"spec.components.0.ports.0.protocol": "SCTP"},
        "spec.components[0].ports[0].protocol",
        'supported values: "TCP", "UDP"',
        "Input should be 'TCP' or 'UDP'",
    ),
    _room(
        "empty selector",
        {"spec.components.0.selector.matchLabels": {}},
        "spec.components[0].selector.matchLabels",
        "at least 1 properties",
        "at least 1 item",
    ),
    _room("a crowd in one pod", {"spec.listeners.perPod": 21}, "spec.listeners.perPod", "less than or equal to 20"),
    _room(
        "a crowd in too many pods",
        {"spec.listeners.crowd": {"count": 2000, "perPod": 10}},
        "spec.listeners.crowd",
        "a crowd has at most 100 pods: write a larger perPod (3000 at most), or a smaller count",
    ),
    _room(
        "a crowd that one pod does not hold",
        {"spec.listeners.crowd": {"count": 5000, "perPod": 5000}},
        "spec.listeners.crowd.perPod",
        "less than or equal to 3000",
    ),
    _room(
        "a crowd beside an external host",
        {"spec.listeners.crowd": {"count": 100}, "spec.program": {"host": "External"}},
        "spec",
        "a crowd needs program.host: Managed: it cannot tell an external host's pauses from dead air yet",
    ),
    _room(
        "a crowd of nobody",
        {"spec.listeners.crowd": {"count": 0}},
        "spec.listeners.crowd.count",
        "greater than or equal to 1",
    ),
    _room(
        "a crowd without a size",
        {"spec.listeners.crowd": {"hidden": True}},
        "spec.listeners.crowd.count",
        "Required value",
        "Field required",
    ),
    _room(
        "newcomers of a crowd who are a storm",
        {"spec.listeners.crowd": {"count": 100, "arrivals": {"every": "50ms"}}},
        "spec.listeners.crowd.arrivals.every",
        'from "100ms" to "1h"',
    ),
    _room(
        "more newcomers than a pod holds",
        {"spec.listeners.crowd": {"count": 100, "arrivals": {"every": "100ms", "stay": "2m"}}},
        "spec.listeners.crowd",
        "a pod holds 1000 newcomers at a time, and 3000 listeners with those who stay: write a longer arrivals.every",
    ),
    _room(
        "newcomers in a pod that is full",
        {"spec.listeners.crowd": {"count": 100, "perPod": 3000, "arrivals": {}}},
        "spec.listeners.crowd",
        "a shorter arrivals.stay, or a smaller perPod",
    ),
    _room(
        "newcomers of a crowd who stay for ever",
        {"spec.listeners.crowd": {"count": 100, "arrivals": {"stay": "2h"}}},
        "spec.listeners.crowd.arrivals.stay",
        'from "1s" to "1h"',
    ),
    _room("nobody", {"spec.listeners.count": 0}, "spec.listeners.count", "greater than or equal to 1"),
    _room("a rush", {"spec.listeners.arrivals.every": "1ms"}, "spec.listeners.arrivals.every", 'from "100ms" to "1h"'),
    _room(
        "unknown host",
        {"spec.program.host": "managed"},
        "spec.program.host",
        'supported values: "Managed", "External"',
        "Input should be 'Managed' or 'External'",
    ),
    _day("no acts", {"spec.acts": []}, "spec.acts", "at least 1 item"),
    _day("two acts of one name", {"spec.acts.1.name": "kill"}, "spec", "two acts have the same name"),
    _day("an act of nothing", {"spec.acts.0.experimentRef": LEAVE_OUT}, "spec.acts[0]", "exactly one of experimentRef"),
    _day(
        "an act of two", {"spec.acts.1.experimentRef": {"name": "kill"}}, "spec.acts[1]", "exactly one of experimentRef"
    ),
    _day("an act by the clock", {"spec.acts.1.experiment.schedule": "@daily"}, "spec.acts[1]", ITS_TURN),
    _day("an act on paper", {"spec.acts.1.experiment.dryRun": True}, "spec.acts[1]", ITS_TURN),
    _day(
        "an act that breaks two faults' names",
        {"spec.acts.1.experiment.faults.1": KILL},
        "spec.acts[1].experiment",
        "two faults have the same name",
    ),
    _day(
        "a hold that nobody may approve",
        {"spec.acts.1.hold.approval": False},
        "spec.acts[1].hold",
        "this hold never ends",
    ),
    _day(
        "a hold of two ends", {"spec.acts.1.hold.for": "5m"}, "spec.acts[1].hold", "write either approval: true, or for"
    ),
    _day(
        "a hold with a timeout for nobody",
        {"spec.acts.0.hold.timeout": "5m"},
        "spec.acts[0].hold",
        "timeout belongs to",
    ),
    _day("a hold for ever", {"spec.acts.1.hold.timeout": "25h"}, "spec.acts[1].hold.timeout", 'from "1s" to "24h"'),
    _day(
        "an unknown sequel",
        {"spec.onFailure": "Ignore"},
        "spec.onFailure",
        'supported values: "Continue", "Stop"',
        "Input should be 'Continue' or 'Stop'",
    ),
    _day("a window of no end", {"spec.window.end": LEAVE_OUT}, "spec.window.end", "Required value", "Field required"),
    _day("a window backwards", {"spec.window.end": "2026-12-01T19:00:00Z"}, "spec.window", "ends before it starts"),
    _day(
        "a start of no zone", {"spec.window.start": "2026-12-01T19:00:00"}, "spec.window.start", "date, time and zone"
    ),
    _gate(
        "a gate that asks for nothing",
        {"spec.experiments": []},
        "spec.experiments",
        "should have at least 1 items",
        "should have at least 1 item",
    ),
    _gate(
        "a gate without a list", {"spec.experiments": LEAVE_OUT}, "spec.experiments", "Required value", "Field required"
    ),
    _gate("an experiment required twice", {"spec.experiments.1.name": "kill"}, "spec", "have the same name"),
    _gate("a pass that is old at once", {"spec.maxAge": "10s"}, "spec.maxAge", 'from "1m" to "8760h"'),
    _experiment(
        "another reason to run",
        {"spec.runOn": ["Restart"]},
        "spec.runOn[0]",
        'supported values: "ReleaseChange"',
        "Input should be 'ReleaseChange'",
    ),
)
