"""Gates: what the agent does for floods beside their rules: say that the gate is up, and count datagrams."""

import socket
from contextlib import suppress
from ipaddress import ip_address

from showstopper.agent.kernel.nftables import Count
from showstopper.api.faults.network import Direction
from showstopper.faults.flood import sending
from showstopper.faults.network.rules import ETHERNET_HEADER
from showstopper.faults.network.traffic import Traffic
from showstopper.faults.task import GATE_PORT


def announce() -> None:
    """Say that the gate is up, on the loopback of the calling thread's namespace.

    The flooder may not be there yet, or not any more: whoever says it goes on saying it until packets pass.
    """
    # Where nobody can be told, nothing is sent, and the flood is not proven.
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as voice:
        voice.sendto(b"up", ("127.0.0.1", GATE_PORT))


def datagrams(traffic: Traffic, count: Count, size: int) -> int:
    """How many datagrams a counter has seen of a flood."""
    version = 4 if all(ip_address(peer).version == 4 for peer in traffic.peers or ()) else 6
    link = ETHERNET_HEADER if traffic.direction is Direction.EGRESS else 0
    return sending.datagrams(count.packets, count.bytes, size, version, link=link)
