"""CPU quotas of cgroups, version 1 or 2: how much of the CPUs a container may take, and how often it had to wait."""

from dataclasses import dataclass
from pathlib import Path

from showstopper.agent.kernel.settings import Setting

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
