"""Links: which of a node's devices a packet of its own passes once, and which of them carry a pod's addresses.

A hook at every device would meet a packet again and again: at a bond's slave and the bond, at a VLAN's lower device and
the VLAN, at a pod's veth and the bridge that it is a port of. 5 % would become 9.75 %, and counters would not show it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from showstopper.agent.kernel.shaping import routes
from showstopper.faults.network.rules import Device


@dataclass(frozen=True, slots=True)
class Link:
    """A network device, with what tells how packets get to it.

    Attributes:
        index: its number.
        kind: as `ip -details link` has it, such as bond or vlan. Empty for a device of hardware.
        master: number of the device that takes over what comes here: a bond, a bridge, the network card of a virtual
            function (IFLA_MASTER). None: it has none.
        lower: of a VLAN, number of the device that its packets pass first (IFLA_LINK).
        addresses: of the device itself.
    """

    index: int
    kind: str = ""
    master: int | None = None
    lower: int | None = None
    addresses: frozenset[str] = frozenset()


def of_thread() -> tuple[Link, ...]:
    """All links of the calling thread's namespace."""
    with routes() as connection:
        addresses: dict[int, set[str]] = {}
        for message in connection.get_addr():
            address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            addresses.setdefault(message["index"], set()).add(str(ip_address(address)))
        return tuple(_link(message, addresses) for message in connection.get_links())


def gateways_of_thread() -> tuple[str, ...]:
    """The gateways of all routes of the calling thread's namespace."""
    with routes() as connection:
        gateways = {message.get_attr("RTA_GATEWAY") for message in connection.get_routes()}
    return tuple(sorted(filter(None, gateways)))


def passed_once(devices: Sequence[Device], links: Sequence[Link]) -> tuple[Device, ...]:
    """The devices of which each packet from or to the node's own network stack passes one.

    What has a master hands packets on to it, except in a VRF, whose master only routes. A VLAN's lower device is kept
    where it has an address, for then packets without a tag are its own.
    """
    kinds = {link.index: link.kind for link in links}
    handed_on = {link.index for link in links if link.master is not None and kinds.get(link.master) != "vrf"}
    below = {link.lower for link in links if link.kind == "vlan"}
    bare = {link.index for link in links if not link.addresses}
    return tuple(device for device in devices if device.index not in handed_on | (below & bare))


def carrying(devices: Sequence[Device], links: Sequence[Link], own: Collection[str]) -> frozenset[Device]:
    """The devices that have one of these addresses. All, if none has: an address may be on `lo` alone."""
    wanted = {str(ip_address(address)) for address in own}
    carriers = {link.index for link in links if link.addresses & wanted}
    return frozenset(device for device in devices if device.index in carriers) or frozenset(devices)


def _link(message: Any, addresses: dict[int, set[str]]) -> Link:
    information = message.get_attr("IFLA_LINKINFO")
    kind = (information.get_attr("IFLA_INFO_KIND") or "") if information else ""
    return Link(
        message["index"],
        kind,
        message.get_attr("IFLA_MASTER"),
        message.get_attr("IFLA_LINK") if kind == "vlan" else None,
        frozenset(addresses.get(message["index"], ())),
    )
