"""The storm's process: one storm from its settings to its report. It runs without any privilege or cluster token.

    python -m showstopper.audio.crowd.storm.process

Exit codes: 0 it ended by its time or by SIGTERM, 1 no gate came up, 2 a setting cannot be used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from showstopper.api.faults.storm import JoinTimes, RefusedJoins, StormFigures
from showstopper.api.schema.base import dump
from showstopper.audio.crowd import sockets
from showstopper.audio.crowd.refusals import Refusal
from showstopper.audio.crowd.storm.settings import StormSettings
from showstopper.audio.crowd.storm.shape import StormShape
from showstopper.audio.crowd.storm.storm import Storm
from showstopper.audio.crowd.storm.tally import Latency, Tally
from showstopper.audio.task import program
from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import AbsoluteEnd, EndReason, Stop
from showstopper.audio.task.program import STOP_SIGNALS, Program

OVER_HTTP = frozenset({Refusal.UNAUTHORIZED, Refusal.NOT_FOUND, Refusal.UNAVAILABLE, Refusal.HTTP})
"""Refusals that are an answer of the other side instead of 101."""
MOST_SAID = 256
"""Characters of a message: the report has to fit into a container's termination message."""


class StormProgram(Program):
    """One storm, as its settings say. Tokens are signed before its gate is up, so that all can join at once then."""

    def __init__(self, settings: StormSettings) -> None:
        """Nobody joins yet. Raises SettingsError where it may not open so many sockets, or a target is no URL."""
        super().__init__(settings.task)
        sockets.allow(settings.shape.visitors, instead="fewer joins")
        self._shape = settings.shape
        self._storm = Storm(settings.room, settings.shape, urls=settings.urls)

    @classmethod
    def prepare(cls, environment: Mapping[str, str], now: float) -> StormProgram:
        """The storm of a container's environment, at these Unix seconds. Raises SettingsError."""
        return cls(StormSettings.read(environment, now))

    def run(self, end: AbsoluteEnd, stop: Stop, clocks: Clocks) -> dict[str, Any]:
        """Storm until its time is over or somebody says stop."""
        return self._report(asyncio.run(_have(self._storm, stop, end, clocks)))

    def not_begun(self, reason: EndReason) -> dict[str, Any]:
        """A storm that nobody came to."""
        return self._report(reason)

    def _report(self, ending: EndReason) -> dict[str, Any]:
        """The last line: why it ended, and what came of it."""
        return {"event": "stormed", "ended_by": ending, "storm": dump(figures(self._storm, self._shape))}


def main() -> None:
    """Entry point of the storm."""
    program.main(StormProgram.prepare)


def figures(storm: Storm, shape: StormShape) -> StormFigures:
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
        gone=storm.gone if came_back else None,
        back=len(storm.back) if came_back else None,
        came_back=_times(Latency.of(storm.back)),
        late_seconds=round(tally.latest, 3),
        message=next(iter(tally.messages), "")[:MOST_SAID],
    )


async def _have(storm: Storm, stop: Stop, end: AbsoluteEnd, clocks: Clocks) -> EndReason:
    """Have the storm, and end it when it is told to, or at its absolute end. Everybody says goodbye in each case."""
    running = asyncio.create_task(storm.run())
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, _cancel, running, stop)
    if stop.asked:
        running.cancel()
    with suppress(asyncio.CancelledError, TimeoutError):
        async with asyncio.timeout(end.seconds_left(clocks.monotonic())) as limit:
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
