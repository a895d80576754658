"""From an Injection to effects: every kind, which packets, and what is never hit by mistake."""

from datetime import timedelta
from typing import Any

import pytest

from showstopper.agent.kernel.backends import Backends
from showstopper.api.faults.flood import FloodArrivals, FloodGate
from showstopper.api.faults.network import Direction, Distribution, NetworkFault, PacketLoss, Profile, Protocol
from showstopper.api.injection import Injection, InjectionSpec, InjectionTarget
from showstopper.api.schema.quantities import Share
from showstopper.faults.network.behaviour import effect_name, of, plan_of
from showstopper.faults.network.bounds import NAME
from showstopper.faults.network.plan import Method, Plan, Slowdown
from showstopper.faults.network.traffic import KubeletProbes, NetworkEffect, Ports, Traffic
from showstopper.faults.observed import Observed, ObservedTarget
from tests.api.build import LEAVE_OUT, injection
from tests.faults.network.build import ETH0

MEDIA, SIGNAL = {"port": 7882, "protocol": "UDP"}, {"port": 7880, "protocol": "TCP"}
KINDS: dict[str, dict[str, Any]] = {
    "packetLoss": {"percent": "5%", "burst": "60ms"},
    "delay": {"latency": "100ms", "jitter": "20ms", "distribution": "Normal"},
    "duplicate": {"percent": "1%"},
    "corrupt": {"percent": "50%"},
    "reorder": {"percent": "10%", "hold": "30ms"},
    "bandwidth": {"rate": "2Mbit", "queue": "100ms"},
    "mtu": {"size": 1200},
    "partition": {"peers": [{"component": "store"}]},
    "portBlock": {"protocols": ["UDP"]},
    "dnsFailure": {},
    "networkProfile": {"name": "Mobile4G"},
}
SLOWDOWNS = {
    "delay": Slowdown(timedelta(milliseconds=100), timedelta(milliseconds=20), Distribution.NORMAL),
    "reorder": Slowdown(timedelta(milliseconds=30)),
    "bandwidth": Slowdown(bits_per_second=2_000_000, backlog=timedelta(milliseconds=100)),
}
"""How packets are slowed down by what is declared above."""


def spec(kind: str = "packetLoss", fault: dict[str, Any] | None = None, **changes: Any) -> InjectionSpec:
    wish = {"spec.packetLoss": LEAVE_OUT} if kind != "packetLoss" else {}
    wish |= {f"spec.{kind}": KINDS[kind] if fault is None else fault}
    return Injection.parse(injection({**wish, **{f"spec.{name}": value for name, value in changes.items()}})).spec


def effects(asked: InjectionSpec, name: str) -> tuple[NetworkEffect, ...]:
    return of(asked.spec).effects(asked, name)


def refusals(asked: InjectionSpec) -> tuple[str, ...]:
    return tuple(of(asked.spec).refusals(asked))


def refusal_of(asked: InjectionSpec, target: InjectionTarget) -> str | None:
    return of(asked.spec).refusal_of(asked, target)


def test_every_kind_is_here() -> None:
    ends = {"floodGate", "floodArrivals", "stormGate", "stormArrivals"}
    kinds = {kind for kind, spec in InjectionSpec.kinds().items() if issubclass(spec, NetworkFault)}
    assert KINDS.keys() == kinds - ends


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "networkProfile"])
def test_each_kind_is_compiled_and_may_be_armed(kind: str) -> None:
    asked = spec(kind, ports=[] if kind == "dnsFailure" else [MEDIA])
    (effect,) = effects(asked, "loss.u.0")
    assert effect.fault is asked.spec
    plan = plan_of(effect, ETH0, 1, Method.NFQUEUE)
    slowdowns = [queue.slowdown for queue in plan.queues] + [
        traffic_class.slowdown for traffic_class in plan.traffic_classes
    ]
    assert slowdowns == [SLOWDOWNS[kind]] * 2 if kind in SLOWDOWNS else not slowdowns
    assert effect.traffic.peers == ("198.18.2.0/24", "fd00::1")
    assert refusals(asked) == ()
    if kind != "dnsFailure":
        assert effect.traffic.protocols == {Protocol.UDP}
        assert effect.traffic.own_ports == (Ports.one(7882),)


def test_the_direction_is_the_targets() -> None:
    assert effects(spec(), "x")[0].traffic.direction is Direction.BOTH
    assert effects(spec(fault={"percent": "5%", "direction": "Ingress"}), "x")[0].traffic.direction is Direction.INGRESS


def test_without_ports_and_peers_all_packets_are_meant() -> None:
    (effect,) = effects(spec(ports=[], peers=LEAVE_OUT), "x")
    assert effect.traffic.peers is None
    assert not effect.traffic.protocols
    assert not effect.traffic.own_ports


def test_a_port_of_udp_and_one_of_tcp_are_not_both_of_both() -> None:
    made = effects(spec(ports=[MEDIA, SIGNAL]), "x")
    assert [effect.name for effect in made] == ["x.tcp", "x.udp"]
    assert [effect.traffic.protocols for effect in made] == [{Protocol.TCP}, {Protocol.UDP}]
    assert [effect.traffic.own_ports for effect in made] == [(Ports.one(7880),), (Ports.one(7882),)]


