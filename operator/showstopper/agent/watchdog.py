"""The watchdog: undoes what is past its end, when the agent is dead or hangs. A container of its own beside the agent.

    python -m showstopper.agent.watchdog FOLDER

It loads nothing of ours but what it needs, and decides nothing: the end of each change, and what is to be put back, are
in the folder that it shares with the agent. It removes nothing there, so that what a slow agent changes after its end
is undone too.
"""

import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from showstopper.agent.changes import Change, Changes

TICK_SECONDS = 0.025
"""How late it undoes at the most, on a machine that lets it run."""
BEAT_SECONDS = 1.0
LAST_SECONDS = 8.0
"""How long it stays when its pod ends and something is changed still."""


class Watchdog:
    """Looks at what is changed, until told to stop."""

    def __init__(self, state: Path) -> None:
        self._changes = Changes(state)
        self._beaten = 0.0
        self._ending: float | None = None

    def stop(self, *_: object) -> None:
        """Its pod ends, and the agent with it: undo everything, and end."""
        self._ending = time.monotonic() + LAST_SECONDS

    def run(self) -> None:
        """Look again and again."""
        while True:
            now = time.monotonic()
            if now - self._beaten >= BEAT_SECONDS:
                self._changes.beat()
                self._beaten = now
            there = list(self._changes.all())
            self._undo(there, now)
            if self._ending is not None and (not there or now >= self._ending):
                return
            following = min([now + TICK_SECONDS, *(change.until for change in there if change.until > now)])
            time.sleep(max(0.0, following - time.monotonic()))

    def _undo(self, there: Iterable[Change], now: float) -> None:
        for change in there:
            if change.until > now and self._ending is None:
                continue
            try:
                if change.setting.put_back():
                    _say(f"{change.setting.undone}: {change.name} was past its end by {now - change.until:.3f} s")
            except OSError as error:  # tried again in a moment, and the others are not kept waiting
                _say(f"could not do it yet: {change.setting.undone}: {error}")


def _say(text: str) -> None:
    sys.stderr.write(f"watchdog: {text}\n")


if __name__ == "__main__":
    watchdog = Watchdog(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, watchdog.stop)
    signal.signal(signal.SIGINT, watchdog.stop)
    watchdog.run()
