"""Storms that tests start as processes, and how they ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from showstopper.audio.settings import RoomSettings
from showstopper.faults.storm import settings as names
from tests.audio import crowd_processes
from tests.audio.crowd_processes import in_seconds

COMMAND = (sys.executable, "-m", "showstopper.audio.crowd.storm.process")


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


def start(room: RoomSettings, command: Sequence[str] = COMMAND, **changes: str) -> subprocess.Popen[str]:
    """A storm with these settings."""
    return crowd_processes.start(command, environment(room, **changes))
