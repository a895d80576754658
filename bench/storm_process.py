"""A storm of joins in a process of its own, for bench/crowd.py and bench/storm.py. The room is in the environment.

Prints one line of JSON: the tally, what it cost, and the identities of those who got in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
from dataclasses import asdict

from showstopper import garbage
from showstopper.audio.crowd.storm.shape import StormShape
from showstopper.audio.crowd.storm.storm import Storm
from showstopper.audio.settings import RoomSettings
from showstopper.faults.storm.settings import Depth


def main() -> None:
    """Have it, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.storm_process")
    parser.add_argument("--visitors", type=int, required=True)
    parser.add_argument("--rate", type=float, help="joins a second; without it all at once")
    parser.add_argument("--hidden", action="store_true")
    parser.add_argument("--signalling", action="store_true", help="without ICE, DTLS and sound")
    chosen = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # two descriptors a visitor
    depth = Depth.SIGNALLING if chosen.signalling else Depth.FULL
    shape = StormShape(chosen.visitors, rate=chosen.rate, hidden=chosen.hidden, depth=depth)
    storm = Storm(RoomSettings.read(os.environ), shape)
    garbage.keep_what_is_there()  # as the program of a storm does
    tally = asyncio.run(storm.run())
    let_in = [storm.identity(number) for number, attempt in enumerate(storm.tries) if attempt.is_in]
    own = {"own_ms_per_join": storm.cpu_seconds / chosen.visitors * 1e3, "own_busy_percent": storm.busy * 100}
    print(json.dumps(asdict(tally) | own | {"is_as_asked": tally.is_as_asked, "identities": let_in}))


if __name__ == "__main__":
    main()
