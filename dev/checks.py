"""What CI checks, with the time of each: `make test`. Leaves nothing running.

Some checks measure, and mostly wait: packets between namespaces, sound through LiveKit, a cluster. Others only compute.
Those run behind the ones that measure, at the lowest priority: they take the processors that are idle, and cannot make
a measurement late. What they print is shown when the others are over.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev import seeds, stage
from dev.cluster import endings

# Each is a target of the Makefile, or sets a variable of it.
FIRST = ("lint", "types", "layers", "unit")
MEASURING = ("netns", "livekit", "e2e")
COMPUTING = ("apiserver", "charts", "postgresql", "browser", "fuzz", "FUZZ=50000")
"""FUZZ=50000 is a minute of nonsense."""

LOG = Path("build/checks/behind.log")
LEAST_PRIORITY = ("nice", "-n", "19")


def run(targets: Sequence[str]) -> int:
    """Run the targets in turn until one fails.

    Returns:
        The exit code of the one that failed, or 0.
    """
    return next((code for target in targets if (code := _run(target))), 0)


def run_with(behind: Sequence[str], targets: Sequence[str]) -> int:
    """Run the targets in turn, and those of `behind` in turn at the same time, at the lowest priority.

    Returns:
        The exit code of the first of `targets` that failed, else that of `behind`, or 0.
    """
    with _started(behind) as process:
        return run(targets) or _finish(behind, process)


def _run(target: str) -> int:
    began = time.monotonic()
    print(f"== make {target}", flush=True)
    code = subprocess.run(["make", target], check=False).returncode
    _over(target, began)
    return code


@contextmanager
def _started(targets: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The process that makes the targets, ended with the block. `make` ends what it has started itself."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    print(f"== make {' '.join(targets)} runs behind, and writes to {LOG}", flush=True)
    with (
        LOG.open("wb") as output,
        subprocess.Popen(
            [*LEAST_PRIORITY, "make", *targets], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def _finish(targets: Sequence[str], process: subprocess.Popen[bytes]) -> int:
    began = time.monotonic()
    code = process.wait()
    print(LOG.read_text(errors="replace"), end="")
    print(f"== make {' '.join(targets)} was waited for {time.monotonic() - began:.0f} s", flush=True)
    return code


def _over(name: str, began: float) -> None:
    print(f"== make {name} took {time.monotonic() - began:.0f} s", flush=True)


def everything() -> int:
    """Run all checks until one fails, and of each matrix a third.

    Returns:
        The exit code of the one that failed, or 0.
    """
    began = time.monotonic()
    seed = os.environ.setdefault(seeds.MATRIX, str(int(time.time())))
    print(f"== of long matrices a third is run: {seeds.MATRIX}={seed}", flush=True)
    try:
        code = run(FIRST) or run_with(COMPUTING, MEASURING)
    finally:
        stage.down()
    _over("test", began)
    return code


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # an end like any other: nothing is left
    sys.exit(endings.run(everything))
