"""Memory stress: memory is taken under one target's limit for as long as its lease holds."""

from typing import ClassVar

from showstopper.agent.hits.stress import StressHit, below
from showstopper.agent.kernel.cgroups import Place
from showstopper.agent.kernel.guests import GuestCgroups, inhabited
from showstopper.agent.kernel.memory import MEMORY, Memory, available
from showstopper.agent.stress.order import Order
from showstopper.agent.stress.taking import LEAST, RESERVE, is_there
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import MemoryStress, ProcessFigures
from showstopper.errors import EffectRefused

_MIB = 1 << 20


class MemoryStressHit(StressHit[MemoryStress]):
    """A memoryStress of one target (see `hits.Hit`), proven by what its memory cgroup counts."""

    kind: ClassVar[type[FaultKind]] = MemoryStress

    def _guests(self, place: Place) -> GuestCgroups:
        folder, pod = place.folder(MEMORY), self._target.pod
        self._memory = Memory(folder)
        if not self._memory.exists:
            raise EffectRefused(
                f"the container of {pod} has no memory cgroup: enable the controller memory for cgroups of pods on "
                "its node"
            )
        self._limit, self._used = self._memory.limit, self._memory.working_set
        self._goal = self._goal_under(self._limit)
        more = self._fault.size_bytes or (self._goal or self._limit or 0) - self._used
        self._refuse_what_is_not_there(more)
        return below((folder,), "memory")

    def _goal_under(self, limit: int | None) -> int | None:
        """The bytes that the container is to use. None: it is no share that is asked for."""
        pod, used = self._target.pod, self._used
        if limit is None:
            if self._fault.needs_limit:
                raise EffectRefused(
                    f"the container of {pod} has no memory limit: write size instead, or give it "
                    "resources.limits.memory"
                )
            return None
        if self._fault.size_bytes is not None and used + self._fault.size_bytes >= limit:
            raise EffectRefused(
                f"the container of {pod} uses {used // _MIB} of {limit // _MIB} MiB, so that {self._fault.size} more "
                "is over its limit: write less, or overLimit: true"
            )
        if self._fault.percent is None:
            return None
        goal = int(limit * float(self._fault.percent))
        if goal - used < LEAST:
            raise EffectRefused(
                f"the container of {pod} uses {used // _MIB} of {limit // _MIB} MiB already, which is "
                f"{self._fault.percent} or about to be: write a higher percent"
            )
        return goal

    def _refuse_what_is_not_there(self, more: int) -> None:
        free, total = available()
        if free - more < total * RESERVE:
            most = max(0, int(free - total * RESERVE)) // _MIB
            raise EffectRefused(
                f"the node of {self._target.pod} has {most} MiB to give, a tenth of its memory stays for others, and "
                f"{more // _MIB} MiB are asked for: write less, or give the container a smaller limit"
            )

    def _changed(self) -> str:
        self._start()
        return "memory in its cgroup"

    def _order(self, until: float) -> Order:
        return Order(
            until=until,
            container=str(self._memory.folder),
            guests=self._own.folders,
            size=self._fault.size_bytes,
            goal=self._goal,
        )

    def _present(self) -> bool:
        return inhabited(self._memory.folder)

    def _measure(self) -> str | None:
        """Note the figures. Returns that the container is gone, if it is and that was not what was asked for."""
        if self._stressor is None:
            return None
        there = self._present() and self._look()
        if not there:
            self._stressor.settle()  # it may have seen whom the kernel has killed, and not have said so yet
        said = self._stressor.figures
        taken = said.get("most" if self._fault.over_limit else "taken", 0)
        kills, held = said.get("kills", 0), said.get("held", 0)
        self.record.processes = ProcessFigures(
            at=self._now(),
            processes=self._processes,
            stress_bytes=taken,
            memory_bytes=self._used,
            memory_limit_bytes=self._limit,
            held_milliseconds=None if self._fault.over_limit else held,
            oom_kills=kills,
            stress_oom_kills=said.get("lost", 0),
        )
        self.record.proven = kills > 0 if self._fault.over_limit else held > 0 or self._is_there(taken)
        if there or self._done:
            return None
        gone = f"the container of {self._target.pod} is gone, and its cgroup with it"
        if not kills:
            return gone
        return f"{gone}: the kernel killed {kills} of its processes for want of memory; write less, or overLimit: true"

    @property
    def _done(self) -> bool:
        """Over the limit, the stressor ends when the container has lost a process to it."""
        return bool(self._fault.over_limit and self._stressor is not None and self._stressor.figures.get("kills"))

    def _look(self) -> bool:
        """Read what is in use. Returns whether there is anything to read."""
        try:
            self._used = self._memory.working_set
        except OSError:
            return False
        return True

    def _is_there(self, taken: int) -> bool:
        return is_there(taken, self._used, size=self._fault.size_bytes, goal=self._goal, limit=self._limit)
