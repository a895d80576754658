"""What a crowd of listeners costs, beside listeners that decode, and whether it misses anything.

On one machine, on loopback: the relay and the host on one core, the crowd on another. Then listeners of the SDK on the
crowd's core, and sockets that a plain sender feeds. Writes build/bench/crowd.json. With one core, or with other work on
the machine, the figures are not worth much: the load average stands beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import report
from dev.cluster import endings, packages, progress
from dev.cluster.packages import Need
from showstopper.audio.settings import RoomSettings
from tests.support import sdk_listeners
from tests.support.relays import KEY, SECRET, Relay, free_port

NEEDS = (Need("taskset", "util-linux"),)
SPREAD_JOINS_PER_SECOND = 60
"""One relay core lets some 100 hidden listeners a second in."""

SDK_LISTENERS = 10
SDK_SECONDS = 15.0
SETTLE_SECONDS = 3.0
STAMPS_SECONDS = 6.0
_ROOM = "bench"


def pinned(core: int) -> tuple[str, ...]:
    """What is put before a command to keep it on a core."""
    return ("taskset", "-c", str(core))


@contextmanager
def stage(folder: Path, core: int) -> Iterator[RoomSettings]:
    """A relay with a host who speaks, on one core."""
    relay = Relay("relay", folder, None, before=pinned(core))
    relay.start()
    room = RoomSettings(_ROOM, relay.url, _ROOM, KEY, SECRET)
    settings = {"SHOWSTOPPER_PORT": str(free_port()), "SHOWSTOPPER_HOLD_SECONDS": "0"}
    command = [*pinned(core), sys.executable, "-m", "showstopper.audio.host"]
    with (folder / "host.log").open("wb") as log:
        host = subprocess.Popen(command, env=sdk_listeners.environment(room) | settings, stdout=log, stderr=log)
    try:
        yield room
    finally:
        host.kill()
        host.wait()
        relay.kill()


def crowd(room: RoomSettings, core: int, size: int, seconds: float) -> dict[str, Any]:
    """What bench/crowd_process.py says."""
    spread = size / SPREAD_JOINS_PER_SECOND
    options = [f"--size={size}", f"--seconds={seconds}", f"--spread={spread}"]
    command = [*pinned(core), sys.executable, "-m", "bench.crowd_process", *options]
    environment = sdk_listeners.environment(room)
    return dict(json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout))


def sdk_percent(room: RoomSettings, core: int, folder: Path) -> float:
    """Percent of a core that one listener of the SDK takes."""
    with sdk_listeners.started(room, SDK_LISTENERS, folder / "sdk.log", before=pinned(core)) as listeners:
        deadline = time.monotonic() + 60
        while listeners.report()["hearing"] < SDK_LISTENERS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the SDK's listeners do not hear the host: {(folder / 'sdk.log').read_text()}")
            time.sleep(0.2)
        time.sleep(SETTLE_SECONDS)
        before = listeners.report()
        time.sleep(SDK_SECONDS)
        after = listeners.report()
    used = after["cpu_seconds"] - before["cpu_seconds"]
    return float(used / (after["at"] - before["at"]) / SDK_LISTENERS * 100)


def stamps(core: int, sender_core: int, sockets: int) -> dict[str, Any]:
    """What bench/stamps.py says."""
    command = [*pinned(core), sys.executable, "-m", "bench.stamps", str(sockets), str(STAMPS_SECONDS), str(sender_core)]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def figures(crowd: dict[str, Any], sdk: float, stamps: dict[str, Any]) -> dict[str, report.Figure]:
    """The flat object of crowd.json."""
    each = crowd["cpu_percent"] / crowd["listeners"]
    return {
        "listeners": crowd["listeners"],
        "hearing": crowd["hearing"],
        "seconds": round(crowd["seconds"], 1),
        "cpu_percent": round(crowd["cpu_percent"], 2),
        "cpu_percent_per_listener": round(each, 4),
        "cpu_percent_per_sdk_listener": round(sdk, 2),
        "ratio_to_sdk": round(sdk / each, 1),
        "listeners_missed_packets": crowd["listeners_missed_packets"],
        "packets_lost": crowd["packets_lost"],
        "packets_lost_by_all": crowd["packets_lost_by_all"],
        "kernel_drops": crowd["kernel_drops"],
        "packets_per_second": round(crowd["packets_per_second"]),
        "pauses": crowd["pauses"],
        "latest_sweep_ms": round(crowd["latest_sweep_ms"], 1),
        f"rss_mb_{crowd['listeners']}": round(crowd["rss_mb"], 1),
        "own_ms_per_join": round(crowd["own_ms_per_join"], 2),
        "refused_at_first": crowd["refused_at_first"],
        "why_refused": crowd["why"],
        "synthetic_sockets": stamps["sockets"],
        "synthetic_sent": stamps["sent"],
        "synthetic_received": stamps["received"],
        "synthetic_drops": stamps["drops"],
        "synthetic_cpu_percent": round(stamps["cpu_percent"], 1),
        "stamp_error_p50_ms": stamps["stamp_error_p50_ms"],
        "stamp_error_p999_ms": stamps["stamp_error_p999_ms"],
        "load_average": round(os.getloadavg()[0], 2),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `make bench-crowd`."""
    parser = argparse.ArgumentParser(prog="bench.crowd", description=__doc__)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sockets", type=int, default=3000)
    chosen = parser.parse_args(arguments)
    packages.ensure(NEEDS)
    cores = sorted(os.sched_getaffinity(0))
    near, far = cores[0], cores[-1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with progress.step(f"{chosen.sockets} sockets, fed by a plain sender"):
            stamped = stamps(near, far, chosen.sockets)
        with stage(folder, far) as room:
            with progress.step(f"{SDK_LISTENERS} listeners of the SDK"):
                sdk = sdk_percent(room, near, folder)
            with progress.step(f"A crowd of {chosen.size} for {chosen.seconds:g} s"):
                heard = crowd(room, near, chosen.size, chosen.seconds)
    report.write("crowd", figures(heard, sdk, stamped))


if __name__ == "__main__":
    sys.exit(endings.run(main))
