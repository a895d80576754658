"""Rules of network faults as libnftables' JSON, each one behind a set element that the kernel takes away in time.

A fault has tables of its own, named `showstopper-…`, so that deleting tables by name leaves nothing of it. Packets are
dropped in the `netdev` family only: a drop in an `output` or `postrouting` hook is an EPERM for the program that sends,
and no packet loss. What netdev hooks cannot do (queue, duplicate) is done in `ip` and `ip6`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from showstopper.api.faults.network import Direction, Protocol
from showstopper.faults.network.traffic import Ports, Traffic

PREFIX = "showstopper-"
GATE_PREFIX = PREFIX + "_gate-"
"""Of tables that stay until their network goes: no other fault's name begins so (bounds.NAME)."""
LIVE = "live"
"""The set whose elements are the lease: the protocols (ip, ip6) that are hit as long as it holds."""
BURST = "burst"
"""The set that a burst of losses opens for its length."""
QUEUES = {Direction.INGRESS: "queue-ingress", Direction.EGRESS: "queue-egress"}
ETHERNET_HEADER = 14
"""Bytes of the header that a packet has at an egress hook, and no more at an ingress hook (nft_counter: skb->len)."""
PER_SHARE = 100_000
"""A share is tried in steps of 0.001 %."""

Expression = dict[str, Any]
Command = dict[str, Any]
FAMILIES = {"ip": 4, "ip6": 6}
# As iptables' mangle table: after conntrack, before NAT.
MANGLE = -150
_HOOKS = {Direction.INGRESS: "prerouting", Direction.EGRESS: "postrouting"}
_DEVICE = {Direction.INGRESS: "iifname", Direction.EGRESS: "oifname"}
_FOR_US: Expression = {"match": {"op": "!=", "left": {"meta": {"key": "pkttype"}}, "right": "other"}}
"""A bridge brings to every pod what is for a MAC address that it has not learnt, or not any more: that of a relay that
was killed. A kernel drops it behind the hook at the pod's device (net/ipv4/ip_input.c: PACKET_OTHERHOST)."""


@dataclass(frozen=True, slots=True)
class Device:
    """A network device by name and number; names of what is made for it hold the number."""

    name: str
    index: int


@dataclass(frozen=True, slots=True)
class Site:
    """Where a target is.

    Attributes:
        devices: those that its packets pass; never `lo`.
        own: its addresses, where it shares the node's network with others; empty: the whole namespace is its own.
        gateways: of its network. Some network plugins give the node the gateway's address towards its pods.
    """

    devices: tuple[Device, ...]
    own: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """Where in the kernel a rule sits: at a device, in a direction, and before hooks of a higher priority."""

    device: str
    direction: Direction
    priority: int = 0


def counter(direction: Direction, what: str) -> str:
    """The name of a counter: `ingress-matched`, `egress-affected` and so on."""
    return f"{direction.lower()}-{what}"


