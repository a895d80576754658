"""Taking memory under a container's limit, without being the one whom the kernel kills for it.

The pages are in a file without a name (memfd), which only the stressor holds. Children write it from inside the
container's cgroup, for pages are charged to whoever touches them first. Then they end. So what is taken is charged to
the container, and when its own processes want more than is left, the OOM killer finds only these there. The pages are
free as soon as the stressor ends, whoever ends it.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from showstopper.agent.kernel.guests import GuestCgroups
from showstopper.agent.kernel.memory import Memory, available
from showstopper.agent.stress.children import employ
from showstopper.agent.stress.order import StressEnded

RESERVE = 0.1
"""The share of the node's memory that stays available: other pods are no targets. Our choice."""
CHUNK = 16 << 20
"""Bytes that a child takes at the most."""
LEAST = 1 << 20
"""Nobody is sent for less."""
MOST_LOST = 5
"""Children that the OOM killer may end before no other is sent: it spares the container's processes."""
REST_SECONDS = 0.5
"""How long nobody is sent after one was ended: what the container's processes want meanwhile is their own to get."""
SLOW_SECONDS, QUICK_SECONDS = 0.1, 0.02
CLIMB_SECONDS = 0.05
"""For how long children are sent one after the other. With the pause behind it, half a gigabyte a second at a quarter
of a core (measured), which version 2 charges to the container: faster, it would be a stress of its CPU."""
SLACK = 0.03
"""How far what is in use may be from what was asked for: the kernel charges pages in batches, one for each CPU, and
what the container's processes take is noticed a moment later."""
_ZEROS = bytes(1 << 20)


@dataclass(slots=True)
class TakenMemory:
    """Memory that is taken, and how much of it is wanted.

    Attributes:
        memory: of the container.
        size: bytes, whatever the container uses. None: another choice.
        goal: bytes that the container uses, with what is taken. None: another choice. Neither: all that there is.
    """

    guests: GuestCgroups
    memory: Memory
    size: int | None = None
    goal: int | None = None
    _file: int = field(default=-1, init=False)
    _before: int = field(default=0, init=False)
    _kills: int = field(default=0, init=False)
    _lost: int = field(default=0, init=False)
    _most: int = field(default=0, init=False)
    _rests_until: float = field(default=0.0, init=False)
    _held: float = field(default=0.0, init=False)
    _held_at: float | None = field(default=None, init=False)

    @property
    def tick(self) -> float:
        """Seconds between two looks. Over the limit, a container soon ends, and the kernel's counters with it."""
        return SLOW_SECONDS if self._has_aim else QUICK_SECONDS

    def begin(self) -> None:
        """Take nothing so far.

        Raises:
            OSError: the container's cgroup is gone.
        """
        self._before = self.memory.kills
        self._file = os.memfd_create("showstopper")

    def tend(self) -> None:
        """Take more, or let some go.

        Raises:
            OSError: the container's cgroup is gone, or nobody may be moved there.
            StressEnded: the node has no more to give.
        """
        self._count()
        if self.is_over:
            os.ftruncate(self._file, 0)
            return
        give_up = time.monotonic() + (CLIMB_SECONDS if self._has_aim else 0.0)
        while self._adjust() and time.monotonic() < give_up:
            pass
        if self._has_aim:
            self._note_held(time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether it was to go over the limit, and has cost the container a process: it holds nothing any more."""
        return not self._has_aim and self._kills > 0

    @property
    def figures(self) -> Mapping[str, int]:
        """What is taken, what was at the most, whom the kernel has killed, and milliseconds with what was asked for."""
        self._count()
        held = int(self._held * 1000)
        return {"taken": self._taken, "most": self._most, "kills": self._kills, "lost": self._lost, "held": held}

    @property
    def _has_aim(self) -> bool:
        return self.size is not None or self.goal is not None

    @property
    def _taken(self) -> int:
        return os.fstat(self._file).st_size

    @property
    def _wanted(self) -> int:
        if self.size is not None:
            return self.size
        if self.goal is not None:
            return max(0, self._taken + self.goal - self.memory.working_set)
        return self._taken + CHUNK

    def _adjust(self) -> bool:
        """Take one child's part more, or let some go. Returns whether more was taken, so that more may be wanted."""
        taken, wanted = self._taken, self._wanted
        if wanted < taken:
            os.ftruncate(self._file, wanted)
        elif wanted - taken >= LEAST and time.monotonic() >= self._rests_until and self._lost < MOST_LOST:
            self._take(min(wanted - taken, CHUNK))
        self._most = max(self._most, self._taken)
        return self._taken > taken

    def _note_held(self, now: float) -> None:
        """Count the time between two looks that both saw what was asked for."""
        there = self._is_there
        if there and self._held_at is not None:
            self._held += now - self._held_at
        self._held_at = now if there else None

    @property
    def _is_there(self) -> bool:
        used, limit = (self.memory.working_set, self.memory.limit) if self.goal is not None else (0, None)
        return is_there(self._taken, used, size=self.size, goal=self.goal, limit=limit)

    def _take(self, more: int) -> None:
        free, total = available()
        if free - more < total * RESERVE:
            raise StressEnded(
                f"the node has {free >> 20} MiB left, of which {int(total * RESERVE) >> 20} stay for others: write less"
            )
        start = self._taken
        try:
            child = employ(self.guests, partial(_fill, self._file, start, start + more))
        except OSError:
            self._count()
            if self.is_over:  # the cgroup went with the container
                return
            raise
        _, status = os.waitpid(child, 0)
        if status:
            self._lost += os.WIFSIGNALED(status)
            self._rests_until = time.monotonic() + REST_SECONDS
        self._count()

    def _count(self) -> None:
        """Processes of the container that were killed. In version 2 our own are among them."""
        with suppress(OSError):  # the container went with its process, and was counted before
            ours = self._lost if self.memory.unified else 0
            self._kills = max(self._kills, self.memory.kills - self._before - ours)


def is_there(taken: int, used: int, *, size: int | None, goal: int | None, limit: int | None) -> bool:
    """Whether as much is taken, or in use, as was asked for.

    Args:
        taken: bytes, by us.
        used: bytes, by the container with what is taken.
        size: as in TakenMemory.
        goal: as in TakenMemory.
        limit: of the container.
    """
    if goal is not None:
        return taken > 0 and used >= goal - SLACK * (limit or goal)
    return taken >= (size or 0) * (1 - SLACK) > 0


def _fill(file: int, start: int, end: int) -> None:
    while start < end:
        start += os.pwrite(file, _ZEROS[: end - start], start)
