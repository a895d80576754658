"""Throttling: one target's container gets a CPU quota for as long as its lease holds, and then the one before."""

from typing import ClassVar

from showstopper.agent.hits.change import ChangeHit
from showstopper.agent.kernel.cgroups import CPU_TIME, Place, cpu_microseconds
from showstopper.agent.kernel.quotas import CPU, Quota
from showstopper.agent.kernel.settings import Setting
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import CpuThrottle, ProcessFigures
from showstopper.errors import EffectRefused


class CpuThrottleHit(ChangeHit[CpuThrottle]):
    """A cpuThrottle of one target (see `hits.Hit`), proven when processes had to wait for the quota's next period."""

    kind: ClassVar[type[FaultKind]] = CpuThrottle

    def _setting(self, place: Place) -> Setting:
        self._quota, pod = Quota(place.folder(CPU)), self._target.pod
        if not self._quota.exists:
            raise EffectRefused(
                f"the container of {pod} has no cpu.max: enable the controller cpu for cgroups of pods on its node"
            )
        present = self._quota.millicores
        if present is not None and present <= self._fault.millicores:
            raise EffectRefused(
                f"the container of {pod} may take {present:g}m of CPU at most already, and a limit of "
                f"{self._fault.limit} would throttle nothing: write a smaller one"
            )
        self._before, self._cpu_time = self._quota.counters, place.folder(CPU_TIME)
        self._own = self._quota.setting(self._fault.millicores)
        return self._own

    def _changed(self) -> str:
        self._cpu = cpu_microseconds(self._cpu_time)
        return self._quota.method

    def _measure(self) -> str | None:
        """Note the figures. Returns why it is throttled no more, if it is not."""
        pod = self._target.pod
        try:
            counters, text = self._quota.counters, self._own.text
            cpu = cpu_microseconds(self._cpu_time) - self._cpu
        except OSError:
            text = None
        if text is None:
            return f"the container of {pod} is gone, and its cgroup with it"
        throttled = counters.throttled - self._before.throttled
        self.record.processes = ProcessFigures(
            at=self._now(),
            processes=self._processes,
            cpu_microseconds=cpu,
            periods=counters.periods - self._before.periods,
            throttled_periods=throttled,
            throttled_milliseconds=(counters.nanoseconds - self._before.nanoseconds) // 1_000_000,
        )
        self.record.proven = throttled > 0
        if text not in self._own.ours:
            return f"the CPU limit of the container of {pod} was changed by somebody else meanwhile: it reads {text}"
        return None