class Table:
    """The commands that make one table with its sets, counters, chains and rules."""

    def __init__(self, family: str, name: str, traffic: Traffic, site: Site) -> None:
        self.family, self.name, self._traffic, self._gateways = family, name, traffic, site.gateways
        self._addresses = {"peers": traffic.peers, "own": site.own or None}
        self.commands = [{"add": {"table": {"family": family, "name": name}}}, *self._contents()]

    def _contents(self) -> Iterator[Command]:
        yield self._add("set", {"name": LIVE, "type": "ether_type", "flags": ["timeout"]})
        yield self._add("set", {"name": BURST, "type": "ether_type", "flags": ["timeout"]})
        for direction in self._traffic.direction.single:
            yield self._add("counter", {"name": counter(direction, "matched")})
            yield self._add("counter", {"name": counter(direction, "affected")})
            if self._traffic.counts_media:
                yield self._add("counter", {"name": counter(direction, "media")})
        for what, addresses in self._addresses.items():
            for version in self._versions() if addresses is not None else ():
                elements = networks(addresses or (), version)
                kind = {"name": f"{what}{version}", "type": f"ipv{version}_addr", "flags": ["interval"]}
                yield self._add("set", {**kind, **({"elem": elements} if elements else {})})

    def replacing(self, peers: Iterable[str]) -> Iterator[Command]:
        """The commands that put other peers in the place of those before, as one transaction."""
        for version in self._versions():
            place = {"family": self.family, "table": self.name, "name": f"peers{version}"}
            yield {"flush": {"set": place}}
            if elements := networks(peers, version):
                yield {"add": {"element": {**place, "elem": elements}}}

    def hook(self, chain: str, hook: Hook, doing: Sequence[Expression]) -> None:
        """A chain at a device's hook, with the rules that do something to the traffic."""
        at = {"type": "filter", "hook": hook.direction.lower(), "dev": hook.device, "prio": hook.priority}
        doing = self._counting_media(chain, hook.direction, doing)
        self.commands.append(self._add("chain", {"name": chain, "policy": "accept", **at}))
        self._spare_probes(chain, hook.direction)
        self._rules(chain, hook.direction, [_FOR_US] if hook.direction is Direction.INGRESS else [], doing)

    def path(
        self,
        direction: Direction,
        devices: Sequence[Device],
        doing: Sequence[Expression],
        only: Sequence[Expression] = (),
    ) -> None:
        """A chain on the way of all packets of this direction that pass these devices, with its rules."""
        at = {"type": "filter", "hook": _HOOKS[direction], "prio": MANGLE, "policy": "accept"}
        doing = self._counting_media(direction.lower(), direction, doing)
        self.commands.append(self._add("chain", {"name": direction.lower(), **at}))
        self._spare_probes(direction.lower(), direction)
        device = _match({"meta": {"key": _DEVICE[direction]}}, {"set": [device.name for device in devices]})
        self._rules(direction.lower(), direction, (device, *only), doing)

    def shut(self, chain: str) -> None:
        """Drop what has passed none of the chain's rules, lease or not. But for ARP: nobody finds his next hop without.

        Neighbour discovery is the same for IPv6 (RFC 4861: ICMPv6 types 133 to 137).
        """
        discovery: list[Expression] = [{"range": [133, 137]}]
        for known in (
            _match({"meta": {"key": "protocol"}}, "arp"),
            _match(_payload("icmpv6", "type"), {"set": discovery}),
        ):
            self.commands.append(self._add("rule", {"chain": chain, "expr": [known, {"accept": None}]}))
        self.commands.append(self._add("rule", {"chain": chain, "expr": [{"drop": None}]}))

    def chain(self, name: str, rules: Iterable[Sequence[Expression]] = ()) -> None:
        """A chain that rules can go to."""
        self.commands.append(self._add("chain", {"name": name}))
        self.commands += [self._add("rule", {"chain": name, "expr": list(rule)}) for rule in rules]

    def _counting_media(self, chain: str, direction: Direction, doing: Sequence[Expression]) -> Sequence[Expression]:
        """What is done, by way of a chain that counts media. A rule ends at its first condition that does not hold."""
        if not self._traffic.counts_media:
            return doing
        here, name = list(doing).index(affected(direction)) + 1, f"{chain}-media"
        media = Traffic(direction, frozenset({Protocol.UDP}), own_ports=self._traffic.media)
        counting = [*port_matches(media, direction), {"counter": counter(direction, "media")}]
        self.chain(name, [rule for rule in (counting, doing[here:]) if rule])
        return [*doing[:here], {"goto": {"target": name}}]

    def _spare_probes(self, chain: str, direction: Direction) -> None:
        """Let the kubelet's probes leave the chain before all others, and the answers to them."""
        if (spared := self._traffic.spared) is None:
            return
        probes = Traffic(direction, frozenset({Protocol.TCP}), own_ports=spared.ports)
        for family, version in FAMILIES.items():
            addresses = networks([*spared.addresses, *self._gateways], version)
            if addresses and version in self._versions():
                node = _match(_payload(family, f"{_side('peers', direction)}addr"), {"set": addresses})
                rule = [node, *port_matches(probes, direction), {"accept": None}]
                self.commands.append(self._add("rule", {"chain": chain, "expr": rule}))

    def _rules(
        self, chain: str, direction: Direction, first: Sequence[Expression], doing: Sequence[Expression]
    ) -> None:
        live = _match({"meta": {"key": "protocol"}}, f"@{LIVE}")
        matched: Expression = {"counter": counter(direction, "matched")}
        for addresses in self._address_matches(direction):
            expressions = [*first, live, *addresses, *port_matches(self._traffic, direction), matched, *doing]
            self.commands.append(self._add("rule", {"chain": chain, "expr": expressions}))

    def _address_matches(self, direction: Direction) -> Iterator[list[Expression]]:
        """One list of conditions for all packets, or one per IP version when addresses are asked for.

        Also for a version that no peer has now: peers may be replaced.
        """
        asked = {what: addresses for what, addresses in self._addresses.items() if addresses is not None}
        if not asked:
            yield []
            return
        for family, version in FAMILIES.items():
            if version in self._versions() and networks(asked.get("own", ["0.0.0.0/0", "::/0"]), version):
                yield [_match(_payload(family, f"{_side(what, direction)}addr"), f"@{what}{version}") for what in asked]

    def _versions(self) -> tuple[int, ...]:
        return tuple(FAMILIES.values()) if self.family == "netdev" else (FAMILIES[self.family],)

    def _add(self, kind: str, content: dict[str, Any]) -> Command:
        return {"add": {kind: {"family": self.family, "table": self.name, **content}}}


