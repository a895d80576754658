"""A crowd in a process of its own, for bench/crowd.py: what listening to a room costs. The room is in the environment.

Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import time
from pathlib import Path

import numpy as np

from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.diary import Event
from showstopper.audio.settings import RoomSettings

SETTLE_SECONDS = 3.0
"""After the last join the relay still tells everybody of the newcomers."""


async def measure(size: int, seconds: float, spread: float) -> dict[str, float | int | str | None]:
    """Let that many in over `spread` seconds, and listen for `seconds`."""
    began = time.process_time()
    async with Crowd(RoomSettings.read(os.environ), size, hidden=True, spread_seconds=spread) as crowd:
        await crowd.all_tried()
        joining = time.process_time() - began - crowd.sweep_cpu_seconds
        refused = [entry for entry in crowd.diary if entry.event is Event.REFUSED]
        await asyncio.sleep(SETTLE_SECONDS)
        crowd.sweep()
        cpu, wall = time.process_time(), time.monotonic()
        sweep_cpu, lost, received = crowd.sweep_cpu_seconds, crowd.ledger.lost.copy(), crowd.ledger.received.copy()
        drops, pauses, sweeps = crowd.drops, len(crowd.ledger.pauses), crowd.sweeps
        await asyncio.sleep(seconds)
        crowd.sweep()
        lasted = time.monotonic() - wall
        got = crowd.ledger.received - received
        missed = crowd.ledger.lost - lost
        # What nobody got was lost on the host's way to the relay, or in it.
        by_all = int(missed.min())
        return {
            "listeners": size,
            "refused_at_first": len(refused),
            "why": refused[0].message if refused else None,
            "hearing": int((got > 0).sum()),
            "own_ms_per_join": joining / size * 1e3,
            "seconds": lasted,
            "cpu_percent": (time.process_time() - cpu) / lasted * 100,
            "sweep_percent": (crowd.sweep_cpu_seconds - sweep_cpu) / lasted * 100,
            "packets_per_second": float(got.sum() / lasted),
            "packets_per_listener_least": float(np.min(got) / lasted),
            "packets_lost_by_all": by_all,
            "packets_lost": int((missed - by_all).sum()),
            "listeners_missed_packets": int((missed > by_all).sum()),
            "kernel_drops": crowd.drops - drops,
            "pauses": len(crowd.ledger.pauses) - pauses,
            "sweeps": crowd.sweeps - sweeps,
            "latest_sweep_ms": crowd.latest_sweep_seconds * 1e3,
            "rss_mb": rss_mb(),
        }


def rss_mb() -> float:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd_process")
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--spread", type=float, required=True)
    chosen = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # two descriptors a listener
    print(json.dumps(asyncio.run(measure(chosen.size, chosen.seconds, chosen.spread))))


if __name__ == "__main__":
    main()
