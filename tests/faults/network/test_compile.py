"""Plans of network faults: what must hold for every effect, and what single ones look like."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.api.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Distribution,
    Duplicate,
    PacketLoss,
    Protocol,
    Reorder,
)
from showstopper.api.faults.storm import MediaPort, StormGate
from showstopper.api.schema.quantities import Share
from showstopper.faults.flood.flood_arrivals import flood_arrivals
from showstopper.faults.flood.flood_gate import flood_gate
from showstopper.faults.network.behaviour import objections, plan_of
from showstopper.faults.network.dns_failure import dns_failure
from showstopper.faults.network.plan import FIRST_QUEUE, HANDLE, MOST_EFFECTS, Method, detour
from showstopper.faults.network.rules import Device, Site, sampled
from showstopper.faults.network.traffic import KubeletProbes, NetworkEffect, Ports, Traffic
from showstopper.faults.storm.storm_gate import storm_gate
from tests.faults.network.build import APART, ETH0, added, base_chains, effects, rules_at_hooks, sites

LIVE = {"match": {"op": "==", "left": {"meta": {"key": "protocol"}}, "right": "@live"}}
FOR_US = {"match": {"op": "!=", "left": {"meta": {"key": "pkttype"}}, "right": "other"}}
numbers = st.integers(1, MOST_EFFECTS)
methods = st.sampled_from(Method)
UDP = frozenset({Protocol.UDP})


@given(effects(), sites, numbers, methods)
def test_every_rule_is_behind_the_lease(effect: NetworkEffect, site: Site, number: int, method: Method) -> None:
    assert not objections(effect)
    plan = plan_of(effect, site, number, method)
    timed = {(nft_set["family"], nft_set["name"]) for nft_set in added(plan, "set") if "timeout" in nft_set["flags"]}
    for chain, expressions in rules_at_hooks(plan):
        assert (chain["family"], "live") in timed
        before = expressions[: next(place for place, expression in enumerate(expressions) if "counter" in expression)]
        assert LIVE in before, "no packet is as much as counted without a lease"


@given(effects(), sites, numbers, methods)
def test_frames_for_others_are_not_met_where_the_kernel_has_not_dropped_them_yet(
    effect: NetworkEffect, site: Site, number: int, method: Method
) -> None:
    for chain, expressions in rules_at_hooks(plan_of(effect, site, number, method)):
        assert (expressions[0] == FOR_US) is (chain["hook"] == "ingress")


@given(effects(), sites, numbers, methods)
def test_everything_has_our_name(effect: NetworkEffect, site: Site, number: int, method: Method) -> None:
    plan = plan_of(effect, site, number, method)
    assert {table["name"] for table in added(plan, "table")} <= {plan.table}
    assert plan.table.startswith("showstopper-")
    for kind in ("set", "counter", "chain", "rule"):
        assert {nft_object["table"] for nft_object in added(plan, kind)} <= {plan.table}
    assert all(len(detour(traffic_class.device)) == 15 for traffic_class in plan.traffic_classes)


@given(effects(), sites, numbers, methods)
def test_senders_are_never_told(effect: NetworkEffect, site: Site, number: int, method: Method) -> None:
    """A drop in an output or postrouting hook is an EPERM for the program, and no packet loss."""
    plan = plan_of(effect, site, number, method)
    for chain, expressions in rules_at_hooks(plan):
        assert chain["policy"] == "accept"
        if {"drop": None} in expressions:
            assert chain["family"] == "netdev"
        assert not any("reject" in expression for expression in expressions)


@given(effects(), sites, numbers, methods)
def test_peers_and_own_addresses_are_never_left_out(
    effect: NetworkEffect, site: Site, number: int, method: Method
) -> None:
    plan = plan_of(effect, site, number, method)
    for _, expressions in rules_at_hooks(plan):
        asked = {str(expression["match"]["right"])[:-1] for expression in expressions if "match" in expression}
        assert ("@peers" in asked) is (effect.traffic.peers is not None)
        assert ("@own" in asked) is bool(site.own)


@settings(max_examples=10)
@given(effects(), sites, methods)
def test_effects_in_one_namespace_share_no_number(effect: NetworkEffect, site: Site, method: Method) -> None:
    plans = [plan_of(effect, site, number, method) for number in range(1, MOST_EFFECTS + 1)]
    queues = [queue.number for plan in plans for queue in plan.queues]
    classes = [
        (traffic_class.shaper, traffic_class.class_id) for plan in plans for traffic_class in plan.traffic_classes
    ]
    assert len(queues) == len(set(queues))
    assert len(classes) == len(set(classes))


def test_loss_at_the_egress_of_a_pod() -> None:
    traffic = Traffic(Direction.EGRESS, UDP, own_ports=(Ports.one(7882),), peers=("198.18.0.7", "198.18.1.0/24"))
    plan = plan_of(NetworkEffect("loss", traffic, PacketLoss(percent=Share(0.05))), ETH0, 1, Method.NFQUEUE)
    assert plan.families == ("netdev",)
    ((chain, expressions), (_, version6)) = rules_at_hooks(plan)
    assert (chain["hook"], chain["dev"]) == ("egress", "eth0")
    assert expressions == [
        LIVE,
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "@peers4"}},
        {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["udp"]}}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "th", "field": "sport"}}, "right": {"set": [7882]}}},
        {"counter": "egress-matched"},
        {"match": {"op": "<", "left": {"numgen": {"mode": "random", "mod": 100_000, "offset": 0}}, "right": 5000}},
        {"counter": "egress-affected"},
        {"drop": None},
    ]
    assert version6[1]["match"]["right"] == "@peers6", "empty now, but peers may be replaced"
    peers = next(nft_set for nft_set in added(plan, "set") if nft_set["name"] == "peers4")
    assert peers["elem"] == ["198.18.0.7", {"prefix": {"addr": "198.18.1.0", "len": 24}}]


def test_media_is_counted_apart_where_other_packets_are_meant_too() -> None:
    """A rule ends at its first condition that does not hold: so the counting is in a chain of its own."""
    traffic = Traffic(Direction.EGRESS, media=(Ports(50000, 60000),))
    plan = plan_of(NetworkEffect("loss", traffic, PacketLoss(percent=Share(0.05))), ETH0, 1, Method.NFQUEUE)
    ((_, expressions),) = rules_at_hooks(plan)
    assert expressions[-2:] == [{"counter": "egress-affected"}, {"goto": {"target": "egress-2-media"}}]
    assert [rule["expr"] for rule in added(plan, "rule") if rule["chain"] == "egress-2-media"] == [
        [
            {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["udp"]}}},
            {
                "match": {
                    "op": "==",
                    "left": {"payload": {"protocol": "th", "field": "sport"}},
                    "right": {"set": [{"range": [50000, 60000]}]},
                }
            },
            {"counter": "egress-media"},
        ],
        [{"drop": None}],
    ]


def test_nothing_is_counted_apart_where_every_packet_is_media() -> None:
    traffic = Traffic(Direction.EGRESS, UDP, own_ports=(Ports.one(50001),), media=(Ports(50000, 60000),))
    plan = plan_of(NetworkEffect("loss", traffic, PacketLoss(percent=Share(0.05))), ETH0, 1, Method.NFQUEUE)
    assert not [name for counter in added(plan, "counter") if "media" in (name := counter["name"])]


def test_probes_leave_the_chain_before_anything_is_counted() -> None:
    spared = KubeletProbes(("198.18.0.1", "2001:db8::1"), (Ports.one(7880),))
    site = Site((Device("eth0", 2),), gateways=("198.18.1.1",))
    effect = NetworkEffect("loss", Traffic(Direction.INGRESS, spared=spared), PacketLoss(percent=Share(1)))
    version4, version6, (_, everything) = rules_at_hooks(plan_of(effect, site, 1, Method.NFQUEUE))
    assert version4[1] == [
        {
            "match": {
                "op": "==",
                "left": {"payload": {"protocol": "ip", "field": "saddr"}},
                "right": {"set": ["198.18.0.1", "198.18.1.1"]},
            }
        },
        {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["tcp"]}}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "th", "field": "dport"}}, "right": {"set": [7880]}}},
        {"accept": None},
    ]
    assert version6[1][0]["match"]["right"] == {"set": ["2001:db8::1"]}
    assert everything[-1] == {"drop": None}


def test_a_partition_goes_both_ways_at_every_device() -> None:
    site = Site((Device("eth0", 2), Device("net1", 3)))
    effect = NetworkEffect("apart", Traffic(peers=("198.18.0.7", "2001:db8::7")), APART)
    plan = plan_of(effect, site, 1, Method.NFQUEUE)
    hooks = {(chain["hook"], chain["dev"]) for chain in base_chains(plan).values()}
    assert hooks == {(hook, device) for hook in ("ingress", "egress") for device in ("eth0", "net1")}
    assert len(added(plan, "rule")) == 8, "a rule for each IP version"


def test_questions_to_name_servers_are_lost_on_their_way_out() -> None:
    ((chain, expressions),) = rules_at_hooks(plan_of(dns_failure("dns"), ETH0, 1, Method.NFQUEUE))
    assert chain["hook"] == "egress"
    assert expressions[1]["match"]["right"] == {"set": ["tcp", "udp"]}
    assert expressions[2]["match"]["left"] == {"payload": {"protocol": "th", "field": "dport"}}
    assert expressions[2]["match"]["right"] == {"set": [53]}


@pytest.mark.parametrize("method", list(Method))
def test_delays_in_a_class_or_behind_a_queue(method: Method) -> None:
    dose = Delay(
        latency=timedelta(milliseconds=100), jitter=timedelta(milliseconds=10), distribution=Distribution.UNIFORM
    )
    plan = plan_of(NetworkEffect("late", Traffic(), dose), ETH0, 3, method)
    assert plan.method is method
    assert bool(plan.traffic_classes) is (method is Method.NETEM)
    assert [queue.number for queue in plan.queues] == (
        [] if plan.traffic_classes else [FIRST_QUEUE + 6, FIRST_QUEUE + 7]
    )
    assert all(bool(queue.foreign_rules) is (method is Method.NFQUEUE_XT) for queue in plan.queues)


def test_queues_are_passed_by_when_nobody_listens() -> None:
    plan = plan_of(NetworkEffect("late", Traffic(), Delay(latency=timedelta(seconds=1))), ETH0, 1, Method.NFQUEUE)
    queues = [
        expression["queue"] for rule in added(plan, "rule") for expression in rule["expr"] if "queue" in expression
    ]
    assert len(queues) == 4
    assert all(queue["flags"] == ["bypass"] for queue in queues)


def test_reordering_holds_back_a_share() -> None:
    effect = NetworkEffect(
        "mixed", Traffic(Direction.EGRESS), Reorder(percent=Share(0.25), hold=timedelta(milliseconds=20))
    )
    plan = plan_of(effect, ETH0, 1, Method.NFQUEUE)
    assert plan.queues[0].slowdown.delay == timedelta(milliseconds=20)
    dice = [
        expression["match"]["right"]
        for _, rule in rules_at_hooks(plan)
        for expression in rule
        if "numgen" in str(expression)
    ]
    assert dice == [25_000, 25_000], "for each IP version"


@pytest.mark.parametrize(("share", "dice"), [(1e-9, [1]), (0.05, [5_000]), (0.99999, [99_999]), (0.999999, [])])
def test_a_share_is_tried_in_steps_and_all_of_them_without_a_die(share: float, dice: list[int]) -> None:
    tried = [expression["match"]["right"] for expression in sampled(share) if "numgen" in str(expression)]
    assert tried == dice


def test_packets_are_shaped_on_a_detour_after_all_drops() -> None:
    effect = NetworkEffect("narrow", Traffic(), Bandwidth(rate="1Mbit"))
    plan = plan_of(effect, ETH0, 2, Method.NFQUEUE)
    chains = {chain["hook"]: (chain, expressions) for chain, expressions in rules_at_hooks(plan)}
    assert [traffic_class.shaper for traffic_class in plan.traffic_classes] == ["showstopper0002"] * 2
    for hook, number in (("ingress", 4), ("egress", 5)):
        assert chains[hook][1][-2]["mangle"]["value"] == HANDLE | number
        assert chains[hook][1][-1] == {"fwd": {"dev": "showstopper0002"}}
    assert all(chain["prio"] > 0 for chain, _ in chains.values())


def test_one_rate_is_shared_by_all_devices_of_a_target() -> None:
    """A pod on its node's network has many, and so has one with several networks."""
    site = Site((Device("eth0", 2), Device("cali1", 7), Device("cali2", 9)))
    plan = plan_of(NetworkEffect("narrow", Traffic(), Bandwidth(rate="1Mbit")), site, 2, Method.NFQUEUE)
    assert [(traffic_class.direction, traffic_class.shaper) for traffic_class in plan.traffic_classes] == [
        (Direction.INGRESS, "showstopper0002"),
        (Direction.EGRESS, "showstopper0002"),
    ]
    steered = [(chain["hook"], chain["dev"], rule[-2]["mangle"]["value"]) for chain, rule in rules_at_hooks(plan)]
    for traffic_class in plan.traffic_classes:
        for device in site.devices:
            assert (traffic_class.direction.lower(), device.name, traffic_class.class_id) in steered


