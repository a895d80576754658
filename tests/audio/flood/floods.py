"""Flooders that tests start as processes, and how they ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from showstopper.faults.flood import settings as names
from tests.audio import crowd_processes
from tests.audio.crowd_processes import Ended, end, in_seconds

COMMAND = (sys.executable, "-m", "showstopper.audio.flood.flooder")


def environment(**changes: str) -> dict[str, str]:
    """That of a flooder of a thousand packets at most, with other values under their short names."""
    told = {
        "TARGETS": "198.18.210.2:7882",
        "WITHIN": "198.18.0.0/15",
        "SHAPE": "RTP",
        "SIZE": "172",
        "RATE": "max",
        "SOURCES": "1",
        "SECONDS": "20",
        "PACKETS": "1000",
        "END": in_seconds(40),
        "GATE": "none",
        **changes,
    }
    return {**os.environ, **{getattr(names, name): value for name, value in told.items()}}


def start(command: Sequence[str] = COMMAND, **changes: str) -> subprocess.Popen[str]:
    """A flooder with these settings."""
    return crowd_processes.start(command, environment(**changes))


def run(command: Sequence[str] = COMMAND, **changes: str) -> Ended:
    """A flooder from its start to its end."""
    return end(start(command, **changes))
