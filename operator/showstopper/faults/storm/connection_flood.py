"""connectionFlood: connections to the targets' signal port, opened all at once or at a rate, by nobody who joins."""

from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.storm import ConnectionFlood, Opening
from showstopper.faults.storm import schedule
from showstopper.faults.storm.behaviour import Order, StormBehaviour
from showstopper.faults.storm.settings import Depth

_DEPTHS = {Opening.TCP: Depth.TCP, Opening.WEB_SOCKET: Depth.WEB_SOCKET}


class ConnectionFloodBehaviour(StormBehaviour[ConnectionFlood]):
    """Connections that are held open, or calls for a WebSocket without a token."""

    kind: ClassVar[type[FaultKind]] = ConnectionFlood
    action: ClassVar[str] = "floods with connections"
    noun: ClassVar[str] = "connection"
    taken: ClassVar[str] = "taken"
    most: ClassVar[int] = schedule.MOST_CONNECTIONS

    def order(self, fault: Fault) -> Order:
        """As far as the opening goes."""
        spec = fault.connection_flood
        assert spec is not None
        return Order(spec.connections, spec.rate, _DEPTHS[spec.opening])
