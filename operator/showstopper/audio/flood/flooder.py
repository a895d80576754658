"""The flooder process: one flood from its settings to its report. It runs without any privilege and without a token.

    python -m showstopper.audio.flood.flooder

Exit codes: 0 it ended by its budget or by SIGTERM, 1 the kernel took not one packet, or no gate came up, 2 a setting
cannot be used.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from random import Random
from typing import Any

from showstopper.audio.flood import gate, shapes, telling
from showstopper.audio.flood.budget import Budget, EndReason
from showstopper.audio.flood.flooding import Clocks, Stop, flood
from showstopper.audio.flood.pace import Pace
from showstopper.audio.flood.sender import Sender
from showstopper.audio.flood.settings import FlooderSettings
from showstopper.audio.flood.tally import Tally
from showstopper.errors import SettingsError
from showstopper.faults.endpoint import Special

SENT_NOTHING = 1
WRONG_SETTING = 2


def main() -> None:
    """Entry point of the flooder."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(stop, "asked", True))
    try:
        settings = FlooderSettings.read(os.environ, time.time())
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(WRONG_SETTING) from error
    try:
        report = run(settings, stop)
    except OSError as error:  # what packets meet on their way is counted; this is about having sockets at all
        sys.stderr.write(f"no sockets to flood from: {error}\n")
        raise SystemExit(SENT_NOTHING) from error
    telling.tell(report)
    if settings.report is not None:
        telling.leave(report, settings.report)
    raise SystemExit(SENT_NOTHING if _in_vain(report) else 0)


def run(settings: FlooderSettings, stop: Stop) -> dict[str, Any]:
    """Flood as the settings say, once the gate is up. Returns the report."""
    clocks = Clocks()
    budget = _budget(settings, clocks.monotonic(), clocks.wall())
    if settings.gate is not None:
        telling.tell({"event": "waiting", "gate": settings.gate})
        shut = gate.wait(settings.gate, budget, stop, clocks)
        if shut is not None:
            now = clocks.monotonic()
            return Tally(settings.flood.size, now).report(shut, now)
    random = Random()  # noqa: S311 - for packets, not for secrets
    batches = shapes.of(settings.flood.shape, settings.flood.size, random)
    broadcast = Special.BROADCAST in settings.special
    sources = settings.flood.sources
    with Sender(settings.targets, sources=sources, batches=batches, random=random, broadcast=broadcast) as sender:
        began = clocks.monotonic()
        tally = Tally(settings.flood.size, began)
        ending: EndReason = flood(
            sender,
            budget=budget.started(settings.flood.duration.total_seconds(), began),
            pace=Pace(settings.flood.rate, began),
            tally=tally,
            stop=stop,
            tell=telling.tell,
            clocks=clocks,
        )
        return tally.report(ending, clocks.monotonic()) | {"segmented": sender.segmented}


def _in_vain(report: dict[str, Any]) -> bool:
    """Whether nothing was sent, though nobody had asked for that."""
    return not report["packets"] and (bool(report["errors"]) or report["ended_by"] is EndReason.NO_GATE)


def _budget(settings: FlooderSettings, monotonic: float, wall: float) -> Budget:
    return Budget.begin(
        packets=settings.packets,
        seconds=settings.flood.duration.total_seconds(),
        wall_end=settings.end,
        monotonic=monotonic,
        wall=wall,
    )


if __name__ == "__main__":
    main()
