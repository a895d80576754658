"""Patience: how a run waits for a time, a turn or news, and what ends it while it does."""

import asyncio
import contextlib
from collections.abc import Callable

from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, from_timestamp
from showstopper.engine.rooms import LiveRoom
from showstopper.errors import ShowstopperError

# The last spans of a window are on their way for a second or two (the feeds are pulled every second).
FEED_SECONDS = 8.0
POLL_SECONDS = 0.2


class Ended(ShowstopperError):
    """The run ends before its last step."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Patience:
    """The waiting of one run.

    Args:
        run: tells its newest form.
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

    def wake(self) -> None:
        """Something happened: look again."""
        self._news.set()

    async def pause(self, seconds: float) -> None:
        """Wait, but not for longer than until something happens.

        Raises:
            Ended: as `check`.
        """
        self._news.clear()
        self.check()
        deadline = from_timestamp(self._run().spec.deadline) - self._clock.now()
        with contextlib.suppress(TimeoutError):  # nothing happened meanwhile
            await asyncio.wait_for(self._news.wait(), max(0.0, min(seconds, deadline)))
        self.check()

    async def until(self, moment: float) -> None:
        """Wait for a moment of the operator's clock."""
        while (left := moment - self._clock.now()) > 0:
            await self.pause(min(left, 1.0))

    async def until_known(self, moment: float, room: Callable[[], LiveRoom | None]) -> None:
        """Until all listeners have told what they heard by that moment. After a restart they tell it all again."""
        give_up = self._clock.now() + FEED_SECONDS
        while (left := give_up - self._clock.now()) > 0:
            found = room()
            if found is not None and await found.until_known(moment, min(left, 1.0)):
                return
            await self.pause(POLL_SECONDS)

    def check(self) -> None:
        """Go on, unless the run has to end.

        Raises:
            Ended: all has to stop, the run was aborted, its experiment or game day is gone, or its deadline has passed.
        """
        run = self._run()
        if (stopped := self._stopped()) is not None:
            raise Ended(stopped)
        if run.spec.abort:
            raise Ended(Finding("AbortRequested", "spec.abort was set on the run", Verdict.ABORTED))
        if (finding := self._disowned(run)) is not None:
            raise Ended(finding)
        if self._clock.now() >= from_timestamp(run.spec.deadline):
            message = f"the run was not over by its deadline, {run.spec.deadline}: look at what it waited for"
            verdict = Verdict.ABORTED if run.status.steps else Verdict.INCONCLUSIVE
            raise Ended(Finding("DeadlineExceeded", message, verdict))
