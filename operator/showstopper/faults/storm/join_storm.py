"""joinStorm: visitors join the room through the targets, all at once or at a rate, and each tries once."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.storm import JoinStorm
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import Ground
from showstopper.faults.storm import schedule
from showstopper.faults.storm.behaviour import Order, StormBehaviour, of_media
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

    def objections(self, fault: Fault, ground: Ground) -> Iterator[Finding]:
        """What all storms object to, and sound that would come from elsewhere."""
        yield from super().objections(fault, ground)
        if not _spec(fault).signalling_only:
            yield from of_media(fault, ground)


def _spec(fault: Fault) -> JoinStorm:
    assert fault.join_storm is not None
    return fault.join_storm
