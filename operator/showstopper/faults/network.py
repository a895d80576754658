"""Network faults of one target: which of its packets, in which direction, and what happens to how many of them."""

from dataclasses import dataclass
from datetime import timedelta

from showstopper.api.network import Direction, Distribution, Protocol
from showstopper.api.quantities import Share

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Ports:
    """A range of ports, both ends included."""

    first: int
    last: int

    @classmethod
    def one(cls, port: int) -> "Ports":
        """A single port."""
        return cls(port, port)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Which packets of the target are meant. Everything that is given must hold.

    Attributes:
        protocols: none: every packet, whatever its protocol.
        own_ports: the target's own: where an ingress packet goes to, where an egress packet comes from.
        peer_ports: the other side's.
        peers: addresses or CIDRs of the other side, Service addresses included (at a pod's egress the destination is
            still the cluster IP). None: everyone. An empty tuple is refused: "these peers, of whom there are none"
            must never become "everyone".
    """

    direction: Direction = Direction.BOTH
    protocols: frozenset[Protocol] = frozenset()
    own_ports: tuple[Ports, ...] = ()
    peer_ports: tuple[Ports, ...] = ()
    peers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class PacketLoss:
    """A share of the packets is lost; with a burst length all of them, for that long, so often that the share holds."""

    share: Share
    burst: timedelta = NOTHING


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A share of the packets comes twice."""

    share: Share


@dataclass(frozen=True, slots=True)
class Corrupt:
    """A share of the packets arrives with four bytes of its payload overwritten (bytes 24 to 27 of a UDP payload)."""

    share: Share


@dataclass(frozen=True, slots=True)
class Reorder:
    """A share of the packets is held back, so that those behind it overtake."""

    share: Share
    hold: timedelta


@dataclass(frozen=True, slots=True)
class Delay:
    """Every packet arrives later. With jitter, packets overtake each other as they do under netem.

    The jitter is half the width of the spread, or the standard deviation of the other distributions, as in netem.
    """

    delay: timedelta
    jitter: timedelta = NOTHING
    distribution: Distribution = Distribution.UNIFORM


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """No more bits a second than this, counted with Ethernet headers; what would wait longer than `queue` is lost."""

    bits_per_second: int
    queue: timedelta = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Partition:
    """Nothing passes between the target and these peers; nobody gets an error."""


@dataclass(frozen=True, slots=True)
class PortBlock:
    """Nothing passes on these protocols and ports; nobody gets an error."""


@dataclass(frozen=True, slots=True)
class DnsFailure:
    """The target's questions to name servers get no answer."""


@dataclass(frozen=True, slots=True)
class FloodGate:
    """Of a flooder: what it sends to these peers' port passes and is counted; everything else is dropped, for ever.

    The other way round than all others: without a lease, nothing passes any more. Its rules go with the network only.

    Attributes:
        size: bytes of UDP payload of the flood's packets.
    """

    size: int


@dataclass(frozen=True, slots=True)
class FloodArrivals:
    """Count what arrives of a flood, and change nothing.

    Attributes:
        size: bytes of UDP payload of the flood's packets.
    """

    size: int


OfFlood = FloodGate | FloodArrivals
Dose = PacketLoss | Duplicate | Corrupt | Reorder | Delay | Bandwidth | Partition | PortBlock | DnsFailure | OfFlood


@dataclass(frozen=True, slots=True)
class NetworkEffect:
    """One network fault on one target.

    Attributes:
        name: unique among the effects on a target; it becomes part of the names of what is set up in the kernel.
    """

    name: str
    traffic: Traffic
    dose: Dose


def dns_failure(name: str, servers: tuple[str, ...] | None = None) -> NetworkEffect:
    """Questions over UDP and TCP to port 53 of these name servers (default: of any) get lost."""
    both = frozenset({Protocol.UDP, Protocol.TCP})
    asking = Traffic(Direction.EGRESS, both, peer_ports=(Ports.one(53),), peers=servers)
    return NetworkEffect(name, asking, DnsFailure())


def flood_gate(name: str, targets: tuple[str, ...], port: int, size: int) -> NetworkEffect:
    """Of what a flooder sends, only UDP to this port of these addresses passes."""
    passing = Traffic(Direction.EGRESS, frozenset({Protocol.UDP}), peer_ports=(Ports.one(port),), peers=targets)
    return NetworkEffect(name, passing, FloodGate(size))


def flood_arrivals(name: str, flooders: tuple[str, ...], port: int, size: int) -> NetworkEffect:
    """UDP of these flooders to this port of the target is counted."""
    coming = Traffic(Direction.INGRESS, frozenset({Protocol.UDP}), own_ports=(Ports.one(port),), peers=flooders)
    return NetworkEffect(name, coming, FloodArrivals(size))


__all__ = [
    "NOTHING",
    "Bandwidth",
    "Corrupt",
    "Delay",
    "Direction",
    "Distribution",
    "DnsFailure",
    "Dose",
    "Duplicate",
    "FloodArrivals",
    "FloodGate",
    "NetworkEffect",
    "OfFlood",
    "PacketLoss",
    "Partition",
    "PortBlock",
    "Ports",
    "Protocol",
    "Reorder",
    "Traffic",
    "dns_failure",
    "flood_arrivals",
    "flood_gate",
]
