"""What can go wrong with the embedded cluster.

::

    ClusterError
    ├── MissingError     this machine lacks something: the message says what and how to get it
    ├── CommandError     a program ended with an error
    ├── NotReadyError    something that was started did not become ready in time
    ├── ConflictError    something on this machine uses what the cluster needs (addresses, names, the lock)
    └── LeftBehindError  something could not be removed
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class ClusterError(Exception):
    """The root of all errors of the embedded cluster: its message is meant for a person."""


class MissingError(ClusterError):
    """The machine lacks something. The message is one line: what is missing, and how to get it."""


class ConflictError(ClusterError):
    """Something on this machine already uses what the cluster needs."""


class LeftBehindError(ClusterError):
    """Something that was recorded could not be removed."""


class CommandError(ClusterError):
    """A program ended with an error. Carries its exit code and the end of what it wrote."""

    def __init__(self, command: Sequence[str], code: int, output: str) -> None:
        self.code = code
        self.output = output.strip()
        said = f": {self.output}" if self.output else ""
        super().__init__(f"`{' '.join(command)}` ended with code {code}{said}")


class NotReadyError(ClusterError):
    """Something did not become ready in time. Carries the end of its log."""

    def __init__(self, what: str, seconds: float, log: Path | None = None) -> None:
        shown = f"\nthe end of {log}:\n{tail(log)}" if log is not None else ""
        super().__init__(f"{what} after {seconds:.0f} s{shown}")


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log file, or a sentence when there is none."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return "(there is no such log)"
    return "\n".join(text.splitlines()[-lines:])
