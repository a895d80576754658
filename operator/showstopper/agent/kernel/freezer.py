"""The freezer of a cgroup: the kernel's switch that has all of its processes stand still, version 1 or 2."""

import errno
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from showstopper.agent.kernel.settings import Setting

PATIENCE_SECONDS = 5.0
"""How long the kernel gets: on a busy node it takes a second, and a process in an uninterruptible wait freezes late."""
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

    @property
    def setting(self) -> Setting:
        """What is written to freeze everything in it, and to thaw that. Both take a moment: wait with `settles`."""
        if self._first.exists():
            return Setting(str(self._first), ("FROZEN", "FREEZING"), "THAWED")
        return Setting(str(self.folder / "cgroup.freeze"), ("1",), "0")

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
