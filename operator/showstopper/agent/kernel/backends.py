"""Backends: what this node's kernel can do, found out by doing it once in a namespace that nobody else is in."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from showstopper.agent.kernel import nfnetlink, queueing, shaping
from showstopper.agent.kernel.namespaces import Namespace
from showstopper.agent.kernel.nftables import Nftables
from showstopper.api.quantities import Share
from showstopper.errors import AgentError, EffectRefused, TrafficClassTaken
from showstopper.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Distribution,
    Dose,
    Duplicate,
    NetworkEffect,
    PacketLoss,
    Reorder,
    Traffic,
)
from showstopper.faults.network_compile import plan_of
from showstopper.faults.network_plan import Method, Plan
from showstopper.faults.network_rules import Device, Site

_LOOPBACK = Device("lo", 1)
_MOMENT = timedelta(milliseconds=1)
_HALF = Share(0.5)
_PROBES: tuple[Dose, ...] = (PacketLoss(_HALF), Duplicate(_HALF), Corrupt(_HALF), Bandwidth(1_000_000))


@dataclass(frozen=True, slots=True)
class Backends:
    """What the node can do.

    Attributes:
        ways: to hold packets back, best first.
        missing: what failed in the probe ("netem", "PacketLoss Egress"), and what the kernel said to it.
    """

    ways: tuple[Method, ...]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def method(self) -> Method | None:
        """The best way to hold packets back; None: there is none here."""
        return next(iter(self.ways), None)

    def needed(self, effect: NetworkEffect) -> tuple[Method, ...]:
        """The ways that can hold packets back as this effect does, best first; for others it does not matter.

        Raises:
            EffectRefused: when this node has no means for the effect; it says what its kernel refused.
        """
        lacks = [f"{means} ({self.missing[means]})" for means in _means(effect) if means in self.missing]
        ways = tuple(way for way in self.ways if way is not Method.NETEM or not _needs_a_table(effect.dose))
        if isinstance(effect.dose, Delay | Reorder) and not ways:
            lacks = [f"{way.value} ({self.missing.get(way, 'evenly spread delays only')})" for way in Method]
        if lacks:
            raise EffectRefused(
                f"this node's kernel has no means for {effect.name}: {', '.join(lacks)}; run it where the target is on "
                "nodes whose kernel has one of these"
            )
        return ways or (Method.NFQUEUE,)

    def plan(self, effect: NetworkEffect, site: Site, number: int, others: Iterable[Plan] = ()) -> Plan:
        """The plan of an effect by the best way that goes together with those that are there.

        Raises:
            EffectRefused: when there is none.
            TrafficClassTaken: when there is none beside the others.
        """
        beside = tuple(others)
        for way in self.needed(effect):
            plan = plan_of(effect, site, number, way)
            if not any(plan.clashes(other) for other in beside):
                return plan
        raise TrafficClassTaken(
            f"{effect.name}: a packet is in one traffic class only, and netem has one here already: lift that one first"
        )


def probe() -> Backends:
    """Try every means once, in a scratch namespace; takes some tens of milliseconds."""
    missing: dict[str, str] = {}
    with Namespace.scratch() as scratch:
        for means, effect, method in _attempts():
            try:
                scratch.call(_attempt(effect, method))
            except AgentError as error:
                missing[means] = str(error).splitlines()[0]
    return Backends(tuple(method for method in Method if method.value not in missing), missing)


def _needs_a_table(dose: Dose) -> bool:
    """Whether netem would need a distribution table for it, which tc takes from a file."""
    return isinstance(dose, Delay) and bool(dose.jitter) and dose.distribution is not Distribution.UNIFORM


def _attempts() -> Iterator[tuple[str, NetworkEffect, Method]]:
    for method in Method:
        yield method.value, NetworkEffect("probe", Traffic(Direction.BOTH), Delay(_MOMENT)), method
    for dose in _PROBES:
        for direction in Direction.BOTH.single:
            effect = NetworkEffect("probe", Traffic(direction), dose)
            yield _name(dose, direction), effect, Method.NFQUEUE


def _attempt(effect: NetworkEffect, method: Method) -> Callable[[], None]:
    def attempt() -> None:
        plan = plan_of(effect, Site((_LOOPBACK,)), 1, method)
        nft = Nftables()
        try:
            shaping.build(plan.shapes)
            for queue in plan.queues:
                queueing.bind(queue.number).close()
            nft.run(plan.commands)
            for queue in plan.queues:
                for rule in queue.foreign_rules:
                    nfnetlink.add_queue_rule(*rule, queue.number)
        finally:
            nft.delete(nft.tables())
            nft.close()
            shaping.sweep()

    return attempt


def _means(effect: NetworkEffect) -> Iterator[str]:
    """What the effect rests on; Partition, PortBlock and DnsFailure drop packets as PacketLoss does."""
    dose = effect.dose if isinstance(effect.dose, _kinds()) else PacketLoss(_HALF)
    if isinstance(effect.dose, Delay | Reorder):
        return
    for direction in effect.traffic.direction.single:
        yield _name(dose, direction)


def _kinds() -> tuple[type, ...]:
    return tuple(type(dose) for dose in _PROBES)


def _name(dose: Dose, direction: Direction) -> str:
    return f"{type(dose).__name__} {direction.value}"
