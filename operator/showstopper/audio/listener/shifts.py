"""Shifts of newcomers, one process after the other, and what they say for the pod's feed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from typing import Any

import structlog

from showstopper.audio import turns
from showstopper.audio.listener.crew import Crew
from showstopper.audio.listener.newcomers import NextArrival
from showstopper.audio.spans import Visit, span_of, visit_of
from showstopper.availability.spans import Span

log = structlog.get_logger()

VISITS = 60
"""Arrivals of one shift: what the SDK keeps of them is 36 MB then."""

EARLY_SECONDS = 3.0
"""A shift is started so long before its first arrival is due: Python and the SDK take a second or two to be there."""

LINE_BYTES = 1 << 24
END_SECONDS = 5.0


async def keep_coming(crew: Crew) -> None:
    """Newcomers, until cancelled."""
    if crew.settings.arrival_every <= 0:
        return
    turn = NextArrival(1, turns.first(crew.settings.arrival_every, crew.settings.arrival_phase), VISITS)
    async with asyncio.TaskGroup() as group:
        while True:
            await asyncio.sleep(turn.due - EARLY_SECONDS - time.monotonic())
            shift = Shift(crew, turn)
            group.create_task(shift.run())
            turn = await shift.successor()


class Shift:
    """One process of newcomers, seen from the listener's."""

    def __init__(self, crew: Crew, turn: NextArrival) -> None:
        self._crew = crew
        self._turn = turn
        self._handed_over = asyncio.Event()

    async def successor(self) -> NextArrival:
        """Wait until the shift's last arrival has come, or the shift has ended: the next shift's turn."""
        await self._handed_over.wait()
        return NextArrival(self._turn.number, self._turn.due, VISITS)

    async def run(self) -> None:
        """From the process's start to its end."""
        process = await asyncio.create_subprocess_exec(*self._command(), stdin=PIPE, stdout=PIPE, limit=LINE_BYTES)
        try:
            await self._listen(process)
        finally:
            self._crew.borrowed.pop(id(self), None)
            await _end(process)
        if not self._handed_over.is_set():
            # It broke off. The one that it may just have sent has its number; the next is due as if this had gone on.
            log.error("newcomers_broke_off", status=process.returncode)
            due = turns.following(self._turn.due, self._crew.settings.arrival_every)
            self._turn = NextArrival(self._turn.number + 1, due, 0)
            self._handed_over.set()

    def _command(self) -> list[str]:
        turn = self._turn
        options = {"number": turn.number, "due": turn.due, "visits": turn.left}
        given = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "showstopper.audio.listener.newcomers", *given]

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                said = json.loads(line)
                self._turn = NextArrival(**said["turn"])
                self._take(said["feed"])
                if self._turn.left == 0:
                    self._handed_over.set()
        except ValueError as error:  # killed inside a line: what it had said before stands, and the next shift goes on
            log.warning("newcomers_cut_off", error=str(error))

    def _take(self, feed: dict[str, Any]) -> None:
        """Put what has ended into the ring, in its order. Show what goes on as it is."""
        ended: dict[int, Span | Visit] = {entry["sequence"]: span_of(entry) for entry in feed["spans"]}
        ended |= {entry["sequence"]: visit_of(entry) for entry in feed["arrivals"]}
        self._crew.record(ended[number] for number in sorted(ended))
        self._crew.borrowed[id(self)] = feed


async def _end(process: Process) -> None:
    """Ask the process to leave, and do not wait for ever."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
