"""What a network hit tells: each packet once, whatever effects it has met, and what is left behind, whatever went."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from showstopper.agent.hits.network import RESTART_SECONDS, NetworkHit
from showstopper.agent.network.arming import Counters, Figures, LiftResult
from showstopper.agent.network.node import Node
from showstopper.agent.network.targets import Leftovers
from showstopper.agent.pods import Pods
from showstopper.api.faults.network import Direction
from showstopper.api.injection import Injection, InjectionSpec, InjectionTarget, PacketCounts, TargetState
from showstopper.clock import Clock, to_timestamp
from showstopper.errors import KernelRefused
from showstopper.faults.network import behaviour
from showstopper.faults.network.traffic import NetworkEffect
from tests.api.build import LEAVE_OUT, injection

NOTHING = Leftovers()
A_TABLE = Leftovers(tables=frozenset({("netdev", "showstopper-x")}))


class Armed:
    """An effect that has met ten packets of its direction, and let 2,000 bytes through if it limits."""

    missing: tuple[str, ...] = ()

    def __init__(self, effect: NetworkEffect, left: Leftovers) -> None:
        self.effect, self._left = effect, left
        self.plan = SimpleNamespace(method=None)

    def counters(self) -> Counters:
        limits = "rate" in self.effect.name
        return {self.effect.traffic.direction: Figures(10, 10, passed_bytes=2000 if limits else None)}

    def lift(self) -> LiftResult:
        return LiftResult(self.counters(), self._left)

    def announce(self) -> None: ...

    def vanished(self) -> tuple[str, ...]:
        return self.missing

    def stopped(self) -> str:
        return ""


def asked(**kind: Any) -> InjectionSpec:
    changes = {"spec.packetLoss": LEAVE_OUT, **{f"spec.{name}": spec for name, spec in kind.items()}}
    return Injection.parse(injection(changes)).spec


class PodsOfOne:
    """The pods of a node that has one."""

    def __init__(self, *, shared: bool = False, restarts: bool = False) -> None:
        self._network = SimpleNamespace(path="", shared=shared, restarts=restarts)
        self.there = True

    def network(self, _uid: str, _address: str) -> Any:
        return self._network

    def again(self, _network: Any) -> Any:
        return self._network if self.there else None


class Hands(Clock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time


def hit_of(
    effects: tuple[NetworkEffect, ...],
    pods: PodsOfOne,
    *,
    left: Leftovers = NOTHING,
    host_network: bool = False,
    clock: Clock | None = None,
) -> NetworkHit:
    """A hit whose effects leave that behind."""
    node = SimpleNamespace(arm=lambda _path, effect, _until, _own: Armed(effect, left))
    target = InjectionTarget(pod="relay-0", uid="u", address="198.18.1.5", host_network=host_network)
    return NetworkHit(target, effects, node=cast("Node", node), pods=cast("Pods", pods), clock=clock or Clock())


def loss(pods: PodsOfOne, **how: Any) -> NetworkHit:
    """A packet loss, armed."""
    spec = asked(packetLoss={"percent": "5%"})
    hit = hit_of(behaviour.of(spec.spec).effects(spec, "x"), pods, **how)
    hit.arm(0.0)
    return hit


def told(spec: InjectionSpec, *, one_way: bool = False) -> tuple[PacketCounts, list[Direction]]:
    """What the record of a target says when the fault is lifted."""
    effects = behaviour.of(spec.spec).effects(spec, "x")
    if one_way:
        effects = tuple(replace(effect, counts=effect.counts and "ingress" in effect.name) for effect in effects)
    hit = hit_of(effects, PodsOfOne())
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


@pytest.mark.parametrize("host_network", [False, True])
def test_what_is_left_behind_is_left_also_when_the_pod_goes(host_network: bool) -> None:
    """The network of a pod on the host's network is the node's: it stays when the pod goes."""
    pods = PodsOfOne(shared=host_network)
    hit = loss(pods, left=A_TABLE, host_network=host_network)
    pods.there = False
    hit.look()
    assert hit.record.state is TargetState.LEFT_OVER
    assert "table netdev showstopper-x" in hit.record.leftovers
    assert "relay-0 is gone" in (hit.record.message or "")
    assert ("and its network with it" in (hit.record.message or "")) is not host_network


def test_what_is_left_behind_is_left_also_when_it_was_not_armed_as_a_whole() -> None:
    pods = PodsOfOne()
    pods.there = False
    hit = loss(pods, left=A_TABLE)
    assert hit.record.state is TargetState.LEFT_OVER
    assert "went while it was being hit" in (hit.record.message or "")


def test_a_pod_that_goes_with_all_that_was_done_to_it_is_gone() -> None:
    pods = PodsOfOne()
    hit = loss(pods)
    pods.there = False
    hit.look()
    assert hit.record.state is TargetState.GONE


def test_counters_that_cannot_be_read_end_it_on_this_target_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_armed: Armed) -> Counters:
        raise KernelRefused("no such table")

    hit = loss(PodsOfOne())
    monkeypatch.setattr(Armed, "counters", refuse)
    monkeypatch.setattr(Armed, "lift", lambda _armed: LiftResult({}, NOTHING))
    assert not hit.look()
    assert hit.record.state is TargetState.LIFTED
    assert "no such table" in (hit.record.message or "")


def test_a_container_that_is_restarted_is_no_pod_that_is_gone() -> None:
    """Under CRI-O no process is in the pod's network meanwhile."""
    pods, clock = PodsOfOne(restarts=True), Hands()
    hit = loss(pods, clock=clock)
    for _ in range(3):
        pods.there = False
        hit.look()
        clock.time += RESTART_SECONDS - 0.1
        hit.look()
        assert hit.record.state is TargetState.ARMED
        pods.there = True
        hit.look()
    hit.lift()
    assert hit.record.state is TargetState.LIFTED


def test_a_container_that_is_not_restarted_is_gone_since_it_ended() -> None:
    pods, clock = PodsOfOne(restarts=True), Hands()
    hit = loss(pods, clock=clock)
    pods.there = False
    hit.look()
    ended = to_timestamp(clock.time)
    clock.time += RESTART_SECONDS
    hit.look()
    assert hit.record.state is TargetState.GONE
    assert hit.record.lifted_at == ended, "nobody was hit while it was waited for"


def test_a_pod_without_processes_whose_device_is_gone_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = PodsOfOne(restarts=True)
    hit = loss(pods)
    pods.there = False
    monkeypatch.setattr(Armed, "missing", ("eth0",))
    hit.look()
    assert hit.record.state is TargetState.GONE
