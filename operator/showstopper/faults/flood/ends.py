"""What both ends of a flood have in common: its gate on the node of the flooder, its counter on those of targets."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import ClassVar, TypeVar

from showstopper.api.faults.flood import FloodArrivals, FloodGate
from showstopper.api.faults.network import Protocol
from showstopper.faults.flood import bounds
from showstopper.faults.flood.sending import Endpoint
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


def of_peers(traffic: Traffic) -> Iterator[str]:
    """Why a pod of the crowd may not send there, or be counted: it sends to some single pods, and to nobody else."""
    if traffic.peers is None:
        yield "what the crowd sends has two ends: name the addresses of the other one"
    peers = traffic.peers or ()
    if len(peers) > bounds.MOST_TARGETS:
        yield f"{len(peers)} targets are too many for one gate: name at most {bounds.MOST_TARGETS}"
    problems = (bounds.objection_to(Endpoint(peer, 1)) for peer in peers)
    yield from (problem for problem in problems if problem is not None)
