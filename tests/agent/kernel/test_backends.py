"""Backends: what the probe says of this machine's kernel, and what is done with what it says."""

import errno
from datetime import timedelta
from pathlib import Path

import pytest

from showstopper.agent.kernel import backends, shaping
from showstopper.agent.kernel.backends import Backends
from showstopper.agent.kernel.namespaces import Namespace
from showstopper.agent.network.node import Node
from showstopper.api.faults.network import Bandwidth, Delay, Direction, Distribution, NetworkFault, PacketLoss
from showstopper.api.schema.quantities import Share
from showstopper.errors import EffectRefused, KernelRefused, NamespaceGone
from showstopper.faults.network import preview
from showstopper.faults.network.plan import HANDLE, Method, Slowdown, TrafficClass
from showstopper.faults.network.rules import Device
from showstopper.faults.network.traffic import NetworkEffect, Traffic
from tests.agent.wire import RECEIVER, SENDER, Wire
from tests.faults.network.build import APART, ETH0

LATE = Delay(latency=timedelta(milliseconds=100))
NETEM = Slowdown(timedelta(milliseconds=100), timedelta(milliseconds=20))


def effect(dose: NetworkFault, direction: Direction = Direction.BOTH) -> NetworkEffect:
    return NetworkEffect("test", Traffic(direction, peers=("198.18.0.1",)), dose)


def test_the_best_way_is_taken() -> None:
    assert Backends((Method.NETEM, Method.NFQUEUE)).plan(effect(LATE), ETH0, 1).method is Method.NETEM
    assert Backends((Method.NFQUEUE_XT,)).plan(effect(LATE), ETH0, 1).method is Method.NFQUEUE_XT
    assert Backends(()).plan(effect(PacketLoss(percent=Share(0.1))), ETH0, 1).method is None


def test_netem_spreads_evenly_only() -> None:
    pareto = effect(
        Delay(latency=timedelta(milliseconds=9), jitter=timedelta(milliseconds=9), distribution=Distribution.PARETO)
    )
    assert Backends((Method.NETEM, Method.NFQUEUE)).plan(pareto, ETH0, 1).method is Method.NFQUEUE
    with pytest.raises(EffectRefused, match=r"netem \(evenly spread delays only\)"):
        Backends((Method.NETEM,)).plan(pareto, ETH0, 1)


def test_netem_and_another_traffic_class_do_not_mix() -> None:
    able = Backends((Method.NETEM, Method.NFQUEUE))
    narrow = able.plan(effect(Bandwidth(rate="1Mbit")), ETH0, 1)
    assert able.plan(effect(LATE), ETH0, 2, [narrow]).method is Method.NFQUEUE
    late = able.plan(effect(LATE), ETH0, 1)
    assert able.plan(effect(PacketLoss(percent=Share(0.1))), ETH0, 2, [late])
    for able_too in (able, Backends((Method.NETEM,))):
        with pytest.raises(EffectRefused, match="lift that one first"):
            able_too.plan(effect(Bandwidth(rate="1Mbit")), ETH0, 2, [late])


def test_a_node_without_a_way_to_hold_packets_back_says_what_its_kernel_said() -> None:
    missing = {method.value: "No such file or directory" for method in Method}
    with pytest.raises(EffectRefused, match=r"no means for test: netem \(No such file"):
        Backends((), missing).needed(effect(LATE))
    Backends((), missing).needed(effect(PacketLoss(percent=Share(0.1))))


def test_only_the_directions_that_are_asked_for_count() -> None:
    able = Backends((Method.NETEM,), {"dropping Egress": "kernel before 5.16", "shaping Ingress": "no ifb"})
    able.needed(effect(PacketLoss(percent=Share(0.1)), Direction.INGRESS))
    able.needed(effect(Bandwidth(rate="1Mbit"), Direction.EGRESS))
    with pytest.raises(EffectRefused, match=r"dropping Egress \(kernel before 5\.16"):
        able.needed(effect(APART))
    with pytest.raises(EffectRefused, match="no ifb"):
        able.needed(effect(Bandwidth(rate="1Mbit")))


@pytest.mark.netns
def test_the_probe_tries_every_means_and_leaves_nothing(able: Backends) -> None:
    assert able.method is not None
    assert backends.probe() == able
    for method in Method:
        if method.value in able.missing:
            assert "No such file" in able.missing[method.value], "the kernel's own word"


@pytest.mark.netns
def test_netem_delays_or_is_said_to_be_missing() -> None:
    """The call is the same in either case; a kernel without sch_netem answers it with ENOENT."""
    with Namespace.scratch() as scratch:
        traffic_class = TrafficClass(Device("lo", 1), Direction.EGRESS, HANDLE | 1, NETEM)
        refused = scratch.call(lambda: _refusal(traffic_class))
        if refused is None:
            assert "'delay': 1" in scratch.call(_qdiscs)
        else:
            assert refused.code == errno.ENOENT
        scratch.call(lambda: shaping.remove([traffic_class]))
        assert scratch.call(shaping.leftovers) == []


def test_netem_is_told_microseconds() -> None:
    assert shaping.netem_options(NETEM) == {"delay": 100_000, "jitter": 20_000, "limit": 1 << 19}


@pytest.mark.netns
def test_a_preview_shows_what_arming_sets_up_and_sets_up_nothing(wire: Wire, node: Node) -> None:
    wanted = NetworkEffect(
        "test",
        Traffic(Direction.EGRESS, peers=(RECEIVER,)),
        Delay(latency=timedelta(milliseconds=5), jitter=timedelta(milliseconds=5), distribution=Distribution.PARETO),
    )
    before = wire.state()
    shown = preview.lines(node.preview(wire.sender, wanted))
    assert wire.state() == before
    assert shown == preview.lines(node.arm(wire.sender, wanted, float("inf")).plan)


@pytest.mark.netns
def test_a_namespace_is_entered_by_its_path_only_if_it_is_one(wire: Wire) -> None:
    with Namespace.at(wire.sender) as there:
        assert [device.name for device in there.devices()] == ["eth0"]
        assert f"-- {SENDER}\n" in there.read("fib_trie")
        assert there.read("there/is/none") == ""
    with pytest.raises(NamespaceGone, match="cannot enter"), Namespace.at(Path("/proc/self/status")):
        pass


def _refusal(traffic_class: TrafficClass) -> KernelRefused | None:
    try:
        shaping.build([traffic_class])
    except KernelRefused as refused:
        return refused
    return None


def _qdiscs() -> str:
    with shaping.routes() as ip:
        return str([qdisc.get_attr("TCA_OPTIONS") for qdisc in ip.get_qdiscs()])
