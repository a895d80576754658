"""What bench/crowd.py measures on: a relay and a host who speaks, on loopback and on a core of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from showstopper.audio.settings import RoomSettings
from tests.support import sdk_listeners
from tests.support.relays import KEY, SECRET, Relay, free_port

ROOM = "bench"
HOST_SECONDS = 60.0
LEAVING_SECONDS = 10.0


def pinned(core: int) -> tuple[str, ...]:
    """What is put before a command to keep it on a core."""
    return ("taskset", "-c", str(core))


@dataclass(frozen=True, slots=True)
class Loopback:
    """A relay and its host."""

    relay: Relay
    host: subprocess.Popen[bytes]
    host_port: int

    @property
    def room(self) -> RoomSettings:
        """How to get in."""
        return RoomSettings(ROOM, self.relay.url, ROOM, KEY, SECRET)

    def await_sound(self) -> None:
        """Wait until the host speaks: who is in earlier would wait for it, and not for the relay."""
        deadline = time.monotonic() + HOST_SECONDS
        while time.monotonic() < deadline and self.host.poll() is None:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.host_port}/v1/host", timeout=1) as answer,
            ):
                if json.load(answer)["published"]:
                    return
            time.sleep(0.1)
        raise RuntimeError("the host does not speak")

    def end_sound(self) -> None:
        """Have the host leave, which ends its track: no packet comes any more."""
        self.host.terminate()
        try:
            self.host.wait(LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            self.host.kill()
            self.host.wait()


@contextmanager
def loopback(folder: Path, core: int, *, log_level: str = "info") -> Iterator[Loopback]:
    """One whose host speaks, and that is gone afterwards. What it logs is in the folder."""
    relay = Relay("relay", folder, None, before=pinned(core), log_level=log_level)
    relay.log.unlink(missing_ok=True)
    relay.start()
    room = RoomSettings(ROOM, relay.url, ROOM, KEY, SECRET)
    port = free_port()
    settings = {"SHOWSTOPPER_PORT": str(port), "SHOWSTOPPER_HOLD_SECONDS": "0"}
    command = [*pinned(core), sys.executable, "-m", "showstopper.audio.host.process"]
    with (folder / "host.log").open("wb") as log:
        host = subprocess.Popen(command, env=sdk_listeners.environment(room) | settings, stdout=log, stderr=log)
    running = Loopback(relay, host, port)
    try:
        running.await_sound()
        yield running
    finally:
        running.end_sound()
        relay.kill()
