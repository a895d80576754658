"""Killing: a signal to every process of one target's container, and the look whether they are gone."""

import signal
from typing import ClassVar

from showstopper.agent.hits.process import NodeAccess, ProcessHit
from showstopper.agent.hits.records import set_state
from showstopper.agent.pods import Process
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import ContainerKill, ProcessFigures
from showstopper.api.injection import InjectionTarget, TargetState
from showstopper.errors import AgentError, ContainerGone, LeaseLost
from showstopper.executor.leases import Lease


class KillHit(ProcessHit[ContainerKill]):
    """A containerKill on one target (see `hits.Hit`). It is done when it is armed. Lifting only ends the looking."""

    kind: ClassVar[type[FaultKind]] = ContainerKill

    def __init__(self, fault: ContainerKill, target: InjectionTarget, name: str, access: NodeAccess) -> None:
        super().__init__(fault, target, name, access)
        self._hit: list[Process] = []

    def arm(self, until: float) -> None:
        """Send the signal, if the lease still holds."""
        try:
            if Lease(until).lost:
                raise LeaseLost("the lease has run out already")
            number = signal.Signals[self._fault.signal.value]
            self.method, self._hit = self._access.containers.send(
                self._target.uid, self._target.container_id or "", number
            )
        except AgentError as error:
            set_state(
                self.record, TargetState.GONE if isinstance(error, ContainerGone) else TargetState.REFUSED, str(error)
            )
            return
        set_state(self.record, TargetState.ARMED)
        self.record.armed_at = self._now()
        self.look()

    def refresh(self, until: float) -> None:
        """Nothing of it lasts."""

    def look(self) -> bool:
        """Look which processes are gone. Returns whether all of them are, for the first time."""
        if self.record.state is not TargetState.ARMED or self.record.proven:
            return False
        ended = sum(map(self._access.containers.ended, self._hit))
        self.record.processes = ProcessFigures(at=self._now(), processes=len(self._hit), ended=ended)
        # Who lives on was sent the signal, and did nothing that could be heard.
        self.record.proven = ended == len(self._hit) > 0
        return self.record.proven

    def lift(self) -> None:
        """Look for the last time: what is gone stays gone, and nothing is left that could be taken back."""
        if self.record.state is not TargetState.ARMED:
            return
        self.look()
        set_state(self.record, TargetState.LIFTED)
        self.record.lifted_at = self._now()
