"""partition: nothing passes between the target and its peers."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Partition
from showstopper.faults.network.behaviour import TrafficBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Technique
from showstopper.faults.network.traffic import Traffic


class PartitionBehaviour(TrafficBehaviour[Partition]):
    """Nobody gets an error."""

    kind: ClassVar[type[FaultKind]] = Partition
    action: ClassVar[str] = "partitions"
    technique: ClassVar[Technique] = Technique.DROP

    def plan(self, fault: Partition, compiler: Compiler) -> Plan:
        """Rules that drop every packet to and from the peers."""
        return compiler.drop()

    def of_traffic(self, fault: Partition, traffic: Traffic) -> Iterator[str]:
        """Without peers, the target would be cut off from everybody."""
        if traffic.peers is None:
            yield "a partition is from somebody: name the peers"
