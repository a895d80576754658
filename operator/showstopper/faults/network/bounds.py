"""Bounds of names and traffic: what is refused, whoever asks. What a kind itself takes, its model says."""

import re
from collections.abc import Iterator
from ipaddress import ip_network

from showstopper.faults.network.traffic import Ports, Traffic

MOST_PEERS = 1000
MOST_PORTS = 64
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?")
"""The longest part of a table's name that is ours to choose; nftables allows 255 characters in all."""


def of_name(name: str) -> Iterator[str]:
    """Why an effect may not have that name: it becomes part of names in the kernel."""
    if not NAME.fullmatch(name):
        yield f"{name!r} is no name for an effect: use lower-case letters, digits, - and ., at most 100 in all"


def of_traffic(traffic: Traffic) -> Iterator[str]:
    """Why there can be no such traffic."""
    ports = (*traffic.own_ports, *traffic.peer_ports)
    if traffic.peers is not None and not traffic.peers:
        yield "no peers are left to act on: name peers that have addresses, or leave peers out to mean everyone"
    if len(traffic.peers or ()) > MOST_PEERS:
        yield f"{len(traffic.peers or ())} peers are too many: name at most {MOST_PEERS} addresses, or CIDRs"
    yield from (
        f"{peer!r} is no address: write an IP address or a CIDR" for peer in traffic.peers or () if not is_network(peer)
    )
    if ports and not traffic.protocols:
        yield "ports need a protocol: say UDP, TCP or both"
    if len(ports) > MOST_PORTS:
        yield f"{len(ports)} ranges of ports are too many: name at most {MOST_PORTS}"
    yield from (
        f"invalid port range {each.first}-{each.last}: use 1 to 65535, lower bound first"
        for each in ports
        if _wild(each)
    )


def _wild(ports: Ports) -> bool:
    return not 1 <= ports.first <= ports.last <= 65535


def is_network(text: str) -> bool:
    """Whether a text is an IP address or a CIDR."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