def test_media_is_of_udp_and_never_counted_among_packets_of_tcp() -> None:
    tcp, udp = effects(spec(ports=[MEDIA, SIGNAL], media=[MEDIA]), "x")
    assert (tcp.traffic.media, udp.traffic.media) == ((), (Ports.one(7882),))
    assert not udp.traffic.counts_media, "all of it is"
    (both,) = effects(spec(ports=[], media=[MEDIA]), "x")
    assert both.traffic.counts_media
    assert not effects(spec("dnsFailure", ports=[], media=[MEDIA]), "x")[0].traffic.media


def test_probes_are_let_through_where_they_are_spared() -> None:
    probes = {"addresses": ["198.18.0.1"], "ports": [7880]}
    (effect,) = effects(spec(ports=[], peers=LEAVE_OUT, probes=probes), "x")
    assert effect.traffic.spared == KubeletProbes(("198.18.0.1",), (Ports.one(7880),))
    (effect,) = effects(spec(ports=[SIGNAL], peers=LEAVE_OUT, probes={**probes, "spared": False}), "x")
    assert effect.traffic.spared is None


def test_probes_and_heartbeats_alone_prove_nothing() -> None:
    target = ObservedTarget("relay-0", matched=40, affected=12, media=0)
    finding = of(spec().spec).proof(Observed("loss", (target,)))
    assert finding is not None
    assert finding.reason == "NoEffect"
    assert finding.message.startswith("acted on 12 packets on relay-0, and none of them was media")


def test_the_proof_says_how_much_of_it_was_media() -> None:
    target = ObservedTarget("relay-0", proven=True, matched=40, affected=12, media=9)
    words = "proven on every target: 40 packets matched, 12 affected, 9 of them media"
    assert of(spec().spec).outcome(Observed("loss", (target,))) == words


def test_they_share_one_bandwidth_and_one_port_of_both_is_one_effect() -> None:
    assert len(effects(spec("bandwidth", ports=[MEDIA, SIGNAL]), "x")) == 1
    assert len(effects(spec(ports=[MEDIA, {**MEDIA, "protocol": "TCP"}]), "x")) == 1


def test_a_profile_loses_limits_and_delays_each_way_as_published() -> None:
    asked = spec("networkProfile", ports=[MEDIA])
    made = {effect.name: effect for effect in effects(asked, "x")}
    assert list(made) == [
        "x.loss-ingress",
        "x.loss-egress",
        "x.rate-ingress",
        "x.rate-egress",
        "x.ingress",
        "x.egress",
    ]
    assert refusals(asked) == ()
    assert {effect.name for effect in made.values() if effect.counts} == {"x.ingress", "x.egress"}
    for effect in made.values():
        assert effect.traffic.own_ports == (Ports.one(7882),)
        assert effect.traffic.direction.lower() in effect.name
    assert made["x.loss-egress"].fault == PacketLoss(percent=Share(0.002))
    plans = {name: plan_of(effect, ETH0, number, Method.NFQUEUE) for number, (name, effect) in enumerate(made.items())}
    assert plans["x.rate-ingress"].traffic_classes[0].slowdown.bits_per_second == 100_000_000
    assert plans["x.rate-egress"].traffic_classes[0].slowdown.bits_per_second == 50_000_000
    down, up = (plans[f"x.{way}"].queues for way in ("ingress", "egress"))
    assert [queue.slowdown for queue in down] == [Slowdown(timedelta(milliseconds=45), timedelta(milliseconds=5))]
    assert [queue.slowdown for queue in up] == [Slowdown(timedelta(milliseconds=45), timedelta(milliseconds=15))]


def test_a_profile_of_one_way_is_that_way_alone_and_loses_nothing_where_no_loss_is_published() -> None:
    asked = spec("networkProfile", {"name": "Satellite", "direction": "Ingress"}, ports=[MEDIA])
    assert [effect.name for effect in effects(asked, "x")] == ["x.rate-ingress", "x.ingress"]


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("able", [(Method.NETEM, Method.NFQUEUE), (Method.NFQUEUE,), (Method.NFQUEUE_XT,)])
def test_every_profile_can_be_set_up_beside_its_own_parts(profile: Profile, able: tuple[Method, ...]) -> None:
    plans: list[Plan] = []
    asked = spec("networkProfile", {"name": profile}, ports=[MEDIA])
    for number, effect in enumerate(effects(asked, effect_name("a" * 63, "0" * 36, 99)), 1):
        plans.append(Backends(able).plan(effect, ETH0, number, plans))
    assert len({plan.table for plan in plans}) == len(plans)
    assert {plan.method for plan in plans} == {None, able[-1]}


