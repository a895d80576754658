"""The process of one shift of newcomers: a number of arrivals, and what they heard as lines of JSON.

The SDK keeps about 0.6 MB of every session that was ever joined (livekit 1.2.1, python-sdks issue 449). Residents join
once, but newcomers would fill a pod within hours. So they come in shifts, each in a process that ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass

from showstopper.audio import serving, turns
from showstopper.audio.listener.arrivals import visit
from showstopper.audio.listener.crew import Crew
from showstopper.audio.settings import ListenerSettings

REPORT_SECONDS = 0.5


@dataclass
class NextArrival:
    """Whose turn it is: the next arrival's number, when it is due (monotonic), and how many are left to this shift."""

    number: int
    due: float
    left: int


async def work(crew: Crew, turn: NextArrival) -> None:
    """Send the shift's arrivals at their times, however long each takes, and wait until the last has left."""
    async with asyncio.TaskGroup() as group:
        while turn.left > 0:
            await asyncio.sleep(turn.due - time.monotonic())
            group.create_task(visit(crew, turn.number))
            turn.number += 1
            turn.left -= 1
            turn.due = turns.following(turn.due, crew.settings.arrival_every)


async def report(crew: Crew, turn: NextArrival) -> None:
    """Say what has been heard, until cancelled."""
    said = 0
    while True:
        document = crew.document(said)
        said = crew.ring.newest
        line = {"turn": {"number": turn.number, "due": turn.due, "left": turn.left}, "feed": document}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(REPORT_SECONDS)


async def shift(settings: ListenerSettings, turn: NextArrival) -> None:
    """One shift, from its first arrival to the last one's leaving."""
    crew = Crew(settings)
    watching = [asyncio.create_task(crew.lag.watch()), asyncio.create_task(report(crew, turn))]
    parent = asyncio.create_task(_parent_is_there())
    working = asyncio.create_task(work(crew, turn))
    try:
        await asyncio.wait({working, parent}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await asyncio.sleep(REPORT_SECONDS)
        for task in [*watching, parent]:
            task.cancel()


async def _parent_is_there() -> None:
    """Wait until the process that started this one is gone: then its end of our standard input is closed."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def _main() -> None:
    parser = argparse.ArgumentParser(description="One shift of newcomers; the listener starts it.")
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--due", type=float, required=True)
    parser.add_argument("--visits", type=int, required=True)
    given = parser.parse_args()
    await shift(ListenerSettings.read(os.environ), NextArrival(given.number, given.due, given.visits))


if __name__ == "__main__":
    serving.configure_logs()
    serving.run(_main())
