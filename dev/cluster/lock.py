"""One supervisor at a time: a lock that the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dev.cluster import errors, paths, progress

PATIENCE_SECONDS = 1800
"""A first start of another supervisor may build for a quarter of an hour."""


@contextmanager
def held(name: str = "supervisor") -> Iterator[None]:
    """Hold the lock for the block. Waits for another holder, saying so. Raises ConflictError when it takes too long."""
    paths.cache().mkdir(parents=True, exist_ok=True)
    with (paths.cache() / f"{name}.lock").open("a+") as file:
        if not _take(file.fileno()):
            _wait(file.fileno(), name)
        try:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _wait(file: int, name: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    holder = os.pread(file, 20, 0).decode() or "unknown"
    with progress.step(f"Waiting for process {holder}, which has the {name} lock"):
        while not _take(file):
            if time.monotonic() > deadline:
                raise errors.ConflictError(f"process {holder} holds the {name} lock for too long; end it and try again")
            time.sleep(0.2)


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
