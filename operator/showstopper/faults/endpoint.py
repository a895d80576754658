"""Endpoints: where a pod of the crowd sends to, and which addresses are no single pod's.

The program checks again what the operator let through. Without pydantic, for the flooder does without it.
"""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

_RESERVED = IPv4Network("240.0.0.0/4")
_THIS_NETWORK = IPv4Network("0.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An IP address and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        """As in URLs: IPv6 addresses stand in brackets."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class SpecialAddress(StrEnum):
    """Addresses that are no single pod's. A program sends there only when told so in this very word."""

    LOOPBACK = "Loopback"
    MULTICAST = "Multicast"
    BROADCAST = "Broadcast"
    LINK_LOCAL = "LinkLocal"


def objection_to(target: Endpoint, allowed: Set[SpecialAddress] = frozenset()) -> str | None:
    """Why nothing may be sent to this target, or None.

    Args:
        target: the address and port.
        allowed: kinds of special addresses that may be used all the same.
    """
    try:
        address = ip_address(target.address)
    except ValueError:
        return f"{target.address!r} is no IP address; names are not looked up"
    if not 1 <= target.port <= 65535:
        return f"{target.port} is no port: write 1 to 65535"
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified or address in _THIS_NETWORK:
        return f"{target.address} is nobody's address"
    special = kind_of(address)
    if special is None or special in allowed:
        return None
    return f"{target.address} is a {special.lower()} address, and floods go to single pods only"


def kind_of(address: IPv4Address | IPv6Address) -> SpecialAddress | None:
    """What makes an address special; None: it is one interface's. The reserved 240.0.0.0/4 counts as broadcast."""
    if address.is_loopback:
        return SpecialAddress.LOOPBACK
    if address.is_multicast:
        return SpecialAddress.MULTICAST
    if address in _RESERVED:
        return SpecialAddress.BROADCAST
    return SpecialAddress.LINK_LOCAL if address.is_link_local else None
