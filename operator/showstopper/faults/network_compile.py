"""From an effect to its plan: which rules, queues and traffic classes have it on one target. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from showstopper.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Duplicate,
    FloodArrivals,
    FloodGate,
    NetworkEffect,
    PacketLoss,
    Reorder,
)
from showstopper.faults.network_plan import FIRST_QUEUE, HANDLE, Bursts, Manner, Method, Plan, Queue, Shape
from showstopper.faults.network_rules import (
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
    networks,
    sampled,
)

_CORRUPT: Expression = {"mangle": {"key": {"payload": {"base": "th", "offset": 256, "len": 32}}, "value": 0xDEADBEEF}}
# Copies pass the same hook again, but have no socket; at ingress they come from `lo`, which is no device of a target.
_FROM_A_SOCKET: list[Expression] = [{"match": {"op": ">=", "left": {"meta": {"key": "skuid"}}, "right": 0}}]
_LAST = 10  # the priority of hooks that come after those that drop
_DROP: Expression = {"drop": None}


def plan_of(effect: NetworkEffect, site: Site, number: int, method: Method) -> Plan:
    """The plan of an effect.

    Args:
        effect: one without objections.
        site: where the target is.
        number: from 1 to MOST_EFFECTS, unique among the effects in a namespace.
        method: how packets are held back, where they are.
    """
    return _Compiler(effect, site, number).plan(method)


class _Compiler:
    def __init__(self, effect: NetworkEffect, site: Site, number: int) -> None:
        self._effect, self._site, self._number = effect, site, number
        self._directions = effect.traffic.direction.single
        self._name = (GATE_PREFIX if isinstance(effect.dose, FloodGate) else PREFIX) + effect.name

    def plan(self, method: Method) -> Plan:
        match self._effect.dose:
            case Bandwidth(bits_per_second=rate, queue=queue):
                return self._shaped(1.0, Manner(bits_per_second=rate, backlog=queue))
            case Reorder(share=share, hold=hold):
                return self._held(share, Manner(hold), method)
            case Delay(delay=delay, jitter=jitter, distribution=distribution):
                return self._held(1.0, Manner(delay, jitter, distribution), method)
            case FloodGate():
                return self._gate()
            case FloodArrivals():
                return self._on_devices([], [])
            case _:
                return self._at_once()

    def _at_once(self) -> Plan:
        """What the kernel's packet filter does alone."""
        match self._effect.dose:
            case PacketLoss(share=share, burst=burst) if burst:
                return replace(self._dropping([in_burst()]), bursts=Bursts(burst, share))
            case PacketLoss(share=share):
                return self._dropping(sampled(share))
            case Duplicate(share=share):
                return self._on_paths(share, again=True)
            case Corrupt(share=share):
                return self._on_paths(share, again=False)
            case _:  # Partition, PortBlock, DnsFailure
                return self._dropping([])

    def _dropping(self, dice: Sequence[Expression]) -> Plan:
        """Drop in netdev hooks, where the sender does not hear of it."""
        return self._on_devices(dice, [_DROP])

    def _on_devices(self, dice: Sequence[Expression], doing: Sequence[Expression]) -> Plan:
        table = self._table("netdev")
        for direction in self._directions:
            for device in self._site.devices:
                hook = Hook(device.name, direction)
                table.hook(f"{direction.lower()}-{device.index}", hook, [*dice, affected(direction), *doing])
        return Plan(self._name, (table,))

    def _gate(self) -> Plan:
        """What is meant passes as long as the lease holds; nothing else does, nor anything after it."""
        table = self._table("netdev")
        for device in self._site.devices:
            chain = f"gate-{device.index}"
            table.hook(chain, Hook(device.name, Direction.EGRESS), [affected(Direction.EGRESS), {"accept": None}])
            table.shut(chain)
        return Plan(self._name, (table,), stays=True)

    def _on_paths(self, share: float, *, again: bool) -> Plan:
        """Duplicate or corrupt where IP packets are routed: a copy made in a netdev hook would be copied again."""
        tables = tuple(self._ip_tables())
        for table in tables:
            copy: Expression = {"dup": {"addr": {"payload": {"protocol": table.family, "field": "daddr"}}}}
            for direction in self._directions:
                doing = [*sampled(share), copy if again else _CORRUPT, affected(direction)]
                only = _FROM_A_SOCKET if again and direction is Direction.EGRESS else []
                table.path(direction, self._site.devices, doing, only)
        return Plan(self._name, tables)

    def _held(self, share: float, manner: Manner, method: Method) -> Plan:
        """Hold a share of the packets back."""
        if method is Method.NETEM:
            return replace(self._shaped(share, manner), method=method)
        tables = tuple(self._ip_tables())
        numbers = dict(zip(self._directions, range(FIRST_QUEUE + 2 * self._number, 1 << 16), strict=False))
        rules: tuple[tuple[str, str, str], ...] = ()
        for table in tables:
            for direction, number in numbers.items():
                own: Expression = {"queue": {"num": number, "flags": ["bypass"]}}
                table.chain(QUEUES[direction], [[own]] if method is Method.NFQUEUE else [])
                go: Expression = {"goto": {"target": QUEUES[direction]}}
                table.path(direction, self._site.devices, [*sampled(share), affected(direction), go])
        queues = []
        for direction, number in numbers.items():
            if method is not Method.NFQUEUE:
                rules = tuple((table.family, table.name, QUEUES[direction]) for table in tables)
            queues.append(Queue(number, direction, manner, rules))
        return Plan(self._name, tables, queues=tuple(queues), method=method)

    def _shaped(self, share: float, manner: Manner) -> Plan:
        """Give packets the number of a traffic class as priority, and send them through the device that has it.

        They come back as if they had just come, or are sent on, and skip the other hooks of that direction: so last.
        """
        table, shapes = self._table("netdev"), []
        for direction in self._directions:
            for device in self._site.devices:
                number = 2 * self._number + (direction is Direction.EGRESS)
                shape = Shape(device, direction, HANDLE | number, manner)
                shapes.append(shape)
                steer: Expression = {"mangle": {"key": {"meta": {"key": "priority"}}, "value": shape.class_id}}
                doing = [*sampled(share), affected(direction), steer, {"fwd": {"dev": shape.shaper}}]
                table.hook(f"{direction.lower()}-{device.index}", Hook(device.name, direction, _LAST), doing)
        return Plan(self._name, (table,), shapes=tuple(shapes))

    def _table(self, family: str) -> Table:
        return Table(family, self._name, self._effect.traffic, self._site)

    def _ip_tables(self) -> Iterator[Table]:
        """A table for each IP version that the target has an address of."""
        for family, version in FAMILIES.items():
            if not self._site.own or networks(self._site.own, version):
                yield self._table(family)
