"""Listeners of the SDK that decode, in a process of their own: `python -m tests.support.sdk_listeners COUNT`.

The room is in the environment, as a listener pod has it. For each line on its input it prints one line of JSON: when no
packets reached each listener, by the SDK's statistics, and what the process has used.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from showstopper.audio.hearing.classify import Rules
from showstopper.audio.listener.client import POLL_SECONDS, SETTLED_SECONDS, Client
from showstopper.audio.listener.residents import PAUSE_SECONDS
from showstopper.audio.session import JoinError
from showstopper.audio.settings import RoomSettings
from showstopper.availability.spans import Kind

JOIN_SECONDS = 10.0


@dataclass
class SdkListeners:
    """The process, seen from outside."""

    process: subprocess.Popen[str]

    def report(self) -> dict[str, Any]:
        """What it says now: `absences` by listener, in monotonic seconds, `cpu_seconds` and `rss_mb`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))


def environment(room: RoomSettings) -> dict[str, str]:
    """As a pod of that room has it."""
    return os.environ | {
        "SHOWSTOPPER_ROOM": room.name,
        "LIVEKIT_URL": room.url,
        "LIVEKIT_ROOM": room.livekit_room,
        "LIVEKIT_API_KEY": room.key,
        "LIVEKIT_API_SECRET": room.secret,
    }


@contextmanager
def started(room: RoomSettings, count: int, log: Path, *, before: tuple[str, ...] = ()) -> Iterator[SdkListeners]:
    """That many, gone afterwards. `before` is put before the command, such as taskset."""
    command = [*before, sys.executable, "-m", "tests.support.sdk_listeners", str(count)]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, env=environment(room), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            yield SdkListeners(process)
        finally:
            process.kill()
            process.communicate()


class _Listener:
    """One client that stays, and since when it hears packets."""

    def __init__(self, room: RoomSettings, number: int) -> None:
        self.client = Client(room, f"sdk-{number}", Kind.RESIDENT, Rules())
        self.since: float | None = None

    async def reside(self) -> None:
        while True:
            try:
                await self.client.join(self.client.name, JOIN_SECONDS)
            except JoinError:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            await self.client.lost()

    async def follow(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.client.poll()
            self.client.tell()
            if self.since is None and self.client.totals().received:
                self.since = self.client.sampled_at

    def absences(self) -> list[tuple[float, float]]:
        until = self.client.media.checked - SETTLED_SECONDS
        return [] if self.since is None else self.client.media.absences(self.since, until)


async def _main(count: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    room = RoomSettings.read(os.environ)
    listeners = [_Listener(room, number) for number in range(count)]
    async with asyncio.TaskGroup() as group:
        for listener in listeners:
            group.create_task(listener.reside())
            group.create_task(listener.follow())
        while await asyncio.to_thread(sys.stdin.readline):
            used = resource.getrusage(resource.RUSAGE_SELF)
            said = {
                "at": time.monotonic(),
                "hearing": sum(listener.since is not None for listener in listeners),
                "absences": {listener.client.name: listener.absences() for listener in listeners},
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "rss_mb": used.ru_maxrss / 1024,
            }
            print(json.dumps(said), flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(int(sys.argv[1])))
