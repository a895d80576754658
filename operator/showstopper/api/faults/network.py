"""Network faults as they are declared: which packets of the target, in which direction, and what happens to them."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.base import Name, Spec
from showstopper.api.schema.quantities import Duration, DurationBounds, SomePercent, parse_duration
from showstopper.api.schema.rules import Matching, Rule

WRITE_A_RATE = 'write bits a second from "8kbit" to "10Gbit", like "500kbit", "2Mbit" or "1Gbit"'
_RATES = {"kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000}
_RATE = "([89]|[1-9][0-9]{1,4})kbit|[1-9][0-9]{0,3}Mbit|([1-9]|10)Gbit"
"""8 kbit is one small packet every 200 ms: what is slower is a partition."""

Rate = Annotated[str, StringConstraints(max_length=16), Matching(_RATE, WRITE_A_RATE)]


class Direction(StrEnum):
    """A direction of traffic as the target sees it: what comes in, what goes out."""

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
    PARETO = "Pareto"  # as Normal, with a longer tail above


class Profile(StrEnum):
    """Networks of the last mile, by name. What each is, and who published it: `faults/network/profiles.py`."""

    MOBILE_4G = "Mobile4G"
    LOSSY_4G = "Lossy4G"
    MOBILE_3G = "Mobile3G"
    LOSSY_3G = "Lossy3G"
    EDGE = "Edge"
    SATELLITE = "Satellite"


class Peer(Spec):
    """The other side of a target's traffic."""

    component: Name
    """A component of the room. The addresses of its Services count too."""


class NetworkFault(FaultKind):
    """A fault of packets, set up by the agents in the network of each target."""

    hand: ClassVar[Hand] = Hand.AGENT
    aims_at: ClassVar[Aim] = Aim.PODS


class TrafficFault(NetworkFault):
    """A network fault on chosen packets. What is left out chooses all of them."""

    hits_fleet: ClassVar[bool] = True

    direction: Direction = Direction.BOTH
    """Ingress: packets to the target. Egress: packets from the target."""
    ports: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    """Only packets to and from these ports of the target, by their names in the room. Default: all ports."""
    peers: Annotated[tuple[Peer, ...], Field(max_length=8)] = ()
    """Only packets to and from these components. Default: everybody."""

    @property
    def port_names(self) -> tuple[str, ...]:
        """The ports of its target that it names."""
        return self.ports

    @property
    def peer_components(self) -> tuple[str, ...]:
        """The components that are its peers; none: everybody."""
        return tuple(peer.component for peer in self.peers)

    @property
    def reaches_media(self) -> bool:
        """What goes to everybody goes to listeners; peers are components."""
        return not self.peers

    @property
    def names_more_than_media(self) -> bool:
        """Ports of its target: the fleet declares none."""
        return bool(self.ports)

    @property
    def means_everything(self) -> bool:
        """Neither ports nor peers are named."""
        return not self.ports and not self.peers


class PacketLoss(TrafficFault):
    """Silently drops a share of the packets."""

    percent: SomePercent
    """Share of the packets to drop, on average."""
    burst: Annotated[Duration, DurationBounds("10ms", "10s")] | None = None
    """Drop packets in bursts of this length. The average loss stays at `percent`. Default: drop single packets."""

    rules = (
        Rule(
            "!has(self.burst) || self.percent != '100%'",
            "bursts need a percent below 100%: leave out burst",
            holds=lambda loss: loss.burst is None or loss.percent < 1,
        ),
    )


class Delay(TrafficFault):
    """Every packet arrives later."""

    latency: Annotated[Duration, DurationBounds("1ms", "5s")]
    """How much later each packet arrives."""
    jitter: Annotated[Duration, DurationBounds("0s", "5s")] = parse_duration("0s")
    """How much the latency varies; at most the latency. Packets then overtake each other, as they do under netem."""
    distribution: Distribution = Distribution.UNIFORM
    """How it varies: Uniform (evenly over latency ± jitter), Normal or Pareto (jitter is the standard deviation, and no
    packet is delayed by more than the latency and four times the jitter)."""

    rules = (
        Rule(
            "!has(self.jitter) || duration(self.jitter) <= duration(self.latency)",
            "jitter is larger than the latency: no packet arrives before it was sent",
            holds=lambda delay: delay.jitter <= delay.latency,
        ),
    )


