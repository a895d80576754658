"""What a network hit tells of several effects of one fault: each packet once."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from showstopper.agent.hits.network import NetworkHit
from showstopper.agent.network.arming import Counters, Figures, Lifted
from showstopper.agent.network.node import Node
from showstopper.agent.network.targets import Leftovers
from showstopper.agent.pods import Pods
from showstopper.api.faults.network import Direction
from showstopper.api.injection import Injection, InjectionSpec, InjectionTarget, PacketCounts
from showstopper.clock import Clock
from showstopper.faults.network import behaviour
from showstopper.faults.network.traffic import NetworkEffect
from tests.api.build import LEAVE_OUT, injection


class Armed:
    """An effect that has met ten packets of its direction, and let 2,000 bytes through if it limits."""

    def __init__(self, effect: NetworkEffect) -> None:
        self.effect = effect
        self.plan = SimpleNamespace(method=None)

    def counters(self) -> Counters:
        limits = "rate" in self.effect.name
        return {self.effect.traffic.direction: Figures(10, 10, passed_bytes=2000 if limits else None)}

    def lift(self) -> Lifted:
        return Lifted(self.counters(), Leftovers())

    def announce(self) -> None: ...

    def vanished(self) -> tuple[str, ...]:
        return ()

    def stopped(self) -> str:
        return ""


def asked(**kind: Any) -> InjectionSpec:
    changes = {"spec.packetLoss": LEAVE_OUT, **{f"spec.{name}": spec for name, spec in kind.items()}}
    return Injection.parse(injection(changes)).spec


def told(spec: InjectionSpec, *, one_way: bool = False) -> tuple[PacketCounts, list[Direction]]:
    """What the record of a target says when the fault is lifted."""
    effects = behaviour.of(spec.spec).effects(spec, "x")
    if one_way:
        effects = tuple(replace(effect, counts=effect.counts and "ingress" in effect.name) for effect in effects)
    node = SimpleNamespace(arm=lambda _path, effect, _until, _own: Armed(effect))
    network = SimpleNamespace(path="", shared=False)
    pods = SimpleNamespace(network=lambda _uid, _address: network, still=lambda _network: True)
    target = InjectionTarget(pod="listeners-0", uid="u", address="198.18.1.5")
    hit = NetworkHit(target, effects, node=cast("Node", node), pods=cast("Pods", pods), clock=Clock())
    hit.arm(0.0)
    assert hit.look(), "its first packets"
    hit.lift()
    assert hit.record.proven
    assert hit.record.last is not None
    return hit.record.last, list(hit.record.unmet)


def test_a_packet_that_meets_all_parts_of_a_profile_is_counted_once() -> None:
    counts, unmet = told(asked(networkProfile={"name": "Lossy4G"}))
    assert (counts.matched, counts.affected, counts.passed_bytes) == (20, 20, 4000), "ten each way"
    assert not unmet


def test_a_direction_in_which_no_packet_was_delayed_is_unmet_whatever_its_parts_met() -> None:
    _, unmet = told(asked(networkProfile={"name": "Lossy4G"}), one_way=True)
    assert unmet == [Direction.EGRESS]


def test_of_ports_of_two_protocols_each_packet_meets_one_effect() -> None:
    ports = [{"port": 7882, "protocol": "UDP"}, {"port": 7880, "protocol": "TCP"}]
    spec = asked(packetLoss={"percent": "5%", "direction": "Egress"}, ports=ports)
    assert told(spec)[0].matched == 20
