"""Settings of a cgroup: one file, what we write to it, and what it read before.

Loads next to nothing: the watchdog, which must be small, works with this too.
"""

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 1.0
"""How long the kernel gets to do as it was told."""
_POLL_SECONDS = 0.001
_REMOVED = {errno.ENOENT, errno.ENODEV}


@dataclass(frozen=True, slots=True)
class Setting:
    """A file of a cgroup that is changed, or is about to be.

    Attributes:
        file: its path, where agent and watchdog see it.
        ours: what it reads while the change is in force. The first is what is written.
        before: what is put back.
    """

    file: str
    ours: tuple[str, ...]
    before: str

    @property
    def text(self) -> str | None:
        """What the file reads now, without white space around it. None: the cgroup is gone.

        Raises:
            OSError: it may not be read.
        """
        try:
            return Path(self.file).read_text().strip()
        except OSError as error:
            if error.errno not in _REMOVED:
                raise
            return None

    @property
    def undone(self) -> str:
        """What `put_back` does, for people."""
        return f"put {self.file} back to {self.before}"

    @property
    def holds(self) -> bool:
        """Whether the change is in force.

        Raises:
            OSError: the file may not be read.
        """
        return self.text in self.ours

    @property
    def foreign(self) -> str | None:
        """What the file reads, if that is neither ours nor what was there before: somebody else has changed it.

        Raises:
            OSError: it may not be read.
        """
        text = self.text
        return None if text in {None, self.before, *self.ours} else text

    def change(self) -> None:
        """Change it.

        Raises:
            OSError: the cgroup is gone, or takes no such value.
        """
        self._write(self.ours[0])

    def put_back(self) -> bool:
        """Put back what it read before, unless somebody else has changed it meanwhile. Returns whether it did.

        Raises:
            OSError: the file may not be read or written.
        """
        if not self.holds:
            return False
        try:
            self._write(self.before)
        except OSError as error:
            if error.errno not in _REMOVED:
                raise
            return False
        return True

    def undo(self) -> str | None:
        """Put it back, and wait until it reads so. Returns why it does not, if it does not."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        try:
            self.put_back()
            while self.holds:
                if time.monotonic() > give_up:
                    return f"{self.file} still reads {self.text}"
                time.sleep(_POLL_SECONDS)
        except OSError as error:
            return f"{self.file} cannot be put back to {self.before}: {error.strerror}"
        return None

    def _write(self, text: str) -> None:
        # Never made anew: what is not there cannot be changed.
        descriptor = os.open(self.file, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
