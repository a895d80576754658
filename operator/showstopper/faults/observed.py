"""What was observed of a fault on its targets, whoever tells it: an agent's status, or the record of a run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.flood import FloodFigures
from showstopper.api.faults.network import Direction
from showstopper.api.faults.process import ProcessFigures
from showstopper.api.faults.stage import DoorFigures, HostFigures
from showstopper.api.faults.storm import StormFigures
from showstopper.api.injection import InjectedTarget, TargetState
from showstopper.api.reasons import Reason
from showstopper.api.run import TargetRecord
from showstopper.availability.verdict import Finding

EXTRA_SHARE, EXTRA_SECONDS = 0.05, 0.25
"""For how much longer than its time a limit may count as lifted: the times of arming and lifting are taken beside the
counters, not with them; and in the period in which a CPU quota is set, the one before was in force. Our choice."""


LEAST_SHARE = 0.8
"""Share of what a fault was declared to do that it has to have done to be that fault: of its targets' time, of the
packets of a flood, of the clients of a storm. A pod is replaced in some seconds, so that faults of half a minute or
more may lose a target. A choice of ours: nothing that is measured tells a better one."""


@dataclass(frozen=True, slots=True)
class ObservedTarget:
    """One target. Times are seconds after the call that hit it; None: that has not happened, or is not known.

    Attributes:
        proven: whether its executor has measured that the fault acted on it.
        excused: whether it may stay without proof, since it replaced another target too late to get any packet.
        gone: whether it went away, and the fault with it.
        ended: whether the pod, or every process of its container, is no longer there, as a kill wants it.
        quiet: whether listeners get no media from it any more; None: nobody has looked.
        matched: packets that the fault was meant for.
        affected: packets that it acted on.
        media: of these, packets of the target's media; None: it has none, or that is not known.
        passed_bytes: what a limit let through; None: it is none, or that is not known.
        unmet: directions of the fault in which it has met no packet.
        processes: the last look at the processes that it was meant for.
        host: what a host has counted last of a fault of its own.
        door: what a pod of a door has counted last of a fault of its own.
        answered_after: when the API server had answered.
        ended_after: when it was no longer there.
        quiet_after: when the last packet from it came to any listener.
        lasted: from its arming to its lifting.
        message: what its executor says of it.
    """

    pod: str
    uid: str = ""
    proven: bool = False
    excused: bool = False
    gone: bool = False
    ended: bool = False
    quiet: bool | None = None
    matched: int = 0
    affected: int = 0
    media: int | None = None
    passed_bytes: int | None = None
    unmet: tuple[Direction, ...] = ()
    processes: ProcessFigures | None = None
    host: HostFigures | None = None
    door: DoorFigures | None = None
    answered_after: float | None = None
    ended_after: float | None = None
    quiet_after: float | None = None
    lasted: float | None = None
    message: str = ""

    @classmethod
    def injected(cls, target: InjectedTarget, *, excused: bool = False, quiet: bool | None = None) -> "ObservedTarget":
        """What its executor says of a target."""
        last = target.last
        return cls(
            pod=target.pod or target.uid,
            uid=target.uid,
            proven=target.proven,
            excused=excused,
            gone=target.state is TargetState.GONE,
            ended=_all_ended(target.processes),
            quiet=quiet,
            matched=last.matched if last else 0,
            affected=last.affected if last else 0,
            media=last.media if last else None,
            passed_bytes=last.passed_bytes if last else None,
            unmet=tuple(target.unmet),
            processes=target.processes,
            host=target.host,
            door=target.door,
            lasted=_seconds(target.armed_at, target.lifted_at),
            message=target.message or "",
        )

    @classmethod
    def recorded(cls, target: TargetRecord) -> "ObservedTarget":
        """What the record of a run says of a target that has been hit."""
        start = target.armed_at or target.requested_at
        return cls(
            pod=target.pod,
            uid=target.uid,
            proven=target.proven,
            ended=target.gone_at is not None,
            quiet=target.proven if target.gone_at is not None else None,
            matched=target.matched or 0,
            affected=target.affected or 0,
            processes=target.processes,
            host=target.host,
            door=target.door,
            answered_after=_seconds(target.requested_at, target.answered_at),
            ended_after=_seconds(start, target.gone_at),
            quiet_after=_seconds(start, target.media_stopped_at),
            lasted=_seconds(target.armed_at, target.lifted_at),
            message=target.message or "",
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """A fault on all its targets.

    Attributes:
        fault: its name.
        gates: of a fault of the crowd, its pods behind their gates, which are no targets.
        spec: the fault as it is declared; None: it is not known here.
        seconds: for how long it is declared to last; None: that is not known here, or it is done in an instant.
        storm: what came of a storm, by its own account; None: it is none, or has not said it yet.
        flood: what a flooder said at its end; None: it is none, or has not been asked.
        read_back: of a change of objects, whether each field was read back with the value that the fault writes.
    """

    fault: str
    targets: tuple[ObservedTarget, ...]
    gates: tuple[ObservedTarget, ...] = ()
    spec: FaultKind | None = None
    seconds: float | None = None
    storm: StormFigures | None = None
    flood: FloodFigures | None = None
    read_back: bool = False

    @classmethod
    def injected(cls, targets: Iterable[InjectedTarget]) -> "Observed":
        """What an executor says of its targets."""
        return cls("", tuple(map(ObservedTarget.injected, targets)))

    @property
    def matched(self) -> int:
        """Packets that the fault was meant for."""
        return sum(target.matched for target in self.targets)

    @property
    def affected(self) -> int:
        """Packets that it acted on."""
        return sum(target.affected for target in self.targets)

    @property
    def media(self) -> int | None:
        """Packets of media that it acted on; None: there is none, or that is not known."""
        known = [target.media for target in self.targets if target.media is not None]
        return sum(known) if known else None

    @property
    def sent(self) -> int:
        """Of a fault of the crowd: packets that passed its gate."""
        return sum(gate.affected for gate in self.gates)

    @property
    def processes(self) -> tuple[ProcessFigures, ...]:
        """The last looks at processes."""
        return tuple(target.processes for target in self.targets if target.processes is not None)

    @property
    def unproven(self) -> tuple[ObservedTarget, ...]:
        """The targets that lack a proof."""
        return tuple(target for target in self.targets if not target.proven and not target.excused)

    @property
    def over(self) -> bool:
        """Whether it has been lifted on every target, or went with it."""
        return all(target.gone or target.lasted is not None for target in self.targets)

    @property
    def only(self) -> ObservedTarget | None:
        """The target, where there is one alone: then its times can be told."""
        return self.targets[0] if len(self.targets) == 1 else None


def deserted(observed: Observed) -> Finding | None:
    """All targets are gone, and none has been replaced."""
    if not observed.targets or not all(target.gone for target in observed.targets):
        return None
    why = observed.targets[-1].message or "they are gone"
    return Finding(Reason.TARGETS_GONE, f"had no target at its end: {why}; nothing replaced them")


def at_most(lasted: float) -> float:
    """The most seconds for which a limit may have let through what it allows."""
    return lasted * (1 + EXTRA_SHARE) + EXTRA_SECONDS


def wrong_dose(words: str) -> Finding:
    """What was counted is not what was declared: a fault of another strength was tested. `words`: in which way."""
    message = f"{words}: another fault than the declared one was tested; look at the agents' logs"
    return Finding(Reason.WRONG_DOSE, message)


def names(targets: Iterable[ObservedTarget]) -> str:
    """The first five pods, for a message."""
    return ", ".join([target.pod for target in targets][:5])


def _all_ended(processes: ProcessFigures | None) -> bool:
    return processes is not None and processes.ended == processes.processes > 0


def _seconds(start: str | None, end: str | None) -> float | None:
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
