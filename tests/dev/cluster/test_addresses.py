"""All addresses lie in the range that is blackholed behind them, and none is given twice."""

import ipaddress

from dev.cluster import addresses

RANGE = ipaddress.ip_network(addresses.RANGE)


def test_every_subnet_lies_in_the_guarded_range() -> None:
    subnets = [
        addresses.PODS_AND_NODES,
        addresses.NODES,
        addresses.SERVICES,
        *(node.pods for node in addresses.WORKERS),
    ]
    for subnet in subnets:
        assert ipaddress.ip_network(str(subnet)).subnet_of(RANGE)  # type: ignore[arg-type]


def test_no_two_members_share_an_address_or_a_pod_subnet() -> None:
    assert len({member.address for member in addresses.MEMBERS} | {addresses.HOST}) == len(addresses.MEMBERS) + 1
    pods = [ipaddress.ip_network(str(node.pods)) for node in addresses.WORKERS]
    assert not any(subnet.overlaps(other) for subnet in pods for other in pods if subnet is not other)


def test_pods_and_services_do_not_overlap() -> None:
    services = ipaddress.ip_network(addresses.SERVICES)
    assert not services.overlaps(ipaddress.ip_network(addresses.PODS_AND_NODES))
    assert ipaddress.ip_address(addresses.API_SERVICE) == services[1]
    assert ipaddress.ip_address(addresses.DNS_SERVICE) in services


def test_a_link_name_is_short_enough_for_the_kernel() -> None:
    assert len(addresses.LINK) <= 15
    assert all(len(member.name) <= 15 for member in addresses.MEMBERS)
