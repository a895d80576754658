"""Hits that change something of the container's cgroup for as long as their lease holds, and put it back afterwards."""

import time
from abc import abstractmethod
from dataclasses import replace

from showstopper.agent.changes import Change, Undoable
from showstopper.agent.hits.process import P, ProcessHit
from showstopper.agent.hits.records import set_state
from showstopper.agent.kernel.cgroups import Place
from showstopper.api.injection import TargetState
from showstopper.errors import AgentError, ContainerGone, EffectRefused, LeaseLost
from showstopper.executor.leases import Lease


class ChangeHit(ProcessHit[P]):
    """Changes one setting. A kind says which, and what is to be seen of it. Processes are counted in `_processes`."""

    _processes = 0
    _change: Change | None = None
    _lease: Lease | None = None

    @abstractmethod
    def _setting(self, place: Place) -> Undoable:
        """What is to be changed.

        Raises:
            EffectRefused: it must not be changed there. The sentence says why.
            OSError: the cgroup is gone.
        """

    @abstractmethod
    def _changed(self) -> str:
        """Called when the change was made. Returns by what means, for people.

        Raises:
            KernelRefused: it does not take effect.
        """

    @abstractmethod
    def _measure(self) -> str | None:
        """Record the figures, and whether they prove it. Returns why it is no longer in force, if it is not."""

    def arm(self, until: float) -> None:
        """Write its end down, then change it. Otherwise put everything back, and say why in the record."""
        try:
            self._begin(until)
        except (AgentError, OSError) as error:
            self.lift()
            gone = isinstance(error, ContainerGone | FileNotFoundError)
            set_state(self.record, TargetState.GONE if gone else TargetState.REFUSED, str(error))
            return
        set_state(self.record, TargetState.ARMED)
        self.record.armed_at = self._now()

    def refresh(self, until: float) -> None:
        """Move its end, in the file that the watchdog reads too.

        Raises:
            LeaseLost: it has ended already, by whose hand ever.
        """
        if self._lease is None or self._change is None:
            return
        self._lease.renew(until)
        try:
            self._access.changes.write(replace(self._change, until=self._lease.until))
        except OSError as error:
            self.lift()
            self.record.message = f"it could not be kept up: {error}"[:1024]

    def look(self) -> bool:
        """Read the figures. Returns whether this was the first time that it is proven. Notes when it is no more."""
        if self.record.state is not TargetState.ARMED:
            return False
        before = self.record.proven
        if (why := self._measure()) is not None:
            self.lift()
            set_state(self.record, TargetState.GONE, why)
        return self.record.proven and not before

    def lift(self) -> None:
        """Put it back, and look whether it is. What is not stays written down, and the watchdog tries on."""
        if self._change is None:
            return
        if self.record.state is TargetState.ARMED:
            self._measure()
        change, setting = self._change, self._change.setting
        self._change = self._lease = None
        self._release()
        problem = setting.undo()
        message = None
        if problem is not None:
            self._access.changes.leave(change)
        else:
            self._access.changes.forget(self._name)
            if (text := setting.foreign) is not None:
                message = f"somebody else changed {setting.file} meanwhile: it reads {text}, and was left so"
        set_state(self.record, TargetState.LEFT_OVER if problem else TargetState.LIFTED, message)
        self.record.leftovers = [problem[:256]] if problem else []
        self.record.lifted_at = self._now()

    def _release(self) -> None:
        """End what acts beside the setting, before that is put back. Nothing does, of most kinds."""

    def _begin(self, until: float) -> None:
        place, self._processes = self._access.containers.place(self._target.uid, self._target.container_id or "")
        setting = self._setting(place)
        if not self._access.changes.watched(time.time()):
            raise EffectRefused("no watchdog beside this agent, which would end it if the agent died: look at its pod")
        lease = Lease(until)
        if lease.lost:
            raise LeaseLost(f"{self._name}: the lease has run out already")
        change = Change(self._name, setting, lease.until)
        self._access.changes.begin(change)
        self._change, self._lease = change, lease
        setting.change()
        method = self._changed()
        if lease.lost:
            raise LeaseLost(f"{self._name}: the lease ran out while it was armed")
        self.method = method
