"""Waiting: how a run waits for a time, its turn or news, and what ends it while it waits."""

import asyncio
import contextlib
from collections.abc import Callable

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, from_timestamp
from showstopper.engine.rooms import LiveRoom
from showstopper.errors import ShowstopperError


class RunEnded(ShowstopperError):
    """The run ends before its last step."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class RunWait:
    """The waiting of one run.

    Args:
        run: returns its newest form.
        disowned: why whoever asked for it wants it no more.
        stopped: why everything has to stop, if it has to.
    """

    def __init__(
        self,
        run: Callable[[], ExperimentRun],
        clock: Clock,
        *,
        disowned: Callable[[ExperimentRun], Finding | None],
        stopped: Callable[[], Finding | None],
    ) -> None:
        self._run = run
        self._clock = clock
        self._disowned = disowned
        self._stopped = stopped
        self._news = asyncio.Event()
        self._steps = clock.steps

    def begin(self) -> None:
        """The run is carried out from now on: from here its times have to be of one clock."""
        self._steps = self._clock.steps

    def wake(self) -> None:
        """Something happened: look again."""
        self._news.set()

    async def pause(self, seconds: float) -> None:
        """Wait, but not for longer than until something happens.

        Raises:
            RunEnded: as `check`.
        """
        self._news.clear()
        self.check()
        deadline = from_timestamp(self._run().spec.deadline) - self._clock.now()
        await self._wait(min(seconds, deadline))
        self.check()

    async def for_news(self, seconds: float) -> None:
        """Wait for something that happened since the last wait, for so long at the most. Nothing ends the run here."""
        await self._wait(seconds)
        self._news.clear()

    async def until(self, moment: float) -> None:
        """Wait for a moment of the operator's clock."""
        while (left := moment - self._clock.now()) > 0:
            await self.pause(min(left, 1.0))

    async def until_known(
        self, moment: float, room: Callable[[], LiveRoom | None], *, patience: float, poll: float
    ) -> None:
        """Wait until all listeners have reported what they heard by that moment. After a restart they report it again.

        Args:
            moment: of the operator's clock.
            room: returns the room, if it is known.
            patience: seconds after which it is judged by what is known.
            poll: seconds between two looks at a room that is not known.
        """
        give_up = self._clock.now() + patience
        while (left := give_up - self._clock.now()) > 0:
            live = room()
            if live is not None and await live.until_known(moment, min(left, 1.0)):
                return
            await self.pause(poll)

    def check(self) -> None:
        """Go on, unless the run has to end.

        Raises:
            RunEnded: everything has to stop, the run was aborted, its experiment or game day is gone, its deadline has
                passed, or the clock that orders its times has stepped.
        """
        run = self._run()
        if (stopped := self._stopped()) is not None:
            raise RunEnded(stopped)
        if run.spec.abort:
            raise RunEnded(Finding(Reason.ABORT_REQUESTED, "spec.abort was set on the run", Verdict.ABORTED))
        if (finding := self._disowned(run)) is not None:
            raise RunEnded(finding)
        now = self._clock.now()
        if self._clock.steps != self._steps:
            message = "the operator's clock stepped during the run, so that its times are in no order: run it again"
            raise RunEnded(Finding(Reason.CLOCK_SKEW, message))
        if now >= from_timestamp(run.spec.deadline):
            message = f"the run was not over by its deadline, {run.spec.deadline}: look at what it waited for"
            verdict = Verdict.ABORTED if run.status.steps else Verdict.INCONCLUSIVE
            raise RunEnded(Finding(Reason.DEADLINE_EXCEEDED, message, verdict))

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):  # nothing happened meanwhile
            await asyncio.wait_for(self._news.wait(), max(0.0, seconds))