def test_copies_are_not_copied_again() -> None:
    plan = plan_of(NetworkEffect("twice", Traffic(), Duplicate(percent=Share(1.0))), ETH0, 1, Method.NFQUEUE)
    for chain, expressions in rules_at_hooks(plan):
        first = expressions[0]["match"]
        assert first["right"] == {"set": ["eth0"]}
        if chain["hook"] == "postrouting":
            assert {"meta": {"key": "skuid"}} in [
                expression["match"]["left"] for expression in expressions if "match" in expression
            ]


def test_packets_without_the_bytes_that_are_overwritten_are_not_even_counted() -> None:
    """A rule ends where a packet is too short for what it reads."""
    plan = plan_of(NetworkEffect("odd", Traffic(), Corrupt(percent=Share(0.5))), ETH0, 1, Method.NFQUEUE)
    for _, expressions in rules_at_hooks(plan):
        (written,) = [each["mangle"]["key"] for each in expressions if "mangle" in each]
        counted = next(place for place, each in enumerate(expressions) if "counter" in each)
        assert written in [each["match"]["left"] for each in expressions[:counted] if "match" in each]


def test_bursts_are_the_agents_to_open() -> None:
    effect = NetworkEffect("burst", Traffic(), PacketLoss(percent=Share(0.1), burst=timedelta(milliseconds=60)))
    plan = plan_of(effect, ETH0, 1, Method.NFQUEUE)
    assert plan.bursts
    assert plan.bursts.length == timedelta(milliseconds=60)
    for _, expressions in rules_at_hooks(plan):
        conditions = [expression for expression in expressions if "match" in expression and expression != FOR_US]
        assert [condition["match"]["right"] for condition in conditions] == ["@live", "@burst"]


