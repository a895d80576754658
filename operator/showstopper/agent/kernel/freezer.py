"""The freezer of a cgroup: the kernel's switch that has all of its processes stand still, version 1 or 2.

Loads next to nothing: the watchdog, which must be small, works with this too.
"""

import errno
import os
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

PATIENCE_SECONDS = 1.0
"""How long the kernel gets: a process in an uninterruptible wait freezes late."""
_POLL_SECONDS = 0.001
_REMOVED = {errno.ENOENT, errno.ENODEV}


class State(Enum):
    """What a freezer reads."""

    THAWED = "thawed"
    FREEZING = "freezing"  # some process does not stand still yet
    FROZEN = "frozen"
    GONE = "gone"  # the cgroup is no longer there


@dataclass(frozen=True, slots=True)
class Freezer:
    """The freezer of one cgroup, which every cgroup below it obeys too."""

    folder: Path

    @property
    def method(self) -> str:
        """What is written to, for people."""
        return "freezer v1" if self._first.exists() else "cgroup.freeze"

    @property
    def state(self) -> State:
        """What it reads now."""
        try:
            if self._first.exists():
                return State(self._first.read_text().strip().lower())
            asked = (self.folder / "cgroup.freeze").read_text().strip() == "1"
            frozen = "frozen 1" in (self.folder / "cgroup.events").read_text().splitlines()
        except OSError as error:
            if error.errno not in _REMOVED:
                raise
            return State.GONE
        if frozen:
            return State.FROZEN
        return State.FREEZING if asked else State.THAWED

    def freeze(self) -> None:
        """Freeze everything in it. That takes a moment: wait with `settles`.

        Raises:
            OSError: the cgroup is gone, or may not be frozen.
        """
        self._write("FROZEN", "1")

    def thaw(self) -> None:
        """Thaw everything in it, if it exists. That takes a moment: wait with `settles`.

        Raises:
            OSError: it may not be thawed.
        """
        try:
            self._write("THAWED", "0")
        except OSError as error:
            if error.errno not in _REMOVED:
                raise

    def settles(self, *wanted: State) -> bool:
        """Wait until its state is one of these. Returns False if that takes too long, or it is gone."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (state := self.state) not in wanted:
            if time.monotonic() > give_up or state is State.GONE:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    @property
    def _first(self) -> Path:
        return self.folder / "freezer.state"

    def _write(self, first: str, second: str) -> None:
        file, text = (self._first, first) if self._first.exists() else (self.folder / "cgroup.freeze", second)
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
