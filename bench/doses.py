"""The rows of the table of faults: each fault in some doses, at the relay that serves, or of the host or listeners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from dev.cluster import paths

RELAY = {"component": "relay", "serving": True, "max": 1}
HOST = {"fleet": "Host"}
HALF_OF_LISTENERS = {"fleet": "Listeners", "percent": "50%"}
ALL_LISTENERS = {"fleet": "Listeners", "percent": "100%"}
BOTH = {"component": "relay", "max": 2}
WHOEVER_IS_THERE = {"component": "relay", "serving": True, "max": 3}
"""With the other relay and the store, if these are on its node."""
LASTS = "15s"
WITH_DOOR = ("door.enabled=true",)
_UP = {"direction": "Egress"}
_TO_LISTENERS = {"direction": "Egress", "ports": ["media"]}
_RETRIES = {"port": "signal", "clients": 100, "tries": 2000, "rate": 40, "drop": "8s"}
_OPENINGS = {"port": "signal", "opening": "WebSocket", "rate": 100}
_A_BILLION = {"shows": "Multiplied", "factor": 700}
_EXAMPLE = yaml.safe_load((paths.PROJECT / "examples" / "relay-config-push.yaml").read_text())
_CONFIG = _EXAMPLE["spec"]["faults"][0]["configPush"]
"""The stage's own configuration, but for a word."""


@dataclass(frozen=True, slots=True)
class Row:
    """A fault in a dose.

    Attributes:
        name: of the row.
        kind: as in YAML.
        dose: in words.
        spec: as in YAML.
        lasts: how long. None: an instant.
        ends_flow: whether nothing comes from the target any more. Then a receiver counts no packet as lost.
        target: as in YAML. None: host or door carry it out, on themselves.
        values: of the stage's chart, as helm's --set takes them.
    """

    name: str
    kind: str
    dose: str
    spec: dict[str, Any]
    lasts: str | None = LASTS
    ends_flow: bool = False
    target: dict[str, Any] | None = field(default_factory=lambda: RELAY)
    values: tuple[str, ...] = ()

    @property
    def fault(self) -> dict[str, Any]:
        """The fault of an Experiment."""
        duration = {"duration": self.lasts} if self.lasts else {}
        target = {"target": self.target} if self.target is not None else {}
        return {"name": self.name, **target, **duration, self.kind: self.spec}


ROWS = (
    Row("loss-5", "packetLoss", "5 % of what it sends", {"percent": "5%", **_TO_LISTENERS}),
    Row("loss-20", "packetLoss", "20 % of what it sends", {"percent": "20%", **_TO_LISTENERS}),
    Row("loss-50", "packetLoss", "50 % of what it sends", {"percent": "50%", **_TO_LISTENERS}),
    Row("bursts", "packetLoss", "20 %, in bursts of 500 ms", {"percent": "20%", "burst": "500ms", **_TO_LISTENERS}),
    Row("delay", "delay", "200 ms", {"latency": "200ms", **_TO_LISTENERS}),
    Row("jitter", "delay", "100 ± 80 ms", {"latency": "100ms", "jitter": "80ms", **_TO_LISTENERS}),
    Row("duplicate", "duplicate", "20 %", {"percent": "20%", **_TO_LISTENERS}),
    Row("corrupt", "corrupt", "20 %", {"percent": "20%", **_TO_LISTENERS}),
    Row("reorder", "reorder", "20 %, held 100 ms", {"percent": "20%", "hold": "100ms", **_TO_LISTENERS}),
    Row("bandwidth-200", "bandwidth", "200 kbit/s for all", {"rate": "200kbit", "direction": "Egress"}),
    Row("bandwidth-100", "bandwidth", "100 kbit/s for all", {"rate": "100kbit", "direction": "Egress"}),
    Row("mtu", "mtu", "100 bytes", {"size": 100, **_TO_LISTENERS}),
    Row("partition-store", "partition", "from the store", {"peers": [{"component": "store"}]}, ends_flow=True),
    Row("block-udp", "portBlock", "media over UDP", {"protocols": ["UDP"], "ports": ["media"]}, ends_flow=True),
    Row("dns", "dnsFailure", "all questions", {}),
    Row("freeze", "freeze", "all its processes", {}, lasts="5s"),
    Row("cpu-throttle", "cpuThrottle", "a tenth of a core", {"limit": "100m"}),
    Row("cpu-stress", "cpuStress", "a busy worker", {"workers": 1}),
    Row("memory-edge", "memoryStress", "95 % of its limit in use", {"percent": "95%"}),
    Row("memory-over", "memoryStress", "over its limit", {"overLimit": True}, ends_flow=True),
    Row("dead-air", "deadAir", "silence", {}, target=None),
    Row("hold-stall", "holdStall", "hold music", {}, target=None),
    Row("garble", "garble", "all its sound", {}, target=None),
    Row("garble-bursts", "garble", "1 s of every 3 s", {"burst": "1s", "every": "3s"}, target=None),
    Row("host-leaves", "hostLeaves", "out of the room", {}, ends_flow=True, target=None),
    Row("uplink-cut", "packetLoss", "100 % of the host's", {"percent": "100%"}, ends_flow=True, target=HOST),
    Row("uplink-30", "packetLoss", "30 % of what the host sends", {"percent": "30%", **_UP}, target=HOST),
    Row("uplink-4g", "networkProfile", "Lossy4G, of the host", {"name": "Lossy4G"}, target=HOST),
    Row("uplink-edge", "networkProfile", "Edge, of the host", {"name": "Edge"}, target=HOST),
    Row(
        "last-mile-cut",
        "packetLoss",
        "100 % of half of the listeners'",
        {"percent": "100%"},
        ends_flow=True,
        target=HALF_OF_LISTENERS,
    ),
    Row("last-mile-4g", "networkProfile", "Lossy4G, of all listeners", {"name": "Lossy4G"}, target=ALL_LISTENERS),
    Row("last-mile-3g", "networkProfile", "Lossy3G, of all listeners", {"name": "Lossy3G"}, target=ALL_LISTENERS),
    Row("flood", "packetFlood", "20,000 RTP packets/s", {"port": "media", "shape": "RTP", "rate": 20000}),
    Row("storm", "joinStorm", "200 joins at 20/s", {"port": "signal", "joins": 200, "rate": 20}),
    Row("retry-storm", "retryStorm", "100 are dropped and come back at once", _RETRIES, lasts="30s"),
    Row("connection-flood", "connectionFlood", "100 WebSockets/s without a token", _OPENINGS),
    Row("container-kill", "containerKill", "SIGKILL", {}, lasts=None, ends_flow=True),
    Row("pod-kill", "podKill", "without grace", {"gracePeriod": "0s"}, lasts=None, ends_flow=True),
    Row("pod-evict", "podEvict", "with the pod's own grace", {}, lasts=None, ends_flow=True),
    Row("rollout-restart", "rolloutRestart", "all relays, in turn", {}, lasts=None, ends_flow=True, target=BOTH),
    Row("config-push", "configPush", "a word more in the log, all relays restarted", _CONFIG, target=BOTH, lasts="90s"),
    Row("scale-down", "scaleDown", "to one relay", {"replicas": 1}, target=BOTH, lasts="45s"),
    Row("node-drain", "nodeDrain", "the node of the relay", {}, ends_flow=True, target=WHOEVER_IS_THERE, lasts="45s"),
    Row("unavailable", "roomUnavailable", "to four of five", {"percent": "80%"}, target=None, values=WITH_DOOR),
    Row("count-skew", "countSkew", "700 times as many", _A_BILLION, target=None, values=WITH_DOOR),
)