def test_on_the_nodes_network_only_the_targets_own_address_is_hit() -> None:
    site = Site((Device("eth0", 2),), own=("198.18.0.11",))
    plan = plan_of(NetworkEffect("loss", Traffic(), PacketLoss(percent=Share(0.5))), site, 1, Method.NFQUEUE)
    sides = {
        chain["hook"]: rule[rule.index(LIVE) + 1]["match"]["left"]["payload"]["field"]
        for chain, rule in rules_at_hooks(plan)
    }
    assert sides == {"ingress": "daddr", "egress": "saddr"}


def test_a_gate_lets_the_flood_pass_under_the_lease_and_nothing_else_ever() -> None:
    plan = plan_of(flood_gate("flood", ("198.18.0.7",), 7882, 172), ETH0, 1, Method.NFQUEUE)
    rules = [expressions for _, expressions in rules_at_hooks(plan)]
    for passing in rules[:2]:  # one for each IP version
        assert passing[0] == LIVE
        assert passing[-2:] == [{"counter": "egress-affected"}, {"accept": None}]
        assert {
            "match": {"op": "==", "left": {"payload": {"protocol": "th", "field": "dport"}}, "right": {"set": [7882]}}
        } in passing
    assert [rule[-1] for rule in rules[2:]] == [{"accept": None}, {"accept": None}, {"drop": None}]
    assert rules[-1] == [{"drop": None}], "without a condition, the lease's above all"
    assert plan.stays