class Duplicate(TrafficFault):
    """A share of the packets arrives twice."""

    percent: SomePercent
    """Share of the packets to duplicate."""


class Corrupt(TrafficFault):
    """A share of the packets arrives with four bytes of its payload overwritten: 24 to 27 of a UDP payload, 32 to 35
    from the beginning of a TCP header. Shorter packets, such as the acknowledgements of TCP, are not meant.
    """

    percent: SomePercent
    """Share of the packets to corrupt."""


class Reorder(TrafficFault):
    """A share of the packets is held back, so that those behind it overtake."""

    percent: SomePercent
    """Share of the packets to hold back."""
    hold: Annotated[Duration, DurationBounds("1ms", "5s")] = parse_duration("50ms")
    """How long they are held back."""


class Bandwidth(TrafficFault):
    """No more bits a second than this pass. The rest waits, and what waits too long is lost."""

    rate: Rate
    """Bits a second, with Ethernet headers: "500kbit", "2Mbit", "1Gbit"."""
    queue: Annotated[Duration, DurationBounds("1ms", "5s")] = parse_duration("50ms")
    """The longest that a packet waits before it is lost."""

    @property
    def bits_per_second(self) -> int:
        """The rate as a number."""
        return int(self.rate[:-4]) * _RATES[self.rate[-4:]]


class Mtu(TrafficFault):
    """Silently drops packets above a size, as a broken tunnel does: large media stops, TCP connects and then hangs."""

    size: Annotated[int, Field(ge=68, le=9000)]
    """Largest packet that still passes, in bytes from its IP header on. 68 is the least that IP allows (RFC 791)."""


class Partition(TrafficFault):
    """Silently drops all traffic between the target and its peers. Connections hang instead of failing."""

    peers: Annotated[tuple[Peer, ...], Field(min_length=1, max_length=8)]
    """The components that are cut off from the target. The addresses of their Services count too."""


class PortBlock(TrafficFault):
    """Silently drops all packets of these protocols, for example all UDP, so that clients must take TCP."""

    protocols: Annotated[tuple[Protocol, ...], Field(min_length=1, max_length=2)]
    """UDP, TCP or both."""

    @property
    def reaches_media(self) -> bool:
        """Media comes by UDP."""
        return super().reaches_media and Protocol.UDP in self.protocols

    @property
    def names_more_than_media(self) -> bool:
        """Ports, or TCP."""
        return super().names_more_than_media or Protocol.TCP in self.protocols


class NetworkProfile(TrafficFault):
    """Bandwidth, latency, jitter and loss at once, of a network that people have. Ingress is its downlink."""

    name: Profile
    """Which network, with the bits a second that it carries down and up, latency and jitter of each way, and loss.
    Mobile4G: 100Mbit and 50Mbit, 45ms, jitter 5ms down and 15ms up, 0.2%. Lossy4G: 7Mbit and 3Mbit, 60ms, 1%.
    Mobile3G: 1200kbit, 250ms, jitter 50ms, 0.5%. Lossy3G: 200kbit and 50kbit, 100ms, 1%. Edge: 200kbit and 260kbit,
    650ms, jitter 100ms, 1%. Satellite: 1000kbit and 256kbit, 600ms, no loss."""


class DnsFailure(NetworkFault):
    """The target's queries to name servers get no answer."""


class NetworkKinds(Spec):
    """A choice of one network fault: a field for each kind."""

    packet_loss: PacketLoss | None = None
    delay: Delay | None = None
    duplicate: Duplicate | None = None
    corrupt: Corrupt | None = None
    reorder: Reorder | None = None
    bandwidth: Bandwidth | None = None
    mtu: Mtu | None = None
    partition: Partition | None = None
    port_block: PortBlock | None = None
    dns_failure: DnsFailure | None = None
    network_profile: NetworkProfile | None = None
