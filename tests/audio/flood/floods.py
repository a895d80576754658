"""Flooders that tests start as processes, and how they ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from showstopper.faults.flood import settings as names

COMMAND = (sys.executable, "-m", "showstopper.audio.flood.flooder")
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A flooder that has ended: its exit code, its lines, and what it wrote to standard error."""

    code: int
    lines: list[dict[str, Any]]
    complaint: str

    @property
    def report(self) -> dict[str, Any]:
        """Its last line."""
        assert self.lines, self.complaint
        return self.lines[-1]


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


def in_seconds(seconds: float) -> str:
    """A moment from now, as settings have it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def start(command: Sequence[str] = COMMAND, **changes: str) -> subprocess.Popen[str]:
    """A flooder with these settings."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(**changes), stdout=pipe, stderr=pipe, text=True)


def end(process: subprocess.Popen[str]) -> Ended:
    """Wait for its end."""
    try:
        said, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    return Ended(process.returncode, [json.loads(line) for line in said.splitlines()], complaint)


def run(command: Sequence[str] = COMMAND, **changes: str) -> Ended:
    """A flooder from its start to its end."""
    return end(start(command, **changes))