def networks(addresses: Iterable[str], version: int) -> list[Any]:
    """Addresses of one IP version as elements of an interval set."""
    nets = sorted({net for text in addresses if (net := ip_network(text, strict=False)).version == version})
    whole = 32 if version == 4 else 128
    return [
        str(net.network_address)
        if net.prefixlen == whole
        else {"prefix": {"addr": str(net.network_address), "len": net.prefixlen}}
        for net in nets
        if not any(net != other and net.subnet_of(other) for other in nets)  # type: ignore[arg-type]
    ]


def port_matches(traffic: Traffic, direction: Direction) -> list[Expression]:
    """The conditions on protocol and ports."""
    if not traffic.protocols:
        return []
    names = sorted(protocol.lower() for protocol in traffic.protocols)
    matches = [_match({"meta": {"key": "l4proto"}}, {"set": names})]
    for what, ports in (("own", traffic.own_ports), ("peers", traffic.peer_ports)):
        if ports:
            matches.append(_match(_payload("th", f"{_side(what, direction)}port"), {"set": _elements(ports)}))
    return matches


def sampled(share: float) -> list[Expression]:
    """The condition that lets a share of the packets through to what follows in the rule."""
    steps = max(1, round(share * PER_SHARE))
    if steps >= PER_SHARE:
        return []  # all of them; a comparison that is always true is one that nft refuses
    die = {"numgen": {"mode": "random", "mod": PER_SHARE, "offset": 0}}
    return [{"match": {"op": "<", "left": die, "right": steps}}]


def longer_than(octets: int, direction: Direction) -> Expression:
    """The condition that a packet has more octets, from its IP header on, where it passes a device's hook.

    What the sender's kernel leaves for a device to cut into segments counts whole: it is cut behind this hook.
    """
    header = ETHERNET_HEADER if direction is Direction.EGRESS else 0
    return {"match": {"op": ">", "left": {"meta": {"key": "length"}}, "right": octets + header}}


def affected(direction: Direction) -> Expression:
    """Count the packet as one that the fault acts on."""
    return {"counter": counter(direction, "affected")}


def in_burst() -> Expression:
    """The condition that a burst is on."""
    return _match({"meta": {"key": "protocol"}}, f"@{BURST}")


def _elements(ports: Sequence[Ports]) -> list[Any]:
    ranges = sorted({(each.first, each.last) for each in ports})
    return [first if first == last else {"range": [first, last]} for first, last in _merged(ranges)]


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, without overlaps, which nftables refuses."""
    merged: list[tuple[int, int]] = []
    for first, last in ranges:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _side(what: str, direction: Direction) -> str:
    """Whose address or port it is in the packet: the peers' is the source of what comes in."""
    return "s" if (what == "peers") is (direction is Direction.INGRESS) else "d"


def _match(left: Expression, right: Any) -> Expression:
    return {"match": {"op": "==", "left": left, "right": right}}


def _payload(protocol: str, field: str) -> Expression:
    return {"payload": {"protocol": protocol, "field": field}}
