"""The ledger: everything that the cluster brings onto this machine, written down before it is there.

A line is never changed, only added, so a supervisor that dies at any moment leaves a ledger that names at least all
that exists. Taking down reads it backwards.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from dev.cluster import paths

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Kind(StrEnum):
    """What a ledger line names, and so how it is removed."""

    BOOT = "boot"
    PROCESS = "process"
    CGROUP = "cgroup"
    NAMESPACE = "namespace"
    LINK = "link"
    ROUTE = "route"
    TABLE = "table"
    MOUNT = "mount"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing. A process has its id and its start time (clock ticks since boot), for ids are used again."""

    kind: Kind
    name: str
    pid: int = 0
    started: int = 0


class Ledger:
    """The ledger file. It exists exactly as long as the cluster, or what is left of it, does."""

    def __init__(self, path: Path = paths.RUN / "ledger.jsonl") -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether a cluster, or what is left of one, is on this machine."""
        return self.path.exists()

    def open(self) -> None:
        """Begin the ledger of a new cluster."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.record(Kind.BOOT, BOOT_ID.read_text().strip())

    def record(self, kind: Kind, name: str) -> None:
        """Write down what is about to be made."""
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(Entry(kind, name))) + "\n")

    def entries(self) -> list[Entry]:
        """All entries, oldest first. Processes of an earlier boot of this machine are left out."""
        if not self.exists():
            return []
        read = [parse(line) for line in self.path.read_text().splitlines()]
        entries = [entry for entry in read if entry is not None]
        return [entry for entry in entries if entry.kind is not Kind.PROCESS or _same_boot(entries)]

    def of(self, kind: Kind) -> list[Entry]:
        """The entries of one kind, oldest first."""
        return [entry for entry in self.entries() if entry.kind is kind]

    def process(self, name: str) -> Entry | None:
        """The newest process of this name."""
        named = [entry for entry in self.of(Kind.PROCESS) if entry.name == name]
        return named[-1] if named else None


def parse(line: str) -> Entry | None:
    """One line of the ledger. None for a line whose writer was killed in the middle: what it names was never made."""
    try:
        fields = json.loads(line)
    except json.JSONDecodeError:
        return None
    return Entry(Kind(fields["kind"]), fields["name"], fields["pid"], fields["started"])


def _same_boot(entries: list[Entry]) -> bool:
    boots = [entry.name for entry in entries if entry.kind is Kind.BOOT]
    return bool(boots) and boots[0] == BOOT_ID.read_text().strip()
