"""What both ends of a flood have in common: its gate on the node of the flooder, its counter on those of targets."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import ClassVar, TypeVar

from showstopper.api.faults.flood import FloodArrivals, FloodGate
from showstopper.api.faults.network import Protocol
from showstopper.faults.crowd import of_peers
from showstopper.faults.network.behaviour import NetworkBehaviour
from showstopper.faults.network.bounds import is_network
from showstopper.faults.network.plan import Technique
from showstopper.faults.network.traffic import Traffic

E = TypeVar("E", FloodGate, FloodArrivals)
UDP = frozenset({Protocol.UDP})


class EndBehaviour(NetworkBehaviour[E]):
    """An end of a flood, which goes to one port of single pods, whoever asks for another."""

    technique: ClassVar[Technique] = Technique.DROP

    def of_traffic(self, fault: E, traffic: Traffic) -> Iterator[str]:
        """Whether it is one port of addresses that are single pods' ones."""
        ports = (*traffic.own_ports, *traffic.peer_ports)
        if traffic.protocols != UDP or len(ports) != 1 or ports[0].first != ports[0].last:
            yield "a flood goes to one UDP port: name exactly one"
        yield from of_peers(traffic)
        peers = traffic.peers or ()
        if len({ip_address(peer).version for peer in peers if is_network(peer) and "/" not in peer}) > 1:
            yield "the packets of a flood are counted by their size: name addresses of one version of IP"
