"""stormArrivals: the end of a storm at its targets."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Direction
from showstopper.api.faults.storm import StormArrivals
from showstopper.api.injection import InjectionSpec, InjectionTarget
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan
from showstopper.faults.network.traffic import Ports, Traffic
from showstopper.faults.storm.ends import TCP, StormEndBehaviour


class StormArrivalsBehaviour(StormEndBehaviour[StormArrivals]):
    """At a target: what arrives of a storm is counted, and nothing is changed. So it may be done on any network."""

    kind: ClassVar[type[FaultKind]] = StormArrivals
    action: ClassVar[str] = "counts the storm's packets at"

    def traffic(self, fault: StormArrivals, injection: InjectionSpec) -> Traffic:
        """What comes from the storm to the target's port."""
        return Traffic(Direction.INGRESS, TCP, own_ports=(Ports.one(fault.signalling),), peers=injection.peers)

    def plan(self, fault: StormArrivals, compiler: Compiler) -> Plan:
        """A counter."""
        return compiler.count()

    def refusal_of(self, injection: InjectionSpec, target: InjectionTarget) -> str | None:
        """Nothing: it changes nothing."""
        return None
