"""Traffic: which packets of a target a network fault means, by addresses and port numbers."""

from dataclasses import dataclass

from showstopper.api.faults.network import Direction, NetworkFault, Protocol


@dataclass(frozen=True, slots=True)
class Ports:
    """A range of ports, both ends included."""

    first: int
    last: int

    @classmethod
    def one(cls, port: int) -> "Ports":
        """A single port."""
        return cls(port, port)

    def __contains__(self, other: "Ports") -> bool:
        """Whether all of the other range is in this one."""
        return self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True)
class KubeletProbes:
    """What a kubelet asks of its pod: TCP from the node's addresses to these ports, and the answers."""

    addresses: tuple[str, ...]
    ports: tuple[Ports, ...]


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
        media: the target's own UDP ports that media comes by, whose packets are counted apart. None: nothing is.
        spared: the kubelet's probes, which are not meant; None: they are.
    """

    direction: Direction = Direction.BOTH
    protocols: frozenset[Protocol] = frozenset()
    own_ports: tuple[Ports, ...] = ()
    peer_ports: tuple[Ports, ...] = ()
    peers: tuple[str, ...] | None = None
    media: tuple[Ports, ...] = ()
    spared: KubeletProbes | None = None

    @property
    def counts_media(self) -> bool:
        """Whether media is counted apart: there is some, and not every packet that is meant is media."""
        only_udp = self.protocols == {Protocol.UDP} and bool(self.own_ports)
        return bool(self.media) and not (
            only_udp and all(any(port in media for media in self.media) for port in self.own_ports)
        )


@dataclass(frozen=True, slots=True)
class NetworkEffect:
    """One network fault on one target.

    Attributes:
        name: unique among the effects on a target; it becomes part of the names of what is set up in the kernel.
        fault: what happens to the packets, as declared. Which packets these are, `traffic` says, in addresses and
            numbers instead of names.
        counts: whether its packets are counted. Not if another effect of the same declared fault counts them.
    """

    name: str
    traffic: Traffic
    fault: NetworkFault
    counts: bool = True
