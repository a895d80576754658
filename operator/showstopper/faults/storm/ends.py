"""What both ends of a storm have in common: its gate on the node of its pod, its counter on those of targets."""

from collections.abc import Iterator
from typing import ClassVar, TypeVar

from showstopper.api.faults.network import Protocol
from showstopper.api.faults.storm import StormArrivals, StormGate
from showstopper.faults.crowd import of_peers
from showstopper.faults.network.behaviour import NetworkBehaviour
from showstopper.faults.network.plan import Technique
from showstopper.faults.network.traffic import Traffic

E = TypeVar("E", StormGate, StormArrivals)
TCP = frozenset({Protocol.TCP})


class StormEndBehaviour(NetworkBehaviour[E]):
    """An end of a storm, which goes to named ports of single pods, whoever asks for others."""

    technique: ClassVar[Technique] = Technique.DROP

    def of_traffic(self, fault: E, traffic: Traffic) -> Iterator[str]:
        """Whether it is some ports of addresses that are single pods' ones."""
        if Protocol.TCP not in traffic.protocols or not (traffic.own_ports or traffic.peer_ports):
            yield "a storm goes to a TCP port: name it"
        yield from of_peers(traffic)
