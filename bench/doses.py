"""The rows of the table of faults: each fault in some doses, at the relay that serves or of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RELAY = {"component": "relay", "serving": True, "max": 1}
BOTH = {"component": "relay", "max": 2}
WHOEVER_IS_THERE = {"component": "relay", "serving": True, "max": 3}
"""With the other relay and the store, if these are on its node."""
LASTS = "15s"
_TO_LISTENERS = {"direction": "Egress", "ports": ["media"]}


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
        of_host: whether the host carries it out, on itself.
        target: as in YAML. None: the relay that serves.
    """

    name: str
    kind: str
    dose: str
    spec: dict[str, Any]
    lasts: str | None = LASTS
    ends_flow: bool = False
    of_host: bool = False
    target: dict[str, Any] | None = None

    @property
    def fault(self) -> dict[str, Any]:
        """The fault of an Experiment."""
        duration = {"duration": self.lasts} if self.lasts else {}
        target = {} if self.of_host else {"target": self.target or RELAY}
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
    Row("dead-air", "deadAir", "silence", {}, of_host=True),
    Row("hold-stall", "holdStall", "hold music", {}, of_host=True),
    Row("garble", "garble", "all its sound", {}, of_host=True),
    Row("garble-bursts", "garble", "1 s of every 3 s", {"burst": "1s", "every": "3s"}, of_host=True),
    Row("host-leaves", "hostLeaves", "out of the room", {}, ends_flow=True, of_host=True),
    Row("flood", "packetFlood", "20,000 RTP packets/s", {"port": "media", "shape": "RTP", "rate": 20000}),
    Row("container-kill", "containerKill", "SIGKILL", {}, lasts=None, ends_flow=True),
    Row("pod-kill", "podKill", "without grace", {"gracePeriod": "0s"}, lasts=None, ends_flow=True),
    Row("pod-evict", "podEvict", "with the pod's own grace", {}, lasts=None, ends_flow=True),
    Row("rollout-restart", "rolloutRestart", "all relays, in turn", {}, lasts=None, ends_flow=True, target=BOTH),
    Row("scale-down", "scaleDown", "to one relay", {"replicas": 1}, target=BOTH, lasts="45s"),
    Row("node-drain", "nodeDrain", "the node of the relay", {}, ends_flow=True, target=WHOEVER_IS_THERE, lasts="45s"),
)
