"""What must be so before anything is started: each "no" is one clear line."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from dev.cluster import cgroups, errors, paths

NEEDED_BYTES = 3 * 1024**3
"""Two image stores and the logs."""


def check() -> None:
    """Raise MissingError when this machine cannot run the embedded cluster."""
    refuse_other_systems(sys.platform)
    refuse_users(os.geteuid())
    paths.cache().mkdir(parents=True, exist_ok=True)
    refuse_full_disk(shutil.disk_usage(paths.cache()).free, paths.cache())
    if not cgroups.trees():
        raise errors.MissingError("no cgroups are mounted: mount /sys/fs/cgroup")


def refuse_other_systems(platform: str) -> None:
    """Namespaces and cgroups are Linux's."""
    if platform != "linux":
        raise errors.MissingError(
            "the embedded cluster needs Linux: use kind (with Docker), or name a context in SHOWSTOPPER_CONTEXT"
        )


def refuse_users(user_id: int) -> None:
    """Only root may make network namespaces and mounts."""
    if user_id != 0:
        raise errors.MissingError(
            "the embedded cluster needs root: run it with sudo, or use kind (with Docker),"
            " or name a context in SHOWSTOPPER_CONTEXT"
        )


def refuse_full_disk(free_bytes: int, folder: Path) -> None:
    """A full disk shows as a cluster that stops half way."""
    if free_bytes < NEEDED_BYTES:
        raise errors.MissingError(
            f"too little disk space: the cluster needs {NEEDED_BYTES >> 30} GB under {folder},"
            f" {free_bytes / 1024**3:.1f} GB are free; make room, or set SHOWSTOPPER_CACHE to a folder elsewhere"
        )
