"""Hits on the host: what it does to itself for an Injection, as agents do it to others (see `executor.hit`)."""

import time
from dataclasses import dataclass, replace
from typing import Self

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import HostFigures
from showstopper.api.injection import InjectedTarget, Injection, InjectionTarget, TargetState
from showstopper.audio import wall_clock
from showstopper.audio.speaker import StandIn, Voice
from showstopper.audio.stage.sounds import sound_of
from showstopper.clock import Clock, to_timestamp
from showstopper.executor.hit import Hit
from showstopper.executor.leases import Lease

METHOD = "voice"


class VoiceHit:
    """Another sound in the place of the host's, for as long as the lease holds. Proven by what was sent of it."""

    def __init__(self, fault: FaultKind, target: InjectionTarget, voice: Voice, clock: Clock) -> None:
        self.record = InjectedTarget(uid=target.uid, pod=target.pod, state=TargetState.REFUSED)
        self.method: str | None = None
        self._fault, self._voice, self._clock = fault, voice, clock
        self._stand_in: StandIn | None = None
        self._lease: Lease | None = None

    def arm(self, until: float) -> None:
        """Have it sent until that monotonic time, from the next frame on."""
        lease = Lease(until)
        if lease.lost:
            self.record.message = "the lease has run out already"
            return
        if self._voice.stand_in is not None:
            self.record.message = "the host carries out another fault now: run again when that is over"
            return
        sound = sound_of(self._fault, wall_clock.at(time.monotonic()))
        self._lease, self._stand_in = lease, StandIn(sound, lease.until)
        self._voice.stand_in = self._stand_in
        self.method = METHOD
        self.record.state, self.record.armed_at = TargetState.ARMED, self._now()

    def refresh(self, until: float) -> None:
        """Let it last until then.

        Raises:
            LeaseLost: the voice says again what it would.
        """
        if self._stand_in is None or self._lease is None:
            return
        self._lease.renew(until)
        self._stand_in.until = self._lease.until

    def follow(self, peers: tuple[str, ...]) -> None:
        """Nothing: a host has no peers."""

    def look(self) -> bool:
        """Count what was sent. Returns whether it has just been proven."""
        before = self.record.proven
        self._count()
        return self.record.proven and not before

    def lift(self) -> None:
        """Have the voice say again what it would, from the next frame on."""
        if self._stand_in is None:
            return
        self._count()
        if self._voice.stand_in is self._stand_in:
            self._voice.stand_in = None
        self._stand_in = self._lease = None
        self.record.state, self.record.lifted_at = TargetState.LIFTED, self._now()

    def _count(self) -> None:
        if self._stand_in is None:
            return
        self.record.host = HostFigures(at=self._now(), milliseconds=round(self._stand_in.seconds * 1000))
        self.record.proven = self._stand_in.frames > 0

    def _now(self) -> str:
        return to_timestamp(self._clock.now())


@dataclass(frozen=True, slots=True)
class HostHits:
    """Makes the hits of a host (see `executor.hit.Hits`).

    Attributes:
        uid: of the host's pod.
    """

    voice: Voice
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
        hit = VoiceHit(injection.spec.spec, target, self.voice, self.clock)
        if target.uid != self.uid:
            hit.record.message = f"pod {target.pod} is another one now: it has the UID {self.uid}, and not {target.uid}"
        return hit
