"""joinStorm: visitors join the room through the targets, all at once or at a rate, and each tries once."""

from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.storm import JoinStorm
from showstopper.faults.storm import schedule
from showstopper.faults.storm.behaviour import Order, StormBehaviour
from showstopper.faults.storm.settings import Depth


class JoinStormBehaviour(StormBehaviour[JoinStorm]):
    """Real joins, of visitors who take the sound or are only let in."""

    kind: ClassVar[type[FaultKind]] = JoinStorm
    action: ClassVar[str] = "storms"
    noun: ClassVar[str] = "join"
    taken: ClassVar[str] = "let in"
    joins: ClassVar[bool] = True
    most: ClassVar[int] = schedule.MOST_JOINS

    def order(self, fault: Fault) -> Order:
        """Full joins, or signalling alone."""
        spec = _spec(fault)
        depth = Depth.SIGNALLING if spec.signalling_only else Depth.FULL
        ramp = spec.ramp.total_seconds() if spec.ramp is not None else 0.0
        return Order(spec.joins, spec.rate, depth, ramp, spec.hidden)


def _spec(fault: Fault) -> JoinStorm:
    assert fault.join_storm is not None
    return fault.join_storm
