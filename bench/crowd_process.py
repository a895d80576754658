"""A crowd in a process of its own, for bench/crowd.py: what listening to a room costs. The room is in the environment.

Prints a line of JSON. Then it waits for a line on its input, which says that the host is gone, and prints what each
listener has received in all, by identity.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import resource
import sys
import time
from pathlib import Path

from showstopper.audio import wall_clock
from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.diary import Event
from showstopper.audio.crowd.matching.matcher import Matcher
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.settings import RoomSettings
from showstopper.availability.spans import State

QUIET_SECONDS = 3.0
"""After the last join the relay still tells everybody of the newcomers."""

ENDED_SECONDS = 3.0
"""How long after the host has left the relay has closed its track to everybody for certain. Who leaves before that is
counted blank frames, which the relay does not send any more."""


async def listen(size: int, seconds: float, spread: float, matcher: Matcher | None) -> None:
    """Let that many in over `spread` seconds, listen for `seconds`, and say what was measured."""
    began = time.process_time()
    async with Crowd(RoomSettings.read(os.environ), size, hidden=True, spread_seconds=spread, matcher=matcher) as crowd:
        await crowd.all_tried()
        joining = time.process_time() - began - crowd.sweep_cpu_seconds
        said = joins(crowd, joining / size)
        await asyncio.sleep(QUIET_SECONDS)
        since = time.monotonic()
        said |= await measure(crowd, seconds)
        if matcher is not None:
            said["live_percent"] = 100 * live(crowd, since, time.monotonic() - matcher.lag)
            said |= {"unopened": crowd.unopened, "doubts": crowd.doubts}
        print(json.dumps(said), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.sleep(ENDED_SECONDS)
        crowd.sweep()
        received = {crowd.identity(slot): int(count) for slot, count in enumerate(crowd.ledger.received)}
    print(json.dumps(received), flush=True)


def joins(crowd: Crowd, cpu_seconds_each: float) -> dict[str, float | int | str | None]:
    """What the joins cost, and who was refused."""
    refused = [entry for entry in crowd.diary if entry.event is Event.REFUSED]
    return {
        "listeners": crowd.size,
        "refused_at_first": len(refused),
        "why": refused[0].message if refused else None,
        "own_ms_per_join": cpu_seconds_each * 1e3,
    }


async def measure(crowd: Crowd, seconds: float) -> dict[str, float | int | str | None]:
    """Listen for so long."""
    crowd.sweep()
    cpu, wall = time.process_time(), time.monotonic()
    lost, received = crowd.ledger.lost.copy(), crowd.ledger.received.copy()
    drops, pauses = crowd.drops, len(crowd.ledger.pauses)
    await asyncio.sleep(seconds)
    crowd.sweep()
    lasted = time.monotonic() - wall
    got = crowd.ledger.received - received
    missed = crowd.ledger.lost - lost
    # What nobody got was lost on the host's way to the relay, or in it.
    by_all = int(missed.min())
    return {
        "hearing": int((got > 0).sum()),
        "seconds": lasted,
        "cpu_percent": (time.process_time() - cpu) / lasted * 100,
        "packets_per_second": float(got.sum() / lasted),
        "packets_lost_by_all": by_all,
        "packets_lost": int((missed - by_all).sum()),
        "listeners_with_gaps": int((missed > by_all).sum()),
        "kernel_drops": crowd.drops - drops,
        "pauses": len(crowd.ledger.pauses) - pauses,
        "latest_sweep_ms": crowd.latest_sweep_seconds * 1e3,
        "rss_mb": rss_mb(),
    }


def live(crowd: Crowd, start: float, end: float) -> float:
    """The share of that time in which listeners were told to hear the host live."""
    heard = (each for _, each in crowd.heard if each.state is State.LIVE)
    seconds = sum(max(0.0, min(each.end, end) - max(each.start, start)) for each in heard)
    return seconds / (crowd.size * (end - start)) if end > start else math.nan


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
    parser.add_argument("--ears", action="store_true", help="tell what they hear, too")
    chosen = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # two descriptors a listener
    references = sorted({0, chosen.size // 2})
    matcher = Matcher(chosen.size, Rules(), wall_clock.at, references=references) if chosen.ears else None
    asyncio.run(listen(chosen.size, chosen.seconds, chosen.spread, matcher))


if __name__ == "__main__":
    main()
