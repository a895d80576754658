"""At most once: instant Injections, each written down before it is carried out, so that none is done twice."""

import os
from collections.abc import Collection
from pathlib import Path

FOLDER = "once"


class AtMostOnce:
    """A file for each, by the Injection's UID, in a folder of the node that outlives the agent."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)

    def begin(self, uid: str) -> None:
        """Write down that it is about to be done."""
        os.close(os.open(self._folder / uid, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))

    def begun(self, uid: str) -> bool:
        """Whether it was about to be done, and may have been: by an earlier life of the agent too."""
        return (self._folder / uid).exists()

    def keep(self, uids: Collection[str]) -> None:
        """No others exist: those that were deleted while no agent ran here are forgotten."""
        for path in list(self._folder.iterdir()):
            if path.name not in uids:
                self.forget(path.name)

    def forget(self, uid: str) -> None:
        """It no longer exists: nobody will ask for it again."""
        (self._folder / uid).unlink(missing_ok=True)
