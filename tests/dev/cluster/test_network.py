"""The network's plan, and what it refuses to share the machine with."""

import json

import pytest

from dev.cluster import addresses, network


def routes(*destinations: str) -> str:
    return json.dumps([{"dst": each, "dev": "tun0"} for each in destinations])


def links(*locals_: str) -> str:
    return json.dumps([{"ifname": "eth0", "addr_info": [{"local": each} for each in locals_]}])


@pytest.mark.parametrize("destination", ["198.18.0.0/15", "198.19.7.0/24", "198.18.0.1", "198.0.0.0/8"])
def test_a_route_in_our_range_is_a_conflict(destination: str) -> None:
    assert list(network.conflicts(routes("default", destination), "[]")) == [f"the route {destination} tun0"]


def test_an_address_in_our_range_is_a_conflict() -> None:
    assert list(network.conflicts("[]", links("198.18.3.4"))) == ["the address 198.18.3.4 of eth0"]


def test_other_routes_and_addresses_are_none() -> None:
    assert not list(network.conflicts(routes("default", "10.0.0.0/8"), links("127.0.0.1", "::1", "fe80::1")))
    assert not list(network.conflicts("", ""))


def test_the_blackhole_comes_before_the_routes_that_it_stands_behind() -> None:
    first, *pods = network.host_routes()
    assert first == "blackhole 198.18.0.0/15"
    assert pods == ["198.18.1.0/24 via 198.18.255.11", "198.18.2.0/24 via 198.18.255.12"]


@pytest.mark.parametrize("member", addresses.MEMBERS, ids=lambda member: member.name)
def test_every_member_reaches_all_pods_but_has_no_way_out(member: addresses.Member) -> None:
    lines = network.member_lines(member)
    reached = {line.split()[2] for line in lines if line.startswith("route add 198.18.")}
    assert reached == {node.pods for node in addresses.WORKERS if node is not member}
    assert lines[-1] == "route add unreachable default"
    assert not any("default via" in line for line in lines)


def test_the_guard_drops_what_the_cluster_sends_out_and_what_comes_in() -> None:
    assert f'iifname "{addresses.LINK}" drop' in network.GUARD
    assert f'oifname "{addresses.LINK}" drop' in network.GUARD
