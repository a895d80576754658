"""Throttling: one target's container gets a CPU quota for as long as its lease holds, and then the one before."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from showstopper.agent.hits.change import ChangeHit
from showstopper.agent.kernel.cgroups import CPU_TIME, Place, cpu_microseconds
from showstopper.agent.kernel.settings import Setting
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import CpuThrottle, ProcessFigures
from showstopper.errors import EffectRefused

CPU = "cpu"
PERIOD_MICROSECONDS = 100_000
"""The kernel's own default, and the kubelet's."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What cpu.stat has counted of a quota.

    Attributes:
        periods: that have passed while something ran.
        throttled: periods in which processes had to wait.
        nanoseconds: that they waited, added up over all CPUs.
    """

    periods: int
    throttled: int
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Quota:
    """The CPU quota of one cgroup, version 1 or 2.

    Version 1 has two files for it. Its period stays as it is, so that there is one value to put back.
    """

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether the cgroup can have a quota."""
        return self._first.exists() or self._second.exists()

    @property
    def method(self) -> str:
        """What is written to, for people."""
        return "cpu.max" if self._second.exists() else "cpu.cfs_quota_us"

    @property
    def millicores(self) -> float | None:
        """What it allows now, in thousandths of a core. None: there is no quota.

        Raises:
            OSError: the cgroup is gone.
        """
        if self._second.exists():
            quota, period = self._second.read_text().split()
        else:
            quota, period = self._text(), str(self._period)
        return None if quota in {"max", "-1"} else int(quota) * 1000 / int(period)

    def setting(self, millicores: int) -> Setting:
        """The change to that many thousandths of a core.

        Raises:
            OSError: the cgroup is gone.
        """
        if self._second.exists():
            ours = f"{millicores * PERIOD_MICROSECONDS // 1000} {PERIOD_MICROSECONDS}"
            return Setting(str(self._second), (ours,), self._second.read_text().strip())
        return Setting(str(self._first), (str(millicores * self._period // 1000),), self._text())

    @property
    def counters(self) -> Counters:
        """What was counted so far.

        Raises:
            OSError: the cgroup is gone.
        """
        counts = {key: int(value) for key, value in map(str.split, self._lines("cpu.stat"))}
        waited = counts["throttled_usec"] * 1000 if "throttled_usec" in counts else counts["throttled_time"]
        return Counters(counts["nr_periods"], counts["nr_throttled"], waited)

    @property
    def _first(self) -> Path:
        return self.folder / "cpu.cfs_quota_us"

    @property
    def _second(self) -> Path:
        return self.folder / "cpu.max"

    @property
    def _period(self) -> int:
        return int((self.folder / "cpu.cfs_period_us").read_text())

    def _text(self) -> str:
        return self._first.read_text().strip()

    def _lines(self, name: str) -> list[str]:
        return (self.folder / name).read_text().splitlines()


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
        """Note the figures; why it is throttled no more, if it is not."""
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
