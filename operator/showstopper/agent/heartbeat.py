"""Heartbeat: a file that is touched as long as the agent's event loop runs. An exec probe asks for its age.

The agent listens on no port, so its probes cannot ask over the network: they run
`python -m showstopper.agent.heartbeat FILE`, which loads nothing else of ours.
"""

import asyncio
import sys
import time
from pathlib import Path

BEAT_SECONDS = 1.0
OLD_SECONDS = 15.0


class Heartbeat:
    """The file of one agent."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def beat(self) -> None:
        """Touch it every second, until cancelled. Then remove it."""
        try:
            while True:
                self._path.touch()
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            self._path.unlink(missing_ok=True)

    def alive(self, now: float) -> bool:
        """Whether the agent that touches it is alive. `now` in Unix seconds, as the file's times are."""
        try:
            return now - self._path.stat().st_mtime < OLD_SECONDS
        except FileNotFoundError:
            return False


if __name__ == "__main__":
    sys.exit(0 if Heartbeat(Path(sys.argv[1])).alive(time.time()) else "the agent's heart does not beat")
