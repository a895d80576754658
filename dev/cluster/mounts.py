"""What is mounted. Not by `Path.is_mount`, which takes a bind mount within one file system for none."""

from __future__ import annotations

from pathlib import Path


def targets(mounts: str | None = None) -> list[Path]:
    """The mount points of this mount namespace, oldest first, from the text of /proc/mounts."""
    text = mounts if mounts is not None else Path("/proc/mounts").read_text()
    return [Path(line.split()[1].encode().decode("unicode_escape")) for line in text.splitlines()]


def is_mounted(path: Path) -> bool:
    """Whether something is mounted at this very path."""
    return path in targets()
