"""Injecting: write down, act, and write down what came of it. Never twice, also after a restart."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from showstopper.api import conditions
from showstopper.api.run import ChosenPod, ExperimentRun, FaultRecord, Step, StepName, TargetRecord
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, to_timestamp
from showstopper.engine.hands.api_server import Answer, ApiServerHand, Presence
from showstopper.engine.planning import plan
from showstopper.engine.planning.plan import Plan
from showstopper.engine.runs import judging
from showstopper.engine.runs import targets as records
from showstopper.engine.runs.lasting import Lasting
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import ClusterError, Forbidden
from showstopper.faults.pods.behaviour import effect_of

log = structlog.get_logger()


class Injecting:
    """The injections of one run, through the API server."""

    def __init__(self, hand: ApiServerHand, clock: Clock, recorder: StatusWriter[ExperimentRun]) -> None:
        self._hand = hand
        self._clock = clock
        self._recorder = recorder

    @property
    def _run(self) -> ExperimentRun:
        return self._recorder.resource

    async def inject(self, made: Plan, lasting: Lasting) -> Finding | None:
        """Write the targets down, start what lasts, hit the others all at once, then write down the answers.

        Returns why what lasts could not be started; then nothing else was done.
        """
        await self._recorder.write(self._note(plan.chosen(made), to_timestamp(self._clock.now())))
        trouble = await lasting.ask(made) or await lasting.armed()
        if trouble is None:
            await self._hit(records.kills(self._run))
        return trouble

    async def inject_noted(self, made: Plan, lasting: Lasting) -> Finding | None:
        """The same for a run that was created with its targets: that is the note, and the step is written later."""
        now = to_timestamp(self._clock.now())
        note = self._note(self._run.spec.targets, now)
        if not lasting.any:
            await self._hit([records.record(pod, now) for pod in self._run.spec.targets], note=note)
            return None
        try:
            trouble = await lasting.ask(made)
        finally:  # whatever was asked for must be found there to be lifted
            await self._recorder.write(note)
        trouble = trouble or await lasting.armed()
        if trouble is None:
            await self._hit(records.kills(self._run))
        return trouble

    async def take_up(self, lasting: Lasting) -> bool:
        """After a restart of a run that was created with its targets: write down what must have been hit.

        Returns False when nothing was: no agent was asked, and every pod is there, and not being deleted.
        """
        created = self._run.metadata.creation_timestamp
        targets = [records.record(pod, created) for pod in records.by_operator(self._run, self._run.spec.targets)]
        presences = await self._presences(targets)
        if all(presence is Presence.PRESENT for presence in presences) and not await lasting.begun():
            return False
        await self._recorder.write(self._note(self._run.spec.targets, created))
        await self.resume()
        return True

    async def resume(self) -> None:
        """After a restart between the note and the answer: act only on what is certainly still as it was.

        A target that is there and not being deleted was never hit, for a deletion that was accepted leaves its mark.
        """
        unanswered = [target for target in records.kills(self._run) if target.answered_at is None]
        presences = await self._presences(unanswered)
        untouched = [
            target for target, presence in zip(unanswered, presences, strict=True) if presence is Presence.PRESENT
        ]
        await self._hit(untouched, resumed=True)

    async def _presences(self, targets: list[TargetRecord]) -> list[Presence]:
        return await asyncio.gather(*(self._hand.presence(records.pod_of(self._run, target)) for target in targets))

    def _note(self, pods: Sequence[ChosenPod], now: str) -> Callable[[ExperimentRun], None]:
        """The step, not completed, with everything that is about to be hit."""

        def intend(run: ExperimentRun) -> None:
            if judging.step(run, StepName.INJECTING) is not None:
                return  # it was written, only the answer was lost
            status = run.status
            status.steps.append(Step(name=StepName.INJECTING, started_at=now, message="before the first call"))
            status.step = StepName.INJECTING
            status.started_at = status.started_at or now
            status.targets = [records.record(pod, now) for pod in records.named(run, pods)]
            for fault in run.spec.faults:
                hit = sum(1 for pod in pods if pod.fault == fault.name)
                status.faults.append(FaultRecord(name=fault.name, kind=fault.kind, targets=hit))
            status.conditions = conditions.conditions(
                conditions.in_progress(StepName.INJECTING, f"hits {len(pods)} pods"),
                generation=run.metadata.generation,
                now=now,
                previous=status.conditions,
            )
            status.observed_generation = run.metadata.generation

        return intend

    async def _hit(
        self,
        targets: list[TargetRecord],
        *,
        note: Callable[[ExperimentRun], None] | None = None,
        resumed: bool = False,
    ) -> None:
        """Hit them, and write down what came of it; together with the note, where that was made elsewhere."""
        called = await asyncio.gather(*map(self._call, targets))
        answers = dict(zip(((target.fault, target.uid) for target in targets), called, strict=True))
        now = to_timestamp(self._clock.now())

        def complete(run: ExperimentRun) -> None:
            if note is not None:
                note(run)
            for target in run.status.targets:
                if (answer := answers.get((target.fault, target.uid))) is not None:
                    target.requested_at, target.answered_at, target.message = answer
                elif resumed and target.answered_at is None:
                    target.message = "was hit before the operator restarted; the answer was not seen"
            found = judging.step(run, StepName.INJECTING)
            if found is not None:
                found.completed_at = now
                found.message = f"{sum(fault.targets for fault in run.status.faults)} targets"

        await self._recorder.write(complete)

    async def _call(self, target: TargetRecord) -> tuple[str, str | None, str | None]:
        """Before, after, and what went wrong."""
        start = effect_of(self._run.fault(target.fault).spec, records.pod_of(self._run, target))
        before = to_timestamp(self._clock.now())
        try:
            answer = await self._hand.start(start)
        except Forbidden as error:
            log.warning("injection_forbidden", run=self._run.metadata.name, pod=target.pod, error=str(error))
            return before, None, f"{records.FORBIDDEN}: {error}"[:1024]
        except ClusterError as error:
            log.warning("injection_failed", run=self._run.metadata.name, pod=target.pod, error=str(error))
            return before, None, f"the call failed: {error}"[:1024]
        after = to_timestamp(self._clock.now())
        log.info("fault_injected", run=self._run.metadata.name, fault=target.fault, pod=target.pod, answer=answer)
        if answer is Answer.ALREADY_GONE:
            return before, None, f"{records.GONE} already: somebody else was first"
        return before, after, None

    def failure(self) -> Finding | None:
        """Why there is nothing to watch: not one call had an effect."""
        targets = self._run.status.targets
        if len(records.kills(self._run)) < len(targets) or not all(records.missed(target) for target in targets):
            return None
        message = "; ".join(sorted({target.message or "" for target in targets}))
        if message.startswith(records.GONE):
            return Finding("TargetGone", message)
        reason = "InjectionForbidden" if message.startswith(records.FORBIDDEN) else "InjectionFailed"
        return Finding(reason, message, Verdict.ERROR)
