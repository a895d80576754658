"""Hits on the host: what it does to itself for an Injection."""

import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import HostFigures, HostLeaves
from showstopper.api.injection import InjectionTarget
from showstopper.audio import wall_clock
from showstopper.audio.host.onstage import Break, OnStage
from showstopper.audio.host.speaker import StandIn, Voice
from showstopper.audio.settings import Identity
from showstopper.audio.stage import executing
from showstopper.audio.stage.sounds import sound_of
from showstopper.audio.stage.stage_hit import Action, StageHit, StageHits
from showstopper.clock import Clock


class HostAction(Action, Protocol):
    """What a host does for a fault."""

    @property
    def seconds(self) -> float:
        """For how long it was done, as the host counts it."""


@dataclass
class Host:
    """The host as its faults see it: its voice, its place in the room, and what it does for a fault now."""

    voice: Voice
    on_stage: OnStage
    action: HostAction | None = None


class HostHit(StageHit[HostAction]):
    """A fault that a host carries out on itself. Proven by what it counts of it."""

    def __init__(self, fault: FaultKind, target: InjectionTarget, host: Host, clock: Clock) -> None:
        super().__init__(target, clock)
        self._fault, self._host = fault, host

    @abstractmethod
    def _do(self, until: float) -> HostAction:
        """Do it at once, until that monotonic time."""

    @abstractmethod
    def _undo(self) -> None:
        """Do it no more."""

    def _busy(self) -> str:
        if self._host.action is None:
            return ""
        return "the host carries out another fault now: run again when that is over"

    def _begin(self, until: float) -> HostAction:
        self._host.action = action = self._do(until)
        return action

    def _end(self, action: HostAction) -> None:  # noqa: ARG002 - a host does one thing at a time
        self._undo()
        self._host.action = None

    def _count(self, action: HostAction) -> bool:
        self.record.host = HostFigures(at=self._now(), milliseconds=round(action.seconds * 1000))
        return action.seconds > 0


class VoiceHit(HostHit):
    """Another sound in the place of the host's, from the next frame on."""

    technique: ClassVar[str] = "voice"

    def _do(self, until: float) -> HostAction:
        sound = sound_of(self._fault, wall_clock.at(time.monotonic()))
        self._host.voice.stand_in = stand_in = StandIn(sound, until)
        return stand_in

    def _undo(self) -> None:
        self._host.voice.stand_in = None


class LeaveHit(HostHit):
    """The host is out of the room."""

    technique: ClassVar[str] = "leave"

    def _do(self, until: float) -> HostAction:
        self._break: Break = self._host.on_stage.step_out(until)
        return self._break

    def _undo(self) -> None:
        self._host.on_stage.come_back(self._break)


class HostHits(StageHits[Host]):
    """Makes the hits of a host."""

    name: ClassVar[str] = "host"

    def _hit(self, fault: FaultKind, target: InjectionTarget) -> HostHit:
        kind = LeaveHit if isinstance(fault, HostLeaves) else VoiceHit
        return kind(fault, target, self.part, self.clock)


async def execute(identity: Identity, voice: Voice, on_stage: OnStage) -> None:
    """Carry out the Injections of this host until cancelled."""
    host = Host(voice, on_stage)
    await executing.execute(identity, lambda clock: HostHits(host, identity.uid, clock))
