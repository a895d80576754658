"""Through which devices of a node a packet of its own passes once."""

import pytest

from showstopper.agent.kernel import links
from showstopper.agent.kernel.links import Link
from showstopper.agent.kernel.namespaces import Namespace
from showstopper.agent.kernel.shaping import routes
from showstopper.faults.network.rules import Device

NODE = {
    "eth0": Link(2, master=4),
    "eth1": Link(3, master=4),
    "bond0": Link(4, "bond", addresses=frozenset({"198.18.0.2"})),
    "cni0": Link(5, "bridge", addresses=frozenset({"10.0.0.1"})),
    "veth1": Link(6, "veth", master=5),
    "cali1": Link(7, "veth"),
    "eth2": Link(8),
    "eth2.100": Link(9, "vlan", lower=8, addresses=frozenset({"198.18.9.2"})),
    "red": Link(10, "vrf"),
    "eth3": Link(11, master=10, addresses=frozenset({"198.18.7.2"})),
}
DEVICES = tuple(Device(name, link.index) for name, link in NODE.items())


def test_what_hands_packets_on_is_left_out() -> None:
    once = links.passed_once(DEVICES, tuple(NODE.values()))
    assert [device.name for device in once] == ["bond0", "cni0", "cali1", "eth2.100", "red", "eth3"]


def test_only_the_devices_with_the_targets_addresses_have_to_stay() -> None:
    carriers = links.carrying(DEVICES, tuple(NODE.values()), ("198.18.0.2", "2001:db8::2"))
    assert {device.name for device in carriers} == {"bond0"}
    assert links.carrying(DEVICES, tuple(NODE.values()), ("198.18.250.1",)) == frozenset(DEVICES)


@pytest.mark.netns
def test_the_kernels_own_links_are_read() -> None:
    def build() -> None:
        with routes() as ip:
            ip.link("add", ifname="near", kind="veth", peer="far")
            (near,) = ip.link_lookup(ifname="near")
            ip.addr("add", index=near, address="198.18.0.2", prefixlen=24)

    there = Namespace.scratch()
    try:
        there.call(build)
        devices, known = there.devices(), there.call(links.of_thread)
        assert {"near", "far"} <= {device.name for device in links.passed_once(devices, known)}
        assert {device.name for device in links.carrying(devices, known, ("198.18.0.2",))} == {"near"}
        assert {link.kind for link in known if link.addresses} == {"veth"}
    finally:
        there.close()
