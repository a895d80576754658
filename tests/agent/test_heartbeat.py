"""The heartbeat: young while the loop turns, old when it hangs, gone when it ends."""

import asyncio
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from showstopper.agent.heartbeat import OLD_SECONDS, Heartbeat


async def test_it_beats_until_it_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    heart = Heartbeat(file)
    assert not heart.alive(0)
    task = asyncio.create_task(heart.beat())
    await asyncio.sleep(0)
    touched = file.stat().st_mtime
    assert heart.alive(touched + OLD_SECONDS - 1)
    assert not heart.alive(touched + OLD_SECONDS)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert not file.exists()


def test_the_probe_asks_with_an_exit_code(tmp_path: Path) -> None:
    def probe() -> int:
        command = [sys.executable, "-m", "showstopper.agent.heartbeat", str(tmp_path / "alive")]
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert probe() == 1
    (tmp_path / "alive").touch()
    assert probe() == 0
