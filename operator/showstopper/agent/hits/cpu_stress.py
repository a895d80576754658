"""CPU stress: busy workers beside one target's processes, under its quota, for as long as its lease holds."""

import os
import time
from pathlib import Path
from typing import ClassVar

from showstopper.agent.hits.stress import StressHit, below
from showstopper.agent.kernel.cgroups import CPU_TIME, Place, cpu_microseconds
from showstopper.agent.kernel.guests import GuestCgroups, inhabited
from showstopper.agent.kernel.quotas import CPU, Counters, Quota
from showstopper.agent.stress.order import Order
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import CpuStress, ProcessFigures
from showstopper.errors import EffectRefused

LEAST_SECONDS = 0.5
LEAST_OF_WANTED = 0.1
"""What the workers get of the CPU time that they want, or that the container may take if that is less: processes of the
room that are ten times as many would leave them as much. Less is no competition. Our choice."""
_WEIGHT, _MOST_WEIGHT = 100, 10_000
"""Version 2: of one process, and the most."""

_SHARES, _MOST_SHARES = 1024, 262_144
"""Version 1."""


class CpuStressHit(StressHit[CpuStress]):
    """A cpuStress of one target (see `hits.Hit`), proven when its workers get CPU time in the container's cgroup."""

    kind: ClassVar[type[FaultKind]] = CpuStress

    def _guests(self, place: Place) -> GuestCgroups:
        cores = os.cpu_count() or 1
        if self._fault.workers > cores:
            raise EffectRefused(
                f"the node of {self._target.pod} has {cores} CPUs, and {self._fault.workers} workers would wait for "
                f"each other: write workers: {cores} or fewer"
            )
        cpu, self._cpu_time = place.folder(CPU), place.folder(CPU_TIME)
        self._quota = Quota(cpu)
        self._before = self._counters()
        return below((cpu, self._cpu_time), "cpu")

    def _changed(self) -> str:
        for folder in map(Path, self._own.folders):
            _weigh(folder, self._fault.workers)
        self._cpu = cpu_microseconds(self._cpu_time)
        self._start()
        self._since = time.monotonic()
        return "busy workers in its cgroup"

    def _order(self, until: float) -> Order:
        return Order(
            until=until,
            container=str(self._cpu_time),
            guests=self._own.folders,
            workers=self._fault.workers,
            share=float(self._fault.load if self._fault.load is not None else 1.0),
        )

    def _present(self) -> bool:
        return inhabited(self._cpu_time)

    def _measure(self) -> str | None:
        """Note the figures. Returns that the container is gone, if it is."""
        gone = f"the container of {self._target.pod} is gone, and its cgroup with it"
        try:
            ours = cpu_microseconds(Path(self._own.folders[-1]))
            took = cpu_microseconds(self._cpu_time) - self._cpu
            wanted, counters = self._wanted, self._counters()
        except OSError:
            return gone
        lasted = time.monotonic() - self._since
        self.record.processes = ProcessFigures(
            at=self._now(),
            processes=self._processes,
            cpu_microseconds=max(0, took - ours),
            periods=counters.periods - self._before.periods,
            throttled_periods=counters.throttled - self._before.throttled,
            throttled_milliseconds=(counters.nanoseconds - self._before.nanoseconds) // 1_000_000,
            stress_workers=self._fault.workers,
            stress_cpu_microseconds=ours,
        )
        self.record.proven = lasted >= LEAST_SECONDS and ours >= LEAST_OF_WANTED * wanted * lasted * 1e6
        return None if self._present() else gone

    @property
    def _wanted(self) -> float:
        """The CPU time that the workers want, in cores, or that the container may take if that is less."""
        limit = self._quota.millicores if self._quota.exists else None
        return self._fault.cores if limit is None else min(self._fault.cores, limit / 1000)

    def _counters(self) -> Counters:
        return self._quota.counters if self._quota.exists else Counters(0, 0, 0)


def _weigh(folder: Path, workers: int) -> None:
    """As much as so many processes: where it has a weight, a cgroup competes as a whole with processes beside it."""
    for name, each, most in (("cpu.shares", _SHARES, _MOST_SHARES), ("cpu.weight", _WEIGHT, _MOST_WEIGHT)):
        if (file := folder / name).exists():
            file.write_text(str(min(most, each * workers)))
