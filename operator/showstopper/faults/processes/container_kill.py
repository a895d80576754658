"""containerKill: every process of a container gets a signal."""

from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import ContainerKill
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.processes.behaviour import ProcessBehaviour


class ContainerKillBehaviour(ProcessBehaviour[ContainerKill]):
    """Proven when all processes have ended and, where listeners are asked, no media comes from there any more."""

    kind: ClassVar[type[FaultKind]] = ContainerKill
    action: ClassVar[str] = "killed the container of"

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: processes that took the signal and live on, or media that still comes."""
        if (missing := super().proof(observed)) is not None:
            ended = any(target.processes for target in self.lacking(observed))
            words = "; the others took the signal and live on" if ended else ""
            return Finding(missing.reason, f"{missing.message}{words}")
        if any(target.quiet is False for target in observed.targets):
            return Finding(Reason.NO_EFFECT, f"{self.figures(observed)}, but listeners may still get media from there")
        return None

    def lacking(self, observed: Observed) -> tuple[ObservedTarget, ...]:
        """The targets with processes that have not ended."""
        return tuple(target for target in observed.targets if not target.ended)

    def figures(self, observed: Observed) -> str:
        """How many processes ended, and when the only target's media stopped."""
        count = sum(figures.processes for figures in observed.processes)
        words = f"{sum(figures.ended or 0 for figures in observed.processes)} of {count} processes ended"
        if observed.only is not None and observed.only.quiet_after is not None:
            words += f", its media stopped after {observed.only.quiet_after:.2f} s"
        return words
