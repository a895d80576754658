"""What is changed in this node's cgroups, and until when: a file for each change, which agent and watchdog share.

The kernel undoes none of it by itself. So what undoes a change, and its end, are written down before it is made. The
end moves with every renewal of the lease, and the file is kept until the change was seen to be undone: whoever of the
two is alive can undo it. Ends are monotonic seconds, which all processes of a machine share. Loads next to nothing
(see `watchdog`).
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from showstopper.agent.kernel.guests import GuestCgroups
from showstopper.agent.kernel.settings import Setting
from showstopper.errors import EffectRefused

FOLDER = "changes"
HEART = "watchdog"
"""The file that the watchdog touches."""
OLD_SECONDS = 3.0
_DRAFT = ".draft"

Undoable = Setting | GuestCgroups
"""What is changed: a setting of a cgroup, or cgroups that are made for processes of ours."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is changed, or is about to be.

    Attributes:
        name: of the effect, unique on the node.
        setting: what is changed, and what is put back.
        until: monotonic seconds.
    """

    name: str
    setting: Undoable
    until: float


class Changes:
    """The files, in a folder of the node that lasts as long as its kernel runs.

    A file alone does not say that its setting is changed. It stays when the change could not be undone, and the
    watchdog, which undoes it later, removes nothing. So the agent also knows which effects it has at work.
    """

    def __init__(self, state: Path) -> None:
        self._heart = state / HEART
        self._folder = state / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._claiming = threading.Lock()
        self._at_work: set[str] = set()

    def beat(self) -> None:
        """The watchdog lives."""
        self._heart.touch()

    def watched(self, now: float) -> bool:
        """Whether the watchdog lives. `now` in Unix seconds, as the file's times are."""
        try:
            return now - self._heart.stat().st_mtime < OLD_SECONDS
        except FileNotFoundError:
            return False

    def begin(self, change: Change) -> None:
        """Write down a change that is about to be made. Forget those that were left, and are undone by now.

        Raises:
            EffectRefused: another effect has changed the same file, so that neither could put it back.
        """
        with self._claiming:
            for other in self.all():
                if other.name not in self._at_work and _is_undone(other):
                    self.forget(other.name)
                elif other.setting.file == change.setting.file and other.name != change.name:
                    raise EffectRefused(self._refusal(other))
            self.write(change)
            self._at_work.add(change.name)

    def _refusal(self, other: Change) -> str:
        if other.name in self._at_work:
            return f"{other.setting.file} is changed already, by {other.name}: run one at a time"
        return (
            f"{other.setting.file} is still as {other.name} has changed it, which is over: the watchdog goes on "
            "undoing it. Look at its log in the agent's pod, and run again when it is done"
        )

    def write(self, change: Change) -> None:
        """Write down a change, or its new end, whole: a crash leaves the old file or the new one.

        Nothing waits for the disk: what outlives the kernel has no cgroup to speak of.
        """
        draft = self._folder / f"{change.name}{_DRAFT}"
        draft.write_text(json.dumps(asdict(change)))
        draft.replace(self._folder / change.name)

    def forget(self, name: str) -> None:
        """Remove one that is undone."""
        self._at_work.discard(name)
        (self._folder / name).unlink(missing_ok=True)

    def leave(self, change: Change) -> None:
        """Leave one that is not undone to the watchdog, which tries on from now."""
        self._at_work.discard(change.name)
        self.write(replace(change, until=time.monotonic()))

    def all(self) -> Iterator[Change]:
        """Every one that is written down."""
        for name in os.listdir(self._folder):  # noqa: PTH208 - forty times a second: no objects that nobody needs
            if not name.endswith(_DRAFT):
                with suppress(FileNotFoundError):  # forgotten meanwhile
                    yield _read((self._folder / name).read_text())

    def left(self) -> list[Change]:
        """Those that are not undone, as far as anybody knows, though their effects are over."""
        return [change for change in self.all() if change.name not in self._at_work and not _is_undone(change)]

    def sweep(self) -> list[str]:
        """Undo what an earlier life of the agent left changed, and remove the drafts on which it died.

        Returns:
            The files that were changed, or why one still is.
        """
        swept = []
        for draft in self._folder.glob(f"*{_DRAFT}"):
            draft.unlink(missing_ok=True)
        for change in self.all():
            with suppress(OSError):  # `undo` says it
                if change.setting.holds:
                    swept.append(change.setting.file)
            if (problem := change.setting.undo()) is None:
                self.forget(change.name)
            else:
                swept.append(problem)
        return swept


def _is_undone(change: Change) -> bool:
    try:
        return not change.setting.holds
    except OSError:  # nobody knows
        return False


def _read(text: str) -> Change:
    content = json.loads(text)
    setting = content["setting"]
    changed: Undoable = (
        GuestCgroups(tuple(setting["folders"]))
        if "folders" in setting
        else Setting(setting["file"], tuple(setting["ours"]), setting["before"])
    )
    return Change(content["name"], changed, content["until"])