def test_the_gate_of_a_storm_lets_joins_and_their_media_pass_and_nothing_else_ever() -> None:
    media = (MediaPort(port=50000, end_port=60000),)
    effect = storm_gate("storm", ("198.18.0.7",), StormGate(signalling=7880, media=media))
    plan = plan_of(effect, ETH0, 1, Method.NFQUEUE)
    assert not objections(effect)
    rules = [expressions for _, expressions in rules_at_hooks(plan)]
    for passing in rules[:2]:  # one for each IP version
        assert passing[0] == LIVE
        assert passing[-2:] == [{"counter": "egress-affected"}, {"accept": None}]
        matched = [expression["match"]["right"] for expression in passing if "match" in expression]
        allowed = [right["set"] for right in matched if isinstance(right, dict)]
        assert allowed == [["tcp", "udp"], [7880, {"range": [50000, 60000]}]]
    assert rules[-1] == [{"drop": None}], "without a condition, the lease's above all"
    assert (plan.stays, plan.announced, plan.datagram_bytes) == (True, True, None)


def test_a_storm_that_only_signals_gets_no_udp_through_its_gate() -> None:
    effect = storm_gate("storm", ("198.18.0.7",), StormGate(signalling=7880))
    assert effect.traffic.protocols == {Protocol.TCP}
    assert not objections(effect)


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        (("198.18.0.0/24",), "is no IP address"),
        (("127.0.0.1",), "is a loopback address"),
        (tuple(f"198.18.0.{number}" for number in range(1, 102)), "at most 100"),
    ],
)
def test_the_gate_of_a_storm_leads_to_single_pods_only(targets: tuple[str, ...], says: str) -> None:
    assert says in " ".join(objections(storm_gate("storm", targets, StormGate(signalling=7880))))


def test_a_gate_is_no_fault_of_any_name() -> None:
    """A fault of that name would be deleted when it ends, and a gate that is deleted is open."""
    gate = plan_of(flood_gate("x", ("198.18.0.7",), 7882, 172), ETH0, 1, Method.NFQUEUE)
    name = gate.table.removeprefix("showstopper-")
    assert objections(NetworkEffect(name, Traffic(), Duplicate(percent=Share(1.0))))


def test_arrivals_are_counted_and_left_alone() -> None:
    plan = plan_of(flood_arrivals("flood", ("198.18.0.9",), 7882, 172), ETH0, 1, Method.NFQUEUE)
    for chain, expressions in rules_at_hooks(plan):
        assert (chain["hook"], chain["policy"]) == ("ingress", "accept")
        assert expressions[:2] == [FOR_US, LIVE]
        assert all(expression.keys() <= {"match", "counter"} for expression in expressions)
    assert not plan.stays
