"""The storm's process: one storm from its settings to its report. It runs without any privilege or cluster token.

    python -m showstopper.audio.crowd.storm.process

Exit codes: 0 it ended by its time or by SIGTERM, 1 no gate came up, 2 a setting cannot be used.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from showstopper.api.faults.storm import JoinTimes, RefusedJoins, StormFigures
from showstopper.api.schema.base import dump
from showstopper.audio import sockets
from showstopper.audio.crowd.refusals import Refusal
from showstopper.audio.crowd.storm.settings import StormSettings
from showstopper.audio.crowd.storm.shape import Shape
from showstopper.audio.crowd.storm.storm import Storm
from showstopper.audio.crowd.storm.tally import Latency, Tally
from showstopper.audio.flood import gate, telling
from showstopper.audio.flood.budget import Budget, EndReason
from showstopper.audio.flood.flooding import Clocks, Stop
from showstopper.errors import SettingsError

NO_GATE = 1
WRONG_SETTING = 2
OVER_HTTP = frozenset({Refusal.UNAUTHORIZED, Refusal.NOT_FOUND, Refusal.UNAVAILABLE, Refusal.HTTP})
"""Refusals that are an answer of the other side instead of 101."""
MOST_SAID = 256
"""Characters of a message: the report has to fit into a container's termination message."""


def main() -> None:
    """Entry point of the storm."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(stop, "asked", True))
    try:
        settings = StormSettings.read(os.environ, time.time())
        sockets.allow(settings.shape.visitors, instead="fewer joins")
        report = run(settings, stop)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(WRONG_SETTING) from error
    telling.tell(report)
    if settings.report is not None:
        telling.leave(report, settings.report)
    raise SystemExit(NO_GATE if report["ended_by"] is EndReason.NO_GATE else 0)


def run(settings: StormSettings, stop: Stop) -> dict[str, Any]:
    """Storm as the settings say, once the gate is up. Returns the report."""
    clocks, seconds = Clocks(), settings.shape.seconds
    assert seconds is not None, "the settings have said how long"
    storm = Storm(settings.room, settings.shape, urls=settings.urls)
    budget = Budget.begin(
        packets=settings.shape.visitors,
        seconds=seconds,
        wall_end=settings.end,
        monotonic=clocks.monotonic(),
        wall=clocks.wall(),
    )
    if settings.gate is not None:
        telling.tell({"event": "waiting", "gate": settings.gate})
        shut = gate.wait(settings.gate, budget, stop, clocks)
        if shut is not None:
            return report(shut, figures(storm, settings.shape))
    ending = asyncio.run(_have(storm, stop, budget.started(seconds, clocks.monotonic()), clocks))
    return report(ending, figures(storm, settings.shape))


def report(ending: EndReason, storm: StormFigures) -> dict[str, Any]:
    """The last line: why it ended, and what came of it."""
    return {"event": "stormed", "ended_by": ending, "storm": dump(storm)}


def figures(storm: Storm, shape: Shape) -> StormFigures:
    """What came of a storm, as the record of a run has it."""
    tally = storm.tally()
    came_back = shape.comeback is not None
    refused = [RefusedJoins(reason=reason.value, count=count) for reason, count in tally.refused.items()]
    upgraded = tally.upgraded.count if tally.upgraded is not None else 0
    return StormFigures(
        asked=shape.visitors,
        attempts=tally.called,
        let_in=tally.let_in,
        refused=refused,
        unknown=tally.unknown,
        answered=upgraded + sum(count for reason, count in tally.refused.items() if reason in OVER_HTTP),
        heard=tally.heard,
        lost=sum(tally.lost.values()),
        upgraded=_times(tally.upgraded),
        connected=_times(tally.connected),
        first_packet=_times(tally.first_packet),
        dropped=storm.dropped if came_back else None,
        back=len(storm.back) if came_back else None,
        came_back=_times(Latency.of(storm.back)),
        late_seconds=round(tally.latest, 3),
        message=next(iter(tally.messages), "")[:MOST_SAID],
    )


async def _have(storm: Storm, stop: Stop, budget: Budget, clocks: Clocks) -> EndReason:
    """Have the storm, and end it when it is told to, or at its absolute end. Everybody says goodbye in each case."""
    running = asyncio.create_task(storm.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _cancel, running, stop)
    if stop.asked:
        running.cancel()
    with suppress(asyncio.CancelledError, TimeoutError):
        async with asyncio.timeout(budget.end - clocks.monotonic()) as limit:
            await running
    if stop.asked:
        return EndReason.TERMINATED
    return EndReason.END if limit.expired() else EndReason.SECONDS


def _cancel(running: asyncio.Task[Tally], stop: Stop) -> None:
    stop.asked = True
    running.cancel()


def _times(latency: Latency | None) -> JoinTimes | None:
    if latency is None:
        return None
    p50, p95, longest = (f"{seconds * 1e3:.1f}ms" for seconds in (latency.p50, latency.p95, latency.longest))
    return JoinTimes(count=latency.count, p50=p50, p95=p95, longest=longest)


if __name__ == "__main__":
    main()
