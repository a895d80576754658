"""Processes of the crowd's pods that tests start, floods and storms, and how they ended."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """One that has ended: its exit code, its lines, and what it wrote to standard error."""

    code: int
    lines: list[dict[str, Any]]
    complaint: str

    @property
    def report(self) -> dict[str, Any]:
        """Its last line."""
        assert self.lines, self.complaint
        return self.lines[-1]


def in_seconds(seconds: float) -> str:
    """A moment from now, as settings have it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """One that is told this."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def end(process: subprocess.Popen[str]) -> Ended:
    """Wait for its end."""
    try:
        said, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    return Ended(process.returncode, [json.loads(line) for line in said.splitlines()], complaint)
