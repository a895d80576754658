"""What a crowd of listeners costs beside others, whether it misses anything, and who gets into a room in a storm.

On one machine, on loopback: the relay and the host on one core, listeners on another. Writes build/bench/crowd.json.
With one core, or with other work on the machine, the figures are not worth much: the load average stands beside them.
`--listeners 50 --visitors 50 --sockets 100 --seconds 5` tries it in a minute or two.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import aiortc_environment, crowd_figures, relay_record, report
from bench.loopback import Loopback, loopback, pinned
from bench.relay_record import Compared
from dev.cluster import endings, packages, progress
from dev.cluster.errors import CommandError
from dev.cluster.packages import Need
from showstopper.audio.settings import RoomSettings
from showstopper.audio.tokens import token
from tests.support import sdk_listeners

NEEDS = (Need("taskset", "util-linux"),)
SPREAD_JOINS_PER_SECOND = 60
"""One relay core lets some 100 hidden listeners a second in."""

SDK_LISTENERS = 10
AIORTC_LISTENERS = 20
OTHERS_SECONDS = 15.0
QUIET_SECONDS = 3.0
STAMPS_SECONDS = 6.0
PACES = {"own_ms_per_join": (300, 100.0), "own_ms_per_join_at_20_a_second": (100, 20.0)}
"""What a join costs ourselves: joins, and how many of them a second, by the figure's name. A hundred a second are a
storm, two thirds of what one relay core takes in. At twenty each join wakes a process that has slept, as an arrival in
a room does: eight times, with caches that others have used."""

AIORTC = Path(__file__).with_name("aiortc_listeners.py")


def crowd(running: Loopback, core: int, size: int, seconds: float, *more: str) -> tuple[dict[str, Any], Compared]:
    """What bench/crowd_process.py says, and how it agrees with the relay's own record, for the whole stay."""
    options = [f"--size={size}", f"--seconds={seconds}", f"--spread={size / SPREAD_JOINS_PER_SECOND}", *more]
    command = [*pinned(core), sys.executable, "-m", "bench.crowd_process", *options]
    environment = sdk_listeners.environment(running.room)
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        running.end_sound()  # the last packet is then the same for both
        received, _ = process.communicate("\n")
    if process.returncode:
        raise RuntimeError(f"the crowd's process ended with {process.returncode}")
    return dict(json.loads(said)), relay_record.read(running.relay.log, json.loads(received))


def storm(
    running: Loopback, core: int, visitors: int, *options: str, room: RoomSettings | None = None
) -> dict[str, Any]:
    """What bench/storm_process.py says. `room`: how to get in, if not as everybody does."""
    command = [*pinned(core), sys.executable, "-m", "bench.storm_process", f"--visitors={visitors}", *options]
    environment = sdk_listeners.environment(room or running.room)
    return dict(json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout))


def sdk_percent(room: RoomSettings, core: int, folder: Path) -> float:
    """Percent of a core that one listener of the SDK takes."""
    with sdk_listeners.started(room, SDK_LISTENERS, folder / "sdk.log", before=pinned(core)) as listeners:
        deadline = time.monotonic() + 60
        while listeners.report()["hearing"] < SDK_LISTENERS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the SDK's listeners do not hear the host: {(folder / 'sdk.log').read_text()}")
            time.sleep(0.2)
        time.sleep(QUIET_SECONDS)
        before = listeners.report()
        time.sleep(OTHERS_SECONDS)
        after = listeners.report()
    used = after["cpu_seconds"] - before["cpu_seconds"]
    return float(used / (after["at"] - before["at"]) / SDK_LISTENERS * 100)


def aiortc(room: RoomSettings, core: int) -> dict[str, Any] | None:
    """What bench/aiortc_listeners.py says. None where aiortc cannot be had."""
    try:
        python = aiortc_environment.ensure()
    except CommandError as error:
        report.console.print(f"no aiortc to compare with: {error}")
        return None
    tokens = [token(room, f"aiortc-{number}", publish=False) for number in range(AIORTC_LISTENERS)]
    asked = json.dumps({"url": room.url, "tokens": tokens, "seconds": OTHERS_SECONDS}) + "\n"
    command = [*pinned(core), str(python), str(AIORTC)]
    done = subprocess.run(command, input=asked, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def stamps(core: int, sender_core: int, sockets: int) -> dict[str, Any]:
    """What bench/stamps.py says."""
    command = [*pinned(core), sys.executable, "-m", "bench.stamps", str(sockets), str(STAMPS_SECONDS), str(sender_core)]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def measure(chosen: argparse.Namespace, near: int, far: int, folder: Path) -> dict[str, report.Figure]:
    """All of it, with listeners on the near core and the relay on the far one. Each storm has a relay of its own."""
    with progress.step(f"{chosen.sockets} sockets, fed by a plain sender"):
        figures = crowd_figures.of_stamps(stamps(near, far, chosen.sockets))
    with loopback(folder, far) as running:
        for figure, (joins, rate) in PACES.items():
            with progress.step(f"{joins} joins at {rate:g} a second"):
                paced = storm(running, near, joins, "--hidden", f"--rate={rate}")
                figures[figure] = round(paced["own_ms_per_join"], 2)
        with progress.step(f"{SDK_LISTENERS} listeners of the SDK"):
            sdk = sdk_percent(running.room, near, folder)
        with progress.step(f"{AIORTC_LISTENERS} listeners of aiortc"):
            others = aiortc(running.room, near)
    with loopback(folder, far, log_level="debug") as running, progress.step(f"A crowd of {chosen.listeners}"):
        heard, compared = crowd(running, near, chosen.listeners, chosen.seconds)
    with loopback(folder, far, log_level="debug") as running, progress.step("The same, told what it hears"):
        figures |= crowd_figures.with_ears(crowd(running, near, chosen.listeners, chosen.seconds, "--ears")[0])
    figures = crowd_figures.of_crowd(heard, compared) | crowd_figures.beside(heard, sdk, others) | figures
    for kind, options in (("hidden", ["--hidden"]), ("visible", [])):
        with loopback(folder, far) as running, progress.step(f"A storm of {chosen.visitors}, {kind}"):
            figures |= crowd_figures.of_storm(kind, storm(running, near, chosen.visitors, *options))
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `make bench-crowd`."""
    parser = argparse.ArgumentParser(prog="bench.crowd", description=__doc__)
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they listen")
    parser.add_argument("--visitors", type=int, default=1000, help="of each storm")
    parser.add_argument("--sockets", type=int, default=3000)
    chosen = parser.parse_args(arguments)
    packages.ensure(NEEDS)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        report.write("crowd", measure(chosen, cores[0], cores[-1], Path(folder)))


if __name__ == "__main__":
    sys.exit(endings.run(main))
