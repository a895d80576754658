"""Storms that tests start as processes, and how they ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from showstopper.audio.settings import RoomSettings
from showstopper.faults.storm import settings as names

COMMAND = (sys.executable, "-m", "showstopper.audio.crowd.storm.process")
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A storm that has ended: its exit code, its lines, and what it wrote to standard error."""

    code: int
    lines: list[dict[str, Any]]
    complaint: str

    @property
    def report(self) -> dict[str, Any]:
        """Its last line."""
        assert self.lines, self.complaint
        return self.lines[-1]


def environment(room: RoomSettings, **changes: str) -> dict[str, str]:
    """That of a storm of eight at once on loopback, with other values under their short names."""
    address = room.url.removeprefix("ws://")
    told = {
        "TARGETS": address,
        "WITHIN": "127.0.0.1",
        "SPECIAL": "Loopback",
        "TRIES": "8",
        "RATE": "at-once",
        "RAMP": "0",
        "DEPTH": "signalling",
        "VISIBILITY": "visible",
        "SECONDS": "2",
        "END": in_seconds(30),
        "GATE": "none",
        **changes,
    }
    entry = {
        "SHOWSTOPPER_ROOM": room.name,
        "LIVEKIT_URL": "ws://nobody.invalid:7880",
        "LIVEKIT_ROOM": room.livekit_room,
        "LIVEKIT_API_KEY": room.key,
        "LIVEKIT_API_SECRET": room.secret,
    }
    return {**os.environ, **entry, **{getattr(names, name): value for name, value in told.items()}}


def in_seconds(seconds: float) -> str:
    """A moment from now, as settings have it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def start(room: RoomSettings, command: Sequence[str] = COMMAND, **changes: str) -> subprocess.Popen[str]:
    """A storm with these settings."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(room, **changes), stdout=pipe, stderr=pipe, text=True)


def end(process: subprocess.Popen[str]) -> Ended:
    """Wait for its end."""
    try:
        said, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    return Ended(process.returncode, [json.loads(line) for line in said.splitlines()], complaint)
