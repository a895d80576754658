"""Recovering: the room is watched after the fault, which is proven meanwhile; an `abortIf` may end it early."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from showstopper.api.run import ExperimentRun, StepName
from showstopper.api.verdicts import Verdict
from showstopper.availability import abort
from showstopper.availability.abort import AbortCondition
from showstopper.availability.indicators import Recovery
from showstopper.clock import Clock
from showstopper.engine.rooms import LiveRoom
from showstopper.engine.runs import judging
from showstopper.engine.runs.proving import Proving
from showstopper.engine.runs.record import Journal
from showstopper.engine.runs.waiting import POLL_SECONDS, Ended, Patience

# How long a fault may take to be proven, where the recovery is shorter.
PROOF_SECONDS = 15.0


class Recovering:
    """The step `Recovering` of one run; `room` finds its room."""

    def __init__(
        self,
        *,
        run: Callable[[], ExperimentRun],
        clock: Clock,
        journal: Journal,
        patience: Patience,
        proving: Proving,
        room: Callable[[], LiveRoom | None],
    ) -> None:
        self._run = run
        self._clock = clock
        self._journal = journal
        self._patience = patience
        self._proving = proving
        self._room = room

    async def watch(self) -> None:
        """Until the recovery is over and the fault is proven, or can no longer be.

        Raises:
            Ended: an `abortIf` was met, or the run has to end for another reason.
        """
        run = self._run()
        window = judging.judged_window(run)
        assert window is not None, "an injection has a time"
        if judging.step(run, StepName.RECOVERING) is None:
            seconds = run.spec.timing.recovery.total_seconds()
            await self._journal.begin(StepName.RECOVERING, f"watches the room for {seconds:g} s")
        start = judging.ended_at(run) or window.start
        proof_until = max(window.end, start + PROOF_SECONDS)
        stops = judging.abort_conditions(run.spec.abort_if)
        while self._clock.now() < window.end or (not self._proving.proven() and self._clock.now() < proof_until):
            room = self._room()
            await self._proving.prove(room)
            if room is not None and self._clock.now() < window.end:
                self._stop_if(stops, room, window.start, start)
            left = window.end - self._clock.now()
            await self._patience.pause(min(POLL_SECONDS, left) if left > 0 else POLL_SECONDS)
        await self._patience.until_known(window.end, self._room)
        await self._proving.prove(self._room())
        await self._journal.complete(StepName.RECOVERING)

    async def check(self) -> None:
        """The same while faults last: what is in time is proven, and an `abortIf` may end it.

        Raises:
            Ended: one was met.
        """
        run, room = self._run(), self._room()
        await self._proving.prove(room)
        since = judging.injected_at(run)
        if room is not None and since is not None:
            self._stop_if(judging.abort_conditions(run.spec.abort_if), room, since, self._clock.now())

    def _stop_if(self, stops: Sequence[AbortCondition], room: LiveRoom, since: float, recovery: float) -> None:
        now = self._clock.now()
        for condition in stops:
            finding = abort.breached(
                condition, room.timeline, room.residents, since=since, now=now, recovery=Recovery(recovery)
            )
            if finding is not None:
                raise Ended(replace(finding, verdict=Verdict.ABORTED))