def test_media_of_the_fleet_is_all_udp_but_dns() -> None:
    (effect,) = effects(spec(ports=[], peers=LEAVE_OUT, mediaOnly=True), "x")
    assert effect.traffic == Traffic(
        Direction.BOTH, frozenset({Protocol.UDP}), peer_ports=(Ports(1, 52), Ports(54, 65535))
    )
    (apart,) = effects(spec("partition", ports=[], mediaOnly=True), "x")
    assert apart.traffic.protocols == {Protocol.UDP}
    assert apart.traffic.peers == ("198.18.2.0/24", "fd00::1")
    (blocked,) = effects(spec("portBlock", {"protocols": ["UDP", "TCP"]}, ports=[], mediaOnly=True), "x")
    assert blocked.traffic.protocols == {Protocol.UDP}, "whatever it was asked for"


@pytest.mark.parametrize(
    "asked",
    [
        spec(ports=[SIGNAL], mediaOnly=True),
        spec("dnsFailure", ports=[], mediaOnly=True),
        spec("floodArrivals", {"port": 7882, "size": 172}, ports=[], mediaOnly=True),
    ],
    ids=lambda asked: asked.kind,
)
def test_media_alone_has_no_ports_and_is_of_no_other_kind(asked: InjectionSpec) -> None:
    assert "leave out ports, or mediaOnly" in " ".join(refusals(asked))


def test_a_block_of_a_protocol_without_ports_blocks_all_of_it() -> None:
    (effect,) = effects(spec("portBlock", ports=[]), "x")
    assert effect.traffic.protocols == {Protocol.UDP}
    assert effect.traffic.own_ports == ()


def test_no_port_of_a_protocol_never_means_all_of_them() -> None:
    asked = spec("portBlock", {"protocols": ["UDP", "TCP"]}, ports=[MEDIA])
    assert "none of the ports is one of TCP" in " ".join(refusals(asked))
    assert "none of the ports is one of UDP" in " ".join(refusals(spec("portBlock", ports=[SIGNAL])))


def test_dns_has_no_ports_of_the_target() -> None:
    assert "leave out ports" in " ".join(refusals(spec("dnsFailure")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_pod_in_its_nodes_network_is_hit_at_its_ports_only(kind: str) -> None:
    (target,) = spec(targets=[{"pod": "p", "uid": "u", "address": "198.18.0.2", "hostNetwork": True}]).targets
    assert "the whole node would be hit" in (refusal_of(spec(kind, ports=[]), target) or "")
    refused = refusal_of(spec(kind), target)
    assert bool(refused) == (kind == "dnsFailure")
    assert refusal_of(spec(kind, ports=[]), spec().targets[0]) is None


@pytest.mark.parametrize("fault", ["a", "a" * 63, "a" * 39 + "-" + "b" * 20])
def test_names_are_such_as_the_kernel_takes(fault: str) -> None:
    name = effect_name(fault, "0d5e0b9e-6a5b-4c1f-9d0c-3f1f6c1f2a11", 99)
    assert NAME.fullmatch(f"{name}.udp")


def test_a_gate_leads_to_one_port_of_its_peers() -> None:
    asked = spec("floodGate", {"port": 7882, "size": 172}, ports=[], peers=["198.18.1.5", "198.18.1.6"])
    (effect,) = effects(asked, "flood.u.0")
    assert not refusals(asked)
    assert effect.fault == FloodGate(port=7882, size=172)
    assert (effect.traffic.direction, effect.traffic.protocols) == (Direction.EGRESS, frozenset({Protocol.UDP}))
    assert (effect.traffic.own_ports, effect.traffic.peer_ports) == ((), (Ports.one(7882),))
    assert effect.traffic.peers == ("198.18.1.5", "198.18.1.6")


def test_arrivals_are_those_of_the_flooder_at_one_port() -> None:
    asked = spec("floodArrivals", {"port": 7882, "size": 172}, ports=[], peers=["198.18.1.9"])
    (effect,) = effects(asked, "flood.u.0")
    assert not refusals(asked)
    assert effect.fault == FloodArrivals(port=7882, size=172)
    assert (effect.traffic.direction, effect.traffic.protocols) == (Direction.INGRESS, frozenset({Protocol.UDP}))
    assert (effect.traffic.own_ports, effect.traffic.peer_ports) == ((Ports.one(7882),), ())


@pytest.mark.parametrize("peers", [["198.18.1.0/24"], ["127.0.0.1"], ["255.255.255.255"], LEAVE_OUT])
def test_a_gate_to_more_than_single_pods_is_refused(peers: Any) -> None:
    assert refusals(spec("floodGate", {"port": 7882, "size": 172}, ports=[], peers=peers))


def test_a_node_is_not_shut_in_but_what_comes_to_its_pods_is_counted() -> None:
    shared = {"targets.0.hostNetwork": True, "ports": [], "peers": ["198.18.1.9"]}
    gate = spec("floodGate", {"port": 7882, "size": 172}, **shared)
    assert "would shut in the whole node" in (refusal_of(gate, gate.targets[0]) or "")
    arrivals = spec("floodArrivals", {"port": 7882, "size": 172}, **shared)
    assert refusal_of(arrivals, arrivals.targets[0]) is None
