"""networkProfile: the bandwidth, latency, jitter and loss of a network that people have, at once."""

from dataclasses import replace
from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Direction, NetworkFault, NetworkProfile, PacketLoss
from showstopper.api.injection import InjectionSpec
from showstopper.api.schema.quantities import Share
from showstopper.faults.network import dose
from showstopper.faults.network.behaviour import NetworkBehaviour, TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Method, Plan, Slowdown, Technique
from showstopper.faults.network.profiles import LINKS
from showstopper.faults.network.traffic import NetworkEffect
from showstopper.faults.observed import Observed


class NetworkProfileBehaviour(TrafficBehaviour[NetworkProfile]):
    """Each way is delayed by an effect of its own, which counts; what is lost and limited there are parts beside it.

    A packet meets them one after the other, as it meets several faults of one target.
    """

    kind: ClassVar[type[FaultKind]] = NetworkProfile
    action: ClassVar[str] = "gives another network to"
    technique: ClassVar[Technique] = Technique.HOLD

    def effects(self, injection: InjectionSpec, name: str) -> tuple[NetworkEffect, ...]:
        """The parts come first, and limits before delays: where netem has no class beside theirs, NFQUEUE delays."""
        (whole,) = NetworkBehaviour.effects(self, injection, name)
        fault = self._fault(injection)
        ways = [(way, LINKS[fault.name][way]) for way in fault.direction.single]
        losses = [_part(whole, way, "loss", PacketLoss(percent=Share(link.loss))) for way, link in ways if link.loss]
        limits = [_part(whole, way, "rate", link.limit) for way, link in ways]
        delays = [_one_way(whole, way, f"{name}.{way.lower()}") for way, _ in ways]
        return (*losses, *limits, *delays)

    def plan(self, fault: NetworkProfile, compiler: Compiler) -> Plan:
        """All packets of one way are held back."""
        link = LINKS[fault.name][compiler.direction]
        return compiler.hold(1.0, Slowdown(link.delay, link.spread))

    def methods(self, fault: NetworkProfile) -> tuple[Method, ...]:
        """Any of them: the jitter spreads evenly."""
        return tuple(Method)

    def stops_all(self, fault: NetworkProfile) -> bool:
        """Other packets get through: each direction has its own."""
        return False

    def off_dose(self, fault: NetworkProfile, observed: Observed) -> str | None:
        """Every packet that is not lost is held back."""
        return dose.held_back(observed, 1.0)

    def figures(self, observed: Observed) -> str:
        """The packets, and the rate that passed."""
        return super().figures(observed) + dose.passed(observed)


def _part(whole: NetworkEffect, way: Direction, what: str, fault: NetworkFault) -> NetworkEffect:
    """Something else that happens to the packets of one way, which are counted where they are delayed."""
    return replace(_one_way(whole, way, f"{whole.name}.{what}-{way.lower()}"), fault=fault, counts=False)


def _one_way(whole: NetworkEffect, way: Direction, name: str) -> NetworkEffect:
    return replace(whole, name=name, traffic=replace(whole.traffic, direction=way))
