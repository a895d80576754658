"""Network faults as they are declared: which packets of the target, in which direction, and what happens to them."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from showstopper.api.base import Name, Spec
from showstopper.api.quantities import Between, Duration, NotZero, Percent, parse_duration
from showstopper.api.rules import Matching, Rule

WRITE_A_RATE = 'write bits a second from "8kbit" to "10Gbit", like "500kbit", "2Mbit" or "1Gbit"'
_RATES = {"kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000}
# 8 kbit is one small packet every 200 ms: what is slower is a partition.
_RATE = "([89]|[1-9][0-9]{1,4})kbit|[1-9][0-9]{0,3}Mbit|([1-9]|10)Gbit"
Rate = Annotated[str, StringConstraints(max_length=16), Matching(_RATE, WRITE_A_RATE)]
SomePercent = Annotated[Percent, NotZero()]
"""A share that is not zero."""


def bits_per_second(rate: str) -> int:
    """A rate such as "2Mbit" in bits a second."""
    return int(rate[:-4]) * _RATES[rate[-4:]]


class Direction(StrEnum):
    """As the target sees it: what comes in, what goes out."""

    INGRESS = "Ingress"
    EGRESS = "Egress"
    BOTH = "Both"

    @property
    def single(self) -> tuple["Direction", ...]:
        """The one or two directions that this is."""
        return (Direction.INGRESS, Direction.EGRESS) if self is Direction.BOTH else (self,)


class Protocol(StrEnum):
    """The transport protocols that have ports."""

    UDP = "UDP"
    TCP = "TCP"


class Distribution(StrEnum):
    """How delays spread."""

    UNIFORM = "Uniform"  # evenly over latency ± jitter
    NORMAL = "Normal"  # the jitter is the standard deviation
    PARETO = "Pareto"  # as Normal, with the long tail that Pareto's distribution has


class Peer(Spec):
    """The other side of a target's traffic."""

    component: Name
    """A component of the room; its Services' addresses count too."""


class NetworkFault(Spec):
    """What all network faults can say of the packets that they mean. What is left out means all."""

    direction: Direction = Direction.BOTH
    """Ingress: what comes to the target. Egress: what it sends."""
    ports: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    """Only packets to and from these ports of the target, by their names in the room."""
    peers: Annotated[tuple[Peer, ...], Field(max_length=8)] = ()
    """Only packets to and from these."""


class PacketLoss(NetworkFault):
    """Silently drops a share of the packets."""

    percent: SomePercent
    """Share of the packets to drop, on average."""
    burst: Annotated[Duration, Between("10ms", "10s")] | None = None
    """Drop packets in bursts of this length; the average loss stays at `percent`. Default: drop single packets."""

    rules = (Rule("!has(self.burst) || self.percent != '100%'", "bursts need a percent below 100%: leave out burst"),)

    @model_validator(mode="after")
    def _bursts_end(self) -> Self:
        if self.burst is not None and self.percent >= 1:
            raise ValueError("bursts need a percent below 100%: leave out burst")
        return self


class Delay(NetworkFault):
    """Every packet arrives later."""

    latency: Annotated[Duration, Between("1ms", "5s")]
    """How much later."""
    jitter: Annotated[Duration, Between("0s", "5s")] = parse_duration("0s")
    """How much that varies; at most the latency. Packets then overtake each other, as they do under netem."""
    distribution: Distribution = Distribution.UNIFORM
    """How it varies: Uniform (evenly over latency ± jitter), Normal or Pareto (jitter is the standard deviation)."""

    rules = (
        Rule(
            "!has(self.jitter) || duration(self.jitter) <= duration(self.latency)",
            "jitter is larger than the latency: no packet arrives before it was sent",
        ),
    )

    @model_validator(mode="after")
    def _no_time_travel(self) -> Self:
        if self.jitter > self.latency:
            raise ValueError("jitter is larger than the latency: no packet arrives before it was sent")
        return self


class Duplicate(NetworkFault):
    """A share of the packets arrives twice."""

    percent: SomePercent
    """Share of the packets to duplicate."""


class Corrupt(NetworkFault):
    """A share of the packets arrives with some of its payload overwritten."""

    percent: SomePercent
    """Share of the packets to corrupt."""


class Reorder(NetworkFault):
    """A share of the packets is held back, so that those behind it overtake."""

    percent: SomePercent
    """Share of the packets to hold back."""
    hold: Annotated[Duration, Between("1ms", "5s")] = parse_duration("50ms")
    """How long they are held back."""


class Bandwidth(NetworkFault):
    """No more bits a second than this pass; the rest waits, and what waits too long is lost."""

    rate: Rate
    """Bits a second, with Ethernet headers: "500kbit", "2Mbit", "1Gbit"."""
    queue: Annotated[Duration, Between("1ms", "5s")] = parse_duration("50ms")
    """How long a packet waits at the most."""


class Partition(NetworkFault):
    """Nothing passes between the target and its peers, in silence: connections hang, nobody gets an error."""

    peers: Annotated[tuple[Peer, ...], Field(min_length=1, max_length=8)]
    """Who is cut off from the target; its Services' addresses count too."""


class PortBlock(NetworkFault):
    """Nothing passes on these protocols (for example all UDP, so that clients must take TCP), in silence."""

    protocols: Annotated[tuple[Protocol, ...], Field(min_length=1, max_length=2)]
    """UDP, TCP or both."""


class DnsFailure(Spec):
    """The target's questions to name servers get no answer."""


NETWORK_KINDS = {
    "packetLoss": "packet_loss",
    "delay": "delay",
    "duplicate": "duplicate",
    "corrupt": "corrupt",
    "reorder": "reorder",
    "bandwidth": "bandwidth",
    "partition": "partition",
    "portBlock": "port_block",
    "dnsFailure": "dns_failure",
}
"""The kinds of network fault: as written in YAML, and as named in models."""
