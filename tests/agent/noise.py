"""The machine's own noise: how late an urgent process wakes up here, to be allowed for in what is measured beside it.

Run as a program it wakes up every 2 ms until its input ends, waiting as the agent's loop for held packets does.
"""

import json
import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

TICK = 0.002


@dataclass
class Noise:
    """Milliseconds that wake-ups were late, once the block is over: the median, and the 99th percentile."""

    median: float = 0.0
    high: float = 0.0

    def __str__(self) -> str:
        return f"wake-ups late by {self.median:.2f} and {self.high:.2f} ms"


@contextmanager
def measured() -> Iterator[Noise]:
    """Measure for as long as the block takes."""
    noise = Noise()
    arguments = [sys.executable, "-m", "tests.agent.noise"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            yield noise
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    noise.median, noise.high = json.loads(output)


@contextmanager
def urgent() -> Iterator[None]:
    """Have the calling thread run before others, as the agent's loop does; without CAP_SYS_NICE: like all others."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def main() -> None:
    """Note every wake-up; those that were slept through count as well, each with its own lateness."""
    late: list[float] = []
    with urgent():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        due = time.monotonic() + TICK
        while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            late.append((time.monotonic() - due) * 1000)
            due += TICK
    percentiles = statistics.quantiles(late, n=100)
    sys.stdout.write(json.dumps([percentiles[49], percentiles[98]]))


if __name__ == "__main__":
    main()
