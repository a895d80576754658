"""The runner: takes a run from step to step, and goes on from its record after a restart."""

from collections.abc import Callable

import structlog

from showstopper.api import conditions
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, StepName
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.injections import answers
from showstopper.engine.runs.context import Proposal, RunContext, Services
from showstopper.engine.runs.record import RunRecord
from showstopper.engine.runs.sampling import Sampler
from showstopper.engine.runs.steps import STEPS, Judge, Step
from showstopper.engine.runs.waiting import RunEnded, RunWait
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import AgentsDisabled, ClusterError, Invalid, NotFound, Unavailable

log = structlog.get_logger()


class Runner:
    """One run. Every decision rests on the record and the room's timeline. Nothing that matters is kept in memory."""

    def __init__(self, services: Services, writer: StatusWriter[ExperimentRun]) -> None:
        record = RunRecord(writer, services.clock, note_seconds=services.pace.note)
        wait = RunWait(lambda: record.run, services.clock, disowned=services.disowned, stopped=services.stopped)
        hands = services.hands.hands(record.run, pause=wait.pause, news=wait.wake)
        self._record, self._wait, self._hands = record, wait, hands
        self._sampler = Sampler(record, services.sources, services.clock, every=services.pace.sample)
        resumed = record.begun(StepName.INJECTING)
        self._context = RunContext(services, record, wait, hands, self._sampler, resumed=resumed)

    @property
    def run(self) -> ExperimentRun:
        """The newest form of the run."""
        return self._record.run

    def on_change(self, run: ExperimentRun) -> None:
        """Take note of a change that somebody else made: the abort switch."""
        self._record.on_change(run)
        self._wait.wake()

    def wake(self) -> None:
        """Look again: another run is over, or everything has to stop."""
        self._wait.wake()

    async def wait_for_turn(self, blocked_by: Callable[[], ExperimentRun | None]) -> Finding | None:
        """Queue until no run is ahead. Returns why the run must end without having begun, if it must."""
        try:
            while (ahead := blocked_by()) is not None:
                message = f"waits for run {self._named(ahead)}, which goes first"
                await self._record.show(conditions.in_progress(Reason.WAITING_FOR_ROOM, message))
                await self._wait.pause(1.0)
        except RunEnded as ended:
            return ended.finding
        return None

    def _named(self, other: ExperimentRun) -> str:
        namespace, name = other.key
        return name if namespace == self.run.metadata.namespace else f"{namespace}/{name}"

    async def execute(self, first: Proposal | None, ended: Finding | None) -> None:
        """Carry the run to its verdict, or on to it from where its record says that it is.

        Why it ended early is read first: an operator that died between revert and verdict had decided that already.

        Args:
            first: what it was created to hit, in this very moment.
            ended: why it must end without having begun.

        Raises:
            NotFound: the run was deleted.
            Unavailable: it cannot be recorded now. It goes on from its record when it can.
        """
        self._wait.begin()
        self._context.first = first
        self._context.findings = [finding for finding in (self._record.early_end, ended) if finding is not None]
        async with self._sampler.running():
            for step in STEPS:
                if self._context.findings and not step.closing:
                    continue
                if (finding := await self._take(step)) is not None:
                    self._context.findings.append(finding)

    def end(self) -> None:
        """Nothing more of the run is done here. What agents keep up ends with its Lease."""
        self._hands.close()

    async def _take(self, step: Step) -> Finding | None:
        """Take a step. Whatever breaks in it must end in a verdict too, and never in Passed."""
        if isinstance(step, Judge):
            return await self._judge(step)
        try:
            if not step.closing:
                self._wait.check()  # also after a restart: what was not hit before is not hit any more
            return await step.run(self._context)
        except RunEnded as ended:
            return ended.finding
        except AgentsDisabled as failure:
            return answers.disabled(self.run, failure)
        except Unavailable:
            self._hands.let_go()  # it goes on from its record
            raise
        except ClusterError as failure:
            if isinstance(failure, NotFound):
                await self._reread()
            then = ": what was injected expires with the run's Lease" if step.closing else ""
            return Finding(step.failed, f"{failure}{then}", Verdict.ERROR)
        except Exception as failure:
            log.exception("run_broke", run=self.run.metadata.name)
            return _broken(failure)

    async def _judge(self, judge: Judge) -> Finding | None:
        """Judge the run. One whose judging breaks ends, too: without an end it would keep its room from all others."""
        try:
            return await judge.run(self._context)
        except Unavailable:
            self._hands.let_go()  # it goes on from its record
            raise
        except Exception as failure:
            if isinstance(failure, NotFound):
                await self._reread()
            elif isinstance(failure, ClusterError) and not isinstance(failure, Invalid):
                raise
            log.exception("run_broke", run=self.run.metadata.name)
            await judge.give_up(self._context, _broken(failure))
            return None

    async def _reread(self) -> None:
        """Read the run again, for something was not found: the run itself, or any object that it needs.

        A run that is there has to end with a verdict, whatever else is gone. One that was deleted ends here.

        Raises:
            NotFound: the run was deleted.
            ClusterError: it could not be read.
        """
        try:
            await self._record.reread()
        except ClusterError:
            self._hands.let_go()
            raise


def _broken(failure: Exception) -> Finding:
    message = f"{type(failure).__name__}: {failure}; the operator's log has more"
    return Finding(Reason.ENGINE_FAILED, message, Verdict.ERROR)
