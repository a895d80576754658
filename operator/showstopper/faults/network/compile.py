"""The compiler: plans of rules, queues and traffic classes, from the few techniques that all kinds share. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from showstopper.api.faults.network import Direction
from showstopper.faults.network.plan import (
    FIRST_QUEUE,
    HANDLE,
    Bursts,
    Method,
    Plan,
    Queue,
    Slowdown,
    Technique,
    TrafficClass,
)
from showstopper.faults.network.rules import (
    FAMILIES,
    GATE_PREFIX,
    PREFIX,
    QUEUES,
    Expression,
    Hook,
    Site,
    Table,
    affected,
    in_burst,
    longer_than,
    networks,
    sampled,
)
from showstopper.faults.network.traffic import Traffic

_OVERWRITTEN: Expression = {"payload": {"base": "th", "offset": 256, "len": 32}}
_OTHER_BYTES = 0xDEADBEEF
_CORRUPT: Expression = {"mangle": {"key": _OVERWRITTEN, "value": _OTHER_BYTES}}
_HAS_THEM: Expression = {"match": {"op": "!=", "left": _OVERWRITTEN, "right": _OTHER_BYTES}}
"""A rule ends where a packet does not have the bytes that it reads or writes (nft_payload.c: NFT_BREAK): those of an
acknowledgement end before, and so do those of a fragment. Read first, they keep it out of the packets that are
meant."""

# Copies pass the same hook again, but have no socket; at ingress they come from `lo`, which is no device of a target.
_FROM_A_SOCKET: list[Expression] = [{"match": {"op": ">=", "left": {"meta": {"key": "skuid"}}, "right": 0}}]
_LAST = 10
"""The priority of hooks that come after those that drop."""

_DROP: Expression = {"drop": None}


class Compiler:
    """Makes the plan of one effect on one target. Each kind of fault asks it for the technique that it needs.

    Args:
        name: of the effect.
        traffic: which packets it means.
        site: where the target is.
        number: from 1 to MOST_EFFECTS, unique among the effects in a namespace.
        method: how packets are held back, where they are.
    """

    def __init__(self, name: str, traffic: Traffic, site: Site, number: int, method: Method) -> None:
        self._name, self._traffic, self._site, self._number = name, traffic, site, number
        self._method = method
        self._directions = traffic.direction.single

    @property
    def direction(self) -> Direction:
        """Which way the packets go that the effect means."""
        return self._traffic.direction

    def drop(self, share: float = 1.0) -> Plan:
        """Drop a share of the packets in netdev hooks, where the sender does not hear of it."""
        return self._on_devices(sampled(share), [_DROP])

    def drop_longer_than(self, octets: int) -> Plan:
        """Drop the packets that have more octets, from the IP header on."""
        return self._on_devices([], [_DROP], only=lambda direction: [longer_than(octets, direction)])

    def drop_in_bursts(self, share: float, length: timedelta) -> Plan:
        """Drop every packet for a while, so often that the share holds over time."""
        return replace(self._on_devices([in_burst()], [_DROP]), bursts=Bursts(length, share))

    def count(self, datagram_bytes: int | None = None) -> Plan:
        """Count datagrams of this size, or packets, and change nothing."""
        return replace(self._on_devices([], []), datagram_bytes=datagram_bytes)

    def copy(self, share: float) -> Plan:
        """Send a second copy of a share of the packets."""
        return self._on_paths(share, again=True)

    def rewrite(self, share: float) -> Plan:
        """Overwrite some of the payload of a share of the packets that have so much."""
        return self._on_paths(share, again=False)

    def gate(self, datagram_bytes: int | None = None) -> Plan:
        """What is meant passes as long as the lease holds; nothing else does, nor anything after it."""
        table = self._table("netdev", GATE_PREFIX)
        for device in self._site.devices:
            chain = f"gate-{device.index}"
            table.hook(chain, Hook(device.name, Direction.EGRESS), [affected(Direction.EGRESS), {"accept": None}])
            table.shut(chain)
        return Plan(table.name, (table,), stays=True, announced=True, datagram_bytes=datagram_bytes)

    def hold(self, share: float, slowdown: Slowdown) -> Plan:
        """Hold a share of the packets back."""
        if self._method is Method.NETEM:
            return replace(self.shape(share, slowdown), method=self._method)
        tables = tuple(self._ip_tables())
        numbers = dict(zip(self._directions, range(FIRST_QUEUE + 2 * self._number, 1 << 16), strict=False))
        rules: tuple[tuple[str, str, str], ...] = ()
        for table in tables:
            for direction, number in numbers.items():
                own: Expression = {"queue": {"num": number, "flags": ["bypass"]}}
                table.chain(QUEUES[direction], [[own]] if self._method is Method.NFQUEUE else [])
                go: Expression = {"goto": {"target": QUEUES[direction]}}
                table.path(direction, self._site.devices, [*sampled(share), affected(direction), go])
        queues = []
        for direction, number in numbers.items():
            if self._method is not Method.NFQUEUE:
                rules = tuple((table.family, table.name, QUEUES[direction]) for table in tables)
            queues.append(Queue(number, direction, slowdown, rules))
        return Plan(PREFIX + self._name, tables, queues=tuple(queues), method=self._method)

    def shape(self, share: float, slowdown: Slowdown) -> Plan:
        """Give packets the number of a traffic class as priority, and send them through the device that has it.

        They come back where they were taken (nft_fwd_netdev.c notes it in skb_iif) as if they had just come, or are
        sent on, and skip the other hooks of that direction: so last. All devices share one class: a rate is a target's.
        """
        table = self._table("netdev")
        traffic_classes = tuple(
            TrafficClass(self._site.devices[0], direction, HANDLE | self._number_of_class(direction), slowdown)
            for direction in self._directions
        )
        for traffic_class in traffic_classes:
            direction = traffic_class.direction
            steer: Expression = {"mangle": {"key": {"meta": {"key": "priority"}}, "value": traffic_class.class_id}}
            send_through: Expression = {"fwd": {"dev": traffic_class.shaper}}
            rule = [*sampled(share), affected(direction), steer, send_through]
            for device in self._site.devices:
                table.hook(f"{direction.lower()}-{device.index}", Hook(device.name, direction, _LAST), rule)
        return Plan(PREFIX + self._name, (table,), traffic_classes=traffic_classes)

    def _number_of_class(self, direction: Direction) -> int:
        return 2 * self._number + (direction is Direction.EGRESS)

    def _on_devices(
        self,
        dice: Sequence[Expression],
        doing: Sequence[Expression],
        *,
        only: Callable[[Direction], Sequence[Expression]] = lambda _: (),
    ) -> Plan:
        """Rules at every device. `only` gives the conditions under which the fault acts in a direction."""
        table = self._table("netdev")
        for direction in self._directions:
            for device in self._site.devices:
                hook = Hook(device.name, direction)
                acts = [*only(direction), *dice, affected(direction), *doing]
                table.hook(f"{direction.lower()}-{device.index}", hook, acts)
        return Plan(PREFIX + self._name, (table,))

    def _on_paths(self, share: float, *, again: bool) -> Plan:
        """Duplicate or corrupt where IP packets are routed: a copy made in a netdev hook would be copied again."""
        tables = tuple(self._ip_tables())
        for table in tables:
            copy: Expression = {"dup": {"addr": {"payload": {"protocol": table.family, "field": "daddr"}}}}
            for direction in self._directions:
                doing = [*sampled(share), copy if again else _CORRUPT, affected(direction)]
                sent = _FROM_A_SOCKET if direction is Direction.EGRESS else []
                only = sent if again else [_HAS_THEM]
                table.path(direction, self._site.devices, doing, only)
        return Plan(PREFIX + self._name, tables)

    def _table(self, family: str, prefix: str = PREFIX) -> Table:
        return Table(family, prefix + self._name, self._traffic, self._site)

    def _ip_tables(self) -> Iterator[Table]:
        """A table for each IP version that the target has an address of."""
        for family, version in FAMILIES.items():
            if not self._site.own or networks(self._site.own, version):
                yield self._table(family)


def trial(technique: Technique, direction: Direction, site: Site, method: Method) -> Plan:
    """A plan that needs one technique in one direction, to find out whether a kernel has it."""
    compiler = Compiler("probe", Traffic(direction), site, 1, method)
    match technique:
        case Technique.DROP:
            return compiler.drop(0.5)
        case Technique.COPY:
            return compiler.copy(0.5)
        case Technique.REWRITE:
            return compiler.rewrite(0.5)
        case Technique.SHAPE:
            return compiler.shape(1.0, Slowdown(bits_per_second=1_000_000, backlog=timedelta(milliseconds=50)))
        case Technique.HOLD:
            return compiler.hold(1.0, Slowdown(timedelta(milliseconds=1)))
        case _:
            assert_never(technique)
