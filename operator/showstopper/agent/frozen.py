"""What is frozen on this node, and until when: a file for each cgroup, which agent and watchdog share.

The kernel thaws nothing by itself. So the end is written down before a cgroup is frozen, moved with every renewal of
the lease, and kept until the cgroup was seen to be thawed: whoever of the two is alive can end it. Ends are monotonic
seconds, which all processes of a machine share. Loads next to nothing (see `watchdog`).
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = "frozen"
HEART = "watchdog"
"""The file that the watchdog touches."""
OLD_SECONDS = 3.0
_DRAFT = ".draft"


@dataclass(frozen=True, slots=True)
class Frozen:
    """One cgroup that is frozen, or is about to be.

    Attributes:
        name: of the effect, unique on the node.
        folder: of the cgroup, where agent and watchdog see it.
        until: monotonic seconds.
    """

    name: str
    folder: str
    until: float


class FrozenCgroups:
    """The files, in a folder of the node that lasts as long as its kernel runs."""

    def __init__(self, state: Path) -> None:
        self._heart = state / HEART
        self._folder = state / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)

    def beat(self) -> None:
        """The watchdog lives."""
        self._heart.touch()

    def watched(self, now: float) -> bool:
        """Whether the watchdog lives. `now` in Unix seconds, as the file's times are."""
        try:
            return now - self._heart.stat().st_mtime < OLD_SECONDS
        except FileNotFoundError:
            return False

    def write(self, frozen: Frozen) -> None:
        """Write down a frozen cgroup, or its new end, whole: a crash leaves the old file or the new one.

        Nothing waits for the disk: what outlives the kernel has no cgroup to speak of.
        """
        draft = self._folder / f"{frozen.name}{_DRAFT}"
        draft.write_text(json.dumps(asdict(frozen)))
        draft.replace(self._folder / frozen.name)

    def forget(self, name: str) -> None:
        """Remove one that is thawed."""
        (self._folder / name).unlink(missing_ok=True)

    def all(self) -> Iterator[Frozen]:
        """Every one that is written down."""
        for name in os.listdir(self._folder):  # noqa: PTH208 - forty times a second: no objects that nobody needs
            if not name.endswith(_DRAFT):
                with suppress(FileNotFoundError):  # forgotten meanwhile
                    yield Frozen(**json.loads((self._folder / name).read_text()))
