"""Journal: the steps of one run as they are written into its status, each in one patch with its conditions."""

from collections.abc import Callable, Iterable

import structlog

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.room import ComponentImage
from showstopper.api.run import ExperimentRun, Step, StepName
from showstopper.api.verdicts import Verdict
from showstopper.clock import Clock, to_timestamp
from showstopper.engine.runs import judging
from showstopper.engine.runs.judging import Judgement
from showstopper.engine.status_writer import StatusWriter

log = structlog.get_logger()


class Journal:
    """Writes the record of one run."""

    def __init__(self, recorder: StatusWriter[ExperimentRun], clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock

    @property
    def _run(self) -> ExperimentRun:
        return self._recorder.resource

    async def begin(self, name: StepName, message: str, *, release: Iterable[ComponentImage] = ()) -> None:
        """A step begins now; with the first one, the release that is listened to."""
        now = to_timestamp(self._clock.now())

        def change(run: ExperimentRun) -> None:
            if judging.step(run, name) is not None:
                return  # it was written, only the answer was lost
            run.status.steps.append(Step(name=name, started_at=now, message=message))
            run.status.step = name
            run.status.release = list(release) or run.status.release
            run.status.started_at = run.status.started_at or now
            self._set(run, conditions.in_progress(name, message))

        await self._recorder.write(change)
        log.info("step_begun", run=self._run.metadata.name, step=name)

    async def complete(self, name: StepName, also: Callable[[ExperimentRun], None] = lambda _: None) -> None:
        """A step is over; what else is known then is written with it."""
        now = to_timestamp(self._clock.now())

        def change(run: ExperimentRun) -> None:
            also(run)
            found = judging.step(run, name)
            if found is not None and found.completed_at is None:
                found.completed_at = now

        await self._recorder.write(change)

    async def say(self, outlook: Outlook) -> None:
        """Write where the run stands, if that is news."""
        ready = conditions.find(self._run.status.conditions, conditions.ConditionType.READY)
        if ready is None or (ready.reason, ready.message) != (outlook.reason, outlook.message):
            await self._recorder.write(lambda run: self._set(run, outlook))

    async def judge(self, judged: Judgement) -> None:
        """The last step: everything that was found."""
        decision = judged.decision
        build = conditions.succeeded if decision.verdict is Verdict.PASSED else conditions.failed
        outlook = build(decision.reason, f"{decision.verdict}: {decision.message}")
        now = to_timestamp(self._clock.now())

        def change(run: ExperimentRun) -> None:
            if run.finished:
                return  # it was written, only the answer was lost
            status = run.status
            status.steps.append(Step(name=StepName.JUDGED, started_at=now, completed_at=now))
            status.step = StepName.JUDGED
            status.windows, status.expectations, status.outages = judged.windows, judged.expectations, judged.outages
            status.audible, status.dead_air, status.recovery = judged.audible, judged.dead_air, judged.recovery
            status.verdict, status.reason, status.message = decision.verdict, decision.reason, decision.message[:1024]
            status.finished_at = now
            status.started_at = status.started_at or now
            self._set(run, outlook)

        await self._recorder.write(change)
        log.info("run_judged", run=self._run.metadata.name, verdict=decision.verdict, reason=decision.reason)

    def _set(self, run: ExperimentRun, outlook: Outlook) -> None:
        run.status.conditions = conditions.conditions(
            outlook,
            generation=run.metadata.generation,
            now=to_timestamp(self._clock.now()),
            previous=run.status.conditions,
        )
        run.status.observed_generation = run.metadata.generation
