"""Bounds of packet floods: what is refused, whoever asks. The flooder checks again what the operator let through."""

from collections.abc import Iterator, Set
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from showstopper.api.schema.shapes import Shape
from showstopper.faults.flood.sending import Endpoint, Flood

LARGEST = 1472  # UDP payload of an Ethernet frame of 1500 bytes
SMALLEST = {Shape.RANDOM: 1, Shape.RTP: 12, Shape.STUN: 20}
FASTEST = 5_000_000
MOST_PACKETS = 1_000_000_000
MOST_SOURCES = 256
MOST_TARGETS = 100
SHORTEST = timedelta(milliseconds=100)
LONGEST = timedelta(minutes=10)
FURTHEST_END = timedelta(hours=1)
"""How far ahead the absolute end may be."""

_RESERVED = IPv4Network("240.0.0.0/4")
_THIS_NETWORK = IPv4Network("0.0.0.0/8")


class Special(StrEnum):
    """Addresses that are no single pod's. A flooder sends there only when told so in this very word."""

    LOOPBACK = "Loopback"
    MULTICAST = "Multicast"
    BROADCAST = "Broadcast"
    LINK_LOCAL = "LinkLocal"


def objections(flood: Flood) -> Iterator[str]:
    """Why a flood may not be sent, as sentences that say what to write instead; none: it may."""
    yield from _of_size(flood.shape, flood.size)
    if flood.rate is not None and not 1 <= flood.rate <= FASTEST:
        yield f"a rate of {flood.rate} is out of bounds: write 1 to {FASTEST} packets a second"
    if flood.rate is None and flood.packets is None:
        yield "as fast as possible needs a budget: say how many packets"
    if flood.packets is not None and not 1 <= flood.packets <= MOST_PACKETS:
        yield f"a budget of {flood.packets} packets is out of bounds: write 1 to {MOST_PACKETS}"
    if not 1 <= flood.sources <= MOST_SOURCES:
        yield f"{flood.sources} sources are out of bounds: write 1 to {MOST_SOURCES}"
    if not SHORTEST <= flood.duration <= LONGEST:
        seconds = flood.duration.total_seconds()
        yield f"{seconds:g} s are out of bounds: write {SHORTEST.total_seconds():g} to {LONGEST.total_seconds():g}"


def _of_size(shape: Shape, size: int) -> Iterator[str]:
    if not SMALLEST[shape] <= size <= LARGEST:
        yield f"{size} bytes do not fit {shape} packets: write {SMALLEST[shape]} to {LARGEST}"
    elif shape is Shape.STUN and size % 4:
        yield f"{size} bytes do not fit STUN packets: their size is a multiple of 4 (RFC 8489, section 5)"


def objection_to(target: Endpoint, allowed: Set[Special] = frozenset()) -> str | None:
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


def kind_of(address: IPv4Address | IPv6Address) -> Special | None:
    """What makes an address special; None: it is one interface's. The reserved 240.0.0.0/4 counts as broadcast."""
    if address.is_loopback:
        return Special.LOOPBACK
    if address.is_multicast:
        return Special.MULTICAST
    if address in _RESERVED:
        return Special.BROADCAST
    return Special.LINK_LOCAL if address.is_link_local else None
