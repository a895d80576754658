"""Hits on the host: what it does to itself for an Injection, as agents do it to others (see `executor.hit`)."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import HostFigures, HostLeaves
from showstopper.api.injection import InjectedTarget, Injection, InjectionTarget, TargetState
from showstopper.audio import wall_clock
from showstopper.audio.onstage import Break, OnStage
from showstopper.audio.speaker import StandIn, Voice
from showstopper.audio.stage.sounds import sound_of
from showstopper.clock import Clock, to_timestamp
from showstopper.executor.hit import Hit
from showstopper.executor.leases import Lease


class Doing(Protocol):
    """What a host does for a fault. It ends by itself at a monotonic time."""

    until: float

    @property
    def seconds(self) -> float:
        """For how long it was done, as the host counts it."""


@dataclass
class Host:
    """The host as its faults see it: its voice, its place in the room, and what it does for a fault now."""

    voice: Voice
    on_stage: OnStage
    doing: Doing | None = None


class HostHit(ABC):
    """A fault that a host carries out on itself, for as long as the lease holds. Proven by what it counts of it.

    Attributes:
        record: the target in the Injection's status.
        method: by what means it is done, for people; None: it is not armed yet.
    """

    means: ClassVar[str]

    def __init__(self, fault: FaultKind, target: InjectionTarget, host: Host, clock: Clock) -> None:
        self.record = InjectedTarget(uid=target.uid, pod=target.pod, state=TargetState.REFUSED)
        self.method: str | None = None
        self._fault, self._host, self._clock = fault, host, clock
        self._doing: Doing | None = None
        self._lease: Lease | None = None

    @abstractmethod
    def _begin(self, until: float) -> Doing:
        """Do it at once, until that monotonic time."""

    @abstractmethod
    def _end(self) -> None:
        """Do it no more."""

    def arm(self, until: float) -> None:
        """Have it done until that monotonic time."""
        lease = Lease(until)
        if lease.lost:
            self.record.message = "the lease has run out already"
            return
        if self._host.doing is not None:
            self.record.message = "the host carries out another fault now: run again when that is over"
            return
        self._lease = lease
        self._host.doing = self._doing = self._begin(lease.until)
        self.method = self.means
        self.record.state, self.record.armed_at = TargetState.ARMED, self._now()

    def refresh(self, until: float) -> None:
        """Let it last until then.

        Raises:
            LeaseLost: it has ended by itself.
        """
        if self._doing is None or self._lease is None:
            return
        self._lease.renew(until)
        self._doing.until = self._lease.until

    def follow(self, peers: tuple[str, ...]) -> None:  # noqa: B027  # of every kind
        """Nothing: a host has no peers."""

    def look(self) -> bool:
        """Read what was counted. Returns whether it has just been proven."""
        before = self.record.proven
        self._count()
        return self.record.proven and not before

    def lift(self) -> None:
        """End it. Nothing of it is left: whatever comes next is the host's programme."""
        if self._doing is None:
            return
        self._end()
        self._count()
        self._doing = self._lease = self._host.doing = None
        self.record.state, self.record.lifted_at = TargetState.LIFTED, self._now()

    def _count(self) -> None:
        if self._doing is None:
            return
        self.record.host = HostFigures(at=self._now(), milliseconds=round(self._doing.seconds * 1000))
        self.record.proven = self._doing.seconds > 0

    def _now(self) -> str:
        return to_timestamp(self._clock.now())


class VoiceHit(HostHit):
    """Another sound in the place of the host's, from the next frame on."""

    means: ClassVar[str] = "voice"

    def _begin(self, until: float) -> Doing:
        sound = sound_of(self._fault, wall_clock.at(time.monotonic()))
        self._host.voice.stand_in = stand_in = StandIn(sound, until)
        return stand_in

    def _end(self) -> None:
        self._host.voice.stand_in = None


class LeaveHit(HostHit):
    """The host is out of the room."""

    means: ClassVar[str] = "leave"

    def _begin(self, until: float) -> Doing:
        self._break: Break = self._host.on_stage.step_out(until)
        return self._break

    def _end(self) -> None:
        self._host.on_stage.come_back(self._break)


@dataclass(frozen=True, slots=True)
class HostHits:
    """Makes the hits of a host (see `executor.hit.Hits`).

    Attributes:
        uid: of the host's pod.
    """

    host: Host
    uid: str
    clock: Clock

    @property
    def executor(self) -> str:
        """A host's."""
        return "host"

    def on(self, clock: Clock) -> Self:
        """The same, with the times of records by that clock."""
        return replace(self, clock=clock)

    def begun(self, injection: Injection) -> bool:  # noqa: ARG002
        """No: what an earlier life had begun ended with it, and its status says that it had begun."""
        return False

    def begin(self, injection: Injection) -> None:
        """Nothing: what is begun ends with this process."""

    def of(self, injection: Injection) -> list[Hit]:
        """One hit on this host, if it is the one that is meant."""
        return [self._hit(injection, target) for target in injection.spec.targets]

    def forget(self, uid: str) -> None:
        """Nothing is remembered."""

    def _hit(self, injection: Injection, target: InjectionTarget) -> Hit:
        fault = injection.spec.spec
        kind = LeaveHit if isinstance(fault, HostLeaves) else VoiceHit
        hit = kind(fault, target, self.host, self.clock)
        if target.uid != self.uid:
            hit.record.message = f"pod {target.pod} is another one now: it has the UID {self.uid}, and not {target.uid}"
        return hit
