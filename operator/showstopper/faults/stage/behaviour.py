"""What all faults of the host have in common: they need a managed host, and are proven by what it counts of them."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.stage import HostFault
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext, InjectedBehaviour, no_managed_host
from showstopper.faults.observed import LEAST_SHARE, Observed, ObservedTarget, deserted

H = TypeVar("H", bound=HostFault)


class HostBehaviour(InjectedBehaviour[H]):
    """A fault that the managed host carries out on itself. Proven when it did so for nearly all of the time."""

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Somebody else speaks, who takes no orders."""
        yield from no_managed_host(fault, context)

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: a host that did it, and for long enough."""
        if (nobody := deserted(observed)) is not None:
            return nobody
        if unproven := observed.unproven:
            return Finding(Reason.NO_EFFECT, f"had no effect: {unproven[0].message or self.figures(observed)}")
        brief = next((target for target in observed.targets if _too_little(target)), None)
        if brief is None:
            return None
        return Finding(Reason.NO_EFFECT, f"is not proven: {self.figures(observed)}, in {brief.lasted:.1f} s")

    def figures(self, observed: Observed) -> str:
        """For how long the host did it, over all targets."""
        spent = sum(target.host.milliseconds for target in observed.targets if target.host is not None)
        return self.words(spent / 1000)

    @abstractmethod
    def words(self, seconds: float) -> str:
        """What the host did for so long."""


def _too_little(target: ObservedTarget) -> bool:
    """Whether a host whose fault is over spent too little of the time on it."""
    if not target.lasted or target.host is None:
        return False
    return target.host.milliseconds < LEAST_SHARE * target.lasted * 1000
