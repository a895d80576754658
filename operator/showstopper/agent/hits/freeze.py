"""Freezing: one target's container stands still for as long as its lease holds, and goes on afterwards."""

import time
from typing import ClassVar

from showstopper.agent.hits.change import ChangeHit
from showstopper.agent.kernel.cgroups import CPU_TIME, FREEZER, Place, cpu_microseconds
from showstopper.agent.kernel.freezer import Freezer, State
from showstopper.agent.kernel.settings import Setting
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import Freeze, ProcessFigures
from showstopper.errors import EffectRefused, KernelRefused

LEAST_SECONDS = 0.1
"""The kernel counts CPU time at its ticks, 10 ms apart at the most: a shorter look would see none, frozen or not."""

MOST_CPU_SHARE = 0.01
"""Whoever joins a frozen container, such as a probe that is a command, may take so much before it stands still too."""


class FreezeHit(ChangeHit[Freeze]):
    """A freeze of one target (see `hits.Hit`), proven when its cgroup reads frozen and no CPU time passes in it."""

    kind: ClassVar[type[FaultKind]] = Freeze

    def _setting(self, place: Place) -> Setting:
        self._freezer, self._cpu_time = Freezer(place.folder(FREEZER)), place.folder(CPU_TIME)
        if (state := self._freezer.state) is not State.THAWED:
            raise EffectRefused(f"the container of {self._target.pod} is {state.value} already, not by this fault")
        return self._freezer.setting

    def _changed(self) -> str:
        if not self._freezer.settles(State.FROZEN):
            reads = self._freezer.state.value
            raise KernelRefused(f"the container of {self._target.pod} does not freeze: it reads {reads}")
        self._since, self._cpu = time.monotonic(), cpu_microseconds(self._cpu_time)
        return self._freezer.method

    def _measure(self) -> str | None:
        """Note the figures. Returns why it is frozen no longer, if it is not."""
        try:
            state, cpu = self._freezer.state, cpu_microseconds(self._cpu_time) - self._cpu
        except OSError:
            state = State.GONE
        if state is State.GONE:
            return f"the container of {self._target.pod} is gone, and its cgroup with it"
        if state is not State.FROZEN:
            return f"the container of {self._target.pod} was thawed by somebody else"
        frozen = time.monotonic() - self._since
        self.record.processes = ProcessFigures(
            at=self._now(),
            processes=self._processes,
            frozen_milliseconds=int(frozen * 1000),
            cpu_microseconds=cpu,
        )
        still = cpu <= frozen * 1e6 * MOST_CPU_SHARE
        self.record.proven = self._processes > 0 and frozen >= LEAST_SECONDS and still
        return None
