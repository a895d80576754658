"""The journal on the node: which faults an agent has armed where, so that its next life can clear up after it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from showstopper.errors import KernelRefused


@dataclass(frozen=True, slots=True)
class Entry:
    """One armed fault: the namespace's path, and the name of the effect in it."""

    namespace: str
    effect: str


class Journal:
    """A file of JSON lines, each on the disk before the call returns. It begins anew whenever nothing is armed.

    Raises:
        KernelRefused: from all that writes it, when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if os.fstat(self._file).st_size == 0:
            _sync_folder(path.parent)
        self._open = set(self.open_entries())

    def arming(self, entry: Entry) -> None:
        """Write down that a fault is about to be set up."""
        self._append({"arming": asdict(entry)})
        self._open.add(entry)

    def lifted(self, entry: Entry) -> None:
        """Write down that nothing of a fault is left."""
        self._open.discard(entry)
        if self._open:
            self._append({"lifted": asdict(entry)})
        else:
            self.clear()

    def open_entries(self) -> list[Entry]:
        """The faults that were not lifted, oldest first. A last line that was cut off by a crash counts for nothing."""
        entries: dict[Entry, None] = {}
        for line in self._path.read_bytes().split(b"\n"):
            try:
                word, entry = _read(json.loads(line))
            except (ValueError, TypeError, AttributeError):
                continue
            if word == "arming":
                entries[entry] = None
            else:
                entries.pop(entry, None)
        return list(entries)

    def clear(self) -> None:
        """Begin anew: nothing is armed, or what was has been swept."""
        self._open.clear()
        with _refusals_of(self._path):
            os.ftruncate(self._file, 0)
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _append(self, line: dict[str, Any]) -> None:
        with _refusals_of(self._path):
            # A line of its own even behind one that a crash has cut off.
            os.write(self._file, b"\n" + json.dumps(line, sort_keys=True).encode() + b"\n")
            os.fsync(self._file)


@contextmanager
def _refusals_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KernelRefused(f"cannot write {path}: {error.strerror}", code=error.errno or 0) from error


def _read(line: dict[str, Any]) -> tuple[str, Entry]:
    ((word, content),) = line.items()
    return word, Entry(**content)


def _sync_folder(folder: Path) -> None:
    """Have the file's name on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
