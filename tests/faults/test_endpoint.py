from showstopper.faults import endpoint
from showstopper.faults.endpoint import Endpoint, SpecialAddress


def test_ipv6_addresses_stand_in_brackets() -> None:
    assert str(Endpoint("198.18.1.1", 7882)) == "198.18.1.1:7882"
    assert str(Endpoint("fd00::5", 7882)) == "[fd00::5]:7882"


def test_only_addresses_of_single_pods_are_targets() -> None:
    assert endpoint.objection_to(Endpoint("198.18.1.1", 1)) is None
    assert endpoint.objection_to(Endpoint("fd00::1", 65535)) is None
    for address in ("127.0.0.1", "::1", "224.0.0.1", "ff02::1", "255.255.255.255", "169.254.0.1", "fe80::1%eth0"):
        assert "single pods only" in (endpoint.objection_to(Endpoint(address, 1)) or "")
    assert endpoint.objection_to(Endpoint("", 1))
    assert endpoint.objection_to(Endpoint("::ffff:224.0.0.1", 1), {SpecialAddress.LOOPBACK})
