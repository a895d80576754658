"""A real PostgreSQL of one's own: on a socket in a temporary folder, as nobody, gone with its block."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.cluster import commands, waiting

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
READY_SECONDS = 60.0


@contextmanager
def running() -> Iterator[str]:
    """Start an empty server. Yields the URL of its database `postgres`."""
    with tempfile.TemporaryDirectory(prefix="showstopper-postgresql-") as name:
        folder = Path(name)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "nobody", "nogroup")
        data = folder / "data"
        _run([str(PROGRAMS / "initdb"), "--username=archive", "--auth=trust", "--no-sync", f"--pgdata={data}"])
        # As nobody else can get at its socket, it needs no password; what it keeps need not survive this machine.
        serve = [str(PROGRAMS / "postgres"), "-D", str(data), "-k", str(folder), "-h", "", "-F"]
        with (folder / "log").open("wb") as log, subprocess.Popen(_as_nobody(serve), stdout=log, stderr=log) as process:
            try:
                ready = [str(PROGRAMS / "pg_isready"), "-h", str(folder), "-q"]
                waiting.until(
                    lambda: subprocess.run(ready, check=False).returncode == 0,
                    "PostgreSQL is not ready",
                    seconds=READY_SECONDS,
                    log=folder / "log",
                    give_up=lambda: process.poll() is not None,
                )
                yield f"postgresql://archive@/postgres?host={folder}"
            finally:
                process.kill()


def _run(command: Sequence[str]) -> None:
    subprocess.run(_as_nobody(command), check=True, capture_output=True, cwd="/")


def _as_nobody(command: Sequence[str]) -> list[str]:
    """The command without our rights, and killed with this process: the kernel forgets that at a change of user."""
    if os.geteuid() != 0:
        return commands.tied(command)
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *commands.tied(command)]
