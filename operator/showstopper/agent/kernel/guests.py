"""Guests: processes of ours under the limits of a container, in a cgroup of their own below each of its cgroups.

So they compete under its limits, are counted apart, and are known by their path: nobody takes them for processes of the
room. Loads next to nothing: the watchdog, which must be small, works with this too.
"""

import errno
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PREFIX = "showstopper-stress-"
PROCS = "cgroup.procs"
PATIENCE_SECONDS = 2.0
"""How long the kernel gets to end them: in a cgroup that has used up its quota they end in its next period."""
_POLL_SECONDS = 0.005
_NOT_YET = {errno.EBUSY, errno.ENOTEMPTY}
"""Something still ends in it."""


@dataclass(frozen=True, slots=True)
class GuestCgroups:
    """Their cgroups, one for each controller that they are under. They are made for one fault, and removed with it.

    Attributes:
        folders: paths, where agent and watchdog see them.
    """

    folders: tuple[str, ...]

    @property
    def file(self) -> str:
        """What another fault must not use meanwhile."""
        return self.folders[0]

    @property
    def undone(self) -> str:
        """What `put_back` does, for people."""
        return f"ended what was in {self.file}"

    @property
    def holds(self) -> bool:
        """Whether any of the cgroups is there."""
        return any(folder.exists() for folder in self._paths)

    @property
    def foreign(self) -> None:
        """Nobody else's: what is there is ours."""
        return None

    def change(self) -> None:
        """Make the cgroups, empty.

        Raises:
            OSError: the container's is gone, or one of that name is there already.
        """
        for folder in self._paths:
            folder.mkdir()

    def put_back(self) -> bool:
        """End who is there, and remove what is empty. Returns whether the last of it is gone now.

        Raises:
            OSError: it may not be removed.
        """
        if not self.holds:
            return False
        for folder in filter(Path.exists, self._paths):
            _end(folder)
            try:
                folder.rmdir()
            except FileNotFoundError:  # it went with its container
                continue
            except OSError as error:
                if error.errno not in _NOT_YET:
                    raise
        return not self.holds

    def undo(self) -> str | None:
        """End them, and wait until the cgroups are gone. Returns why they are not, if they are not."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        try:
            while self.holds and not self.put_back():
                if time.monotonic() > give_up:
                    return f"{self.file} still has processes"
                time.sleep(_POLL_SECONDS)
        except OSError as error:
            return f"{self.file} cannot be removed: {error.strerror}"
        return None

    @property
    def _paths(self) -> Iterator[Path]:
        return map(Path, self.folders)


def are_in(below: Iterable[str]) -> bool:
    """Whether a process is a guest, by the parts of its cgroup's path below that of a container, or of its pod."""
    return any(part.startswith(PREFIX) for part in below)


def inhabited(folder: Path) -> bool:
    """Whether a container's cgroup, or one below it, has processes that are no guests."""
    return any(processes(each) for each in with_all_below(folder) if not are_in(each.relative_to(folder).parts))


def with_all_below(folder: Path) -> Iterator[Path]:
    """A cgroup and those below it, parents first.

    They go at any time, also those of other pods, while they are read. So this is no `Path.rglob`, which then raises
    and tells nothing of those that are still there.
    """
    return (Path(path) for path, _, _ in os.walk(folder))


def processes(folder: Path) -> list[int]:
    """The processes in a cgroup, but not in those below it. None: it went, or holds threads only."""
    with suppress(OSError):
        return [int(pid) for pid in (folder / PROCS).read_text().split()]
    return []


def _end(folder: Path) -> None:
    switch = folder / "cgroup.kill"  # version 2, Linux 5.14
    if switch.exists():
        with suppress(OSError):  # it is removed at this moment
            switch.write_text("1")
            return
    for pid in processes(folder):
        # AppArmor may keep the watchdog from it. They end by their own timers then.
        with suppress(ProcessLookupError, PermissionError):
            descriptor = os.pidfd_open(pid)
            try:
                if pid in processes(folder):  # the number is not somebody else's by now
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
