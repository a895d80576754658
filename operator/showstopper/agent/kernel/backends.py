"""Backends: what this node's kernel can do, found out by doing it once in a namespace that nobody else is in."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from showstopper.agent.kernel import nfnetlink, queueing, shaping
from showstopper.agent.kernel.namespaces import Namespace
from showstopper.agent.kernel.nftables import Nftables
from showstopper.api.faults.network import Direction
from showstopper.errors import AgentError, EffectRefused, TrafficClassTaken
from showstopper.faults.network import behaviour
from showstopper.faults.network.behaviour import plan_of
from showstopper.faults.network.compile import trial
from showstopper.faults.network.plan import Method, Plan, Technique
from showstopper.faults.network.rules import Device, Site
from showstopper.faults.network.traffic import NetworkEffect

_SITE = Site((Device("lo", 1),))


@dataclass(frozen=True, slots=True)
class Backends:
    """What the node can do.

    Attributes:
        ways: to hold packets back, best first.
        missing: what failed in the probe ("netem", "dropping Egress"), and what the kernel said to it.
    """

    ways: tuple[Method, ...]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def method(self) -> Method | None:
        """The best way to hold packets back. None: there is none here."""
        return next(iter(self.ways), None)

    def needed(self, effect: NetworkEffect) -> tuple[Method, ...]:
        """The ways that can hold packets back as this effect does, best first. All, for effects that hold none back.

        Raises:
            EffectRefused: when this node has no means for the effect. It says what its kernel refused.
        """
        kind = behaviour.of(effect.fault)
        ways = tuple(way for way in self.ways if way in kind.methods(effect.fault))
        if kind.technique is not Technique.HOLD:
            techniques = [_name(kind.technique, direction) for direction in effect.traffic.direction.single]
            lacks = [f"{name} ({self.missing[name]})" for name in techniques if name in self.missing]
        elif not ways:
            lacks = [f"{way.value} ({self.missing.get(way, 'evenly spread delays only')})" for way in Method]
        else:
            lacks = []
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
            f"{effect.name}: a packet is in one traffic class only, netem's or that of a limit, and there is one here "
            "already: lift that one first, or run it where the nodes can delay by NFQUEUE"
        )


def probe() -> Backends:
    """Try every technique once, in a scratch namespace. Takes some tens of milliseconds."""
    missing: dict[str, str] = {}
    with Namespace.scratch() as scratch:
        for technique, plan in _trials():
            try:
                scratch.call(_attempt(plan))
            except AgentError as error:
                missing[technique] = str(error).splitlines()[0]
    return Backends(tuple(method for method in Method if method.value not in missing), missing)


def _trials() -> Iterator[tuple[str, Plan]]:
    for method in Method:
        yield method.value, trial(Technique.HOLD, Direction.BOTH, _SITE, method)
    for technique in Technique:
        for direction in Direction.BOTH.single if technique is not Technique.HOLD else ():
            yield _name(technique, direction), trial(technique, direction, _SITE, Method.NFQUEUE)


def _attempt(plan: Plan) -> Callable[[], None]:
    def attempt() -> None:
        nft = Nftables()
        try:
            shaping.build(plan.traffic_classes)
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


def _name(technique: Technique, direction: Direction) -> str:
    return f"{technique.value} {direction.value}"
