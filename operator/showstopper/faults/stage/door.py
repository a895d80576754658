"""What all faults of the door have in common: they need a door of our own stage, and are proven by answers."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.stage import DoorFault
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext, InjectedBehaviour
from showstopper.faults.observed import Observed, deserted

D = TypeVar("D", bound=DoorFault)


class DoorBehaviour(InjectedBehaviour[D]):
    """A fault that all pods of the door carry out on themselves. Proven when one of them has answered as it wants.

    Which of them somebody asks is the Service's choice: one that nobody asked was not spared, it was not met.

    Attributes:
        remedy: what lets somebody meet it.
    """

    remedy: ClassVar[str]

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """There is no door, or somebody else's, which takes no orders."""
        door = context.room.door
        if door is not None and door.component is not None:
            return
        has = "no door" if door is None else "somebody else's door"
        yield Finding(
            Reason.NO_STAGED_DOOR,
            f"AudioRoom {context.namespace}/{context.room_name} has {has}, so nobody carries out fault {fault.name}: "
            "install the chart audio-room with door.enabled=true, and write door.url and door.component in the "
            "AudioRoom",
        )

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: a pod that did it, and somebody who met it."""
        if (nobody := deserted(observed)) is not None:
            return nobody
        if said := next((target.message for target in observed.unproven if target.message), None):
            return Finding(Reason.NO_EFFECT, f"had no effect: {said}")
        if any(target.proven for target in observed.targets):
            return None
        return Finding(Reason.NO_EFFECT, f"had no effect: {self.figures(observed)}; {self.remedy}")

    def outcome(self, observed: Observed) -> str:
        """What is missing for its proof, or what proves it."""
        missing = self.proof(observed)
        return missing.message if missing is not None else f"proven: {self.figures(observed)}"

    def figures(self, observed: Observed) -> str:
        """What the door answered, over all its pods."""
        doors = [target.door for target in observed.targets if target.door is not None]
        return self.words(sum(door.answered for door in doors), sum(door.asked for door in doors))

    @abstractmethod
    def words(self, answered: int, asked: int) -> str:
        """How often the door answered as the fault wants, of how often it was asked."""
