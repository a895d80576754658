"""The record of a run: its one writer. Steps, targets, what hands report, why it ended early, and the verdict."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import structlog

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.reasons import Reason
from showstopper.api.room import ComponentImage
from showstopper.api.run import (
    MOST_BYSTANDERS,
    MOST_OTHERS,
    ChangeRecord,
    ChosenPod,
    ClockWitness,
    EarlyEnd,
    ExperimentRun,
    HostRecord,
    SourceRecord,
    Step,
    StepName,
)
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, to_timestamp
from showstopper.engine.hands import records
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.runs import windows
from showstopper.engine.runs.judging import Judgement, MeasuredBaseline
from showstopper.engine.status_writer import StatusWriter

log = structlog.get_logger()

Change = Callable[[ExperimentRun], None]


class RunRecord:
    """The status of one run. Nobody else writes it.

    A change can be deferred: it holds for whoever reads the record here, and is written together with the next one.
    That is how a run which was created with its targets is injected first and recorded after: its creation was the
    note before the effect, so the step, the targets and the answers need one request and not two.
    """

    def __init__(self, writer: StatusWriter[ExperimentRun], clock: Clock, *, note_seconds: float = 1.0) -> None:
        self._writer = writer
        self._clock = clock
        self._note_seconds = note_seconds
        self._noted = 0.0
        self._deferred: list[Change] = []
        self._ahead: ExperimentRun | None = None
        self._samples: list[SourceRecord] | None = None
        self._bystanders: list[str] = []

    @property
    def run(self) -> ExperimentRun:
        """The newest form of the run, with what is deferred."""
        return self._ahead or self._writer.resource

    @property
    def early_end(self) -> Finding | None:
        """Why the run ended before its last step, if it did."""
        early = self.run.status.ended_early
        return Finding(Reason.parse(early.reason), early.message, Verdict(early.verdict)) if early else None

    async def reread(self) -> None:
        """Read the run again.

        Raises:
            NotFound: it was deleted.
            ClusterError: it could not be read.
        """
        await self._writer.refresh()

    def on_change(self, run: ExperimentRun) -> None:
        """Take note of a change that somebody else made: the abort switch."""
        if run.spec.abort and not self.run.spec.abort:
            self._writer.resource = self._writer.resource.model_copy(update={"spec": run.spec})
            if self._ahead is not None:
                self._ahead = self._ahead.model_copy(update={"spec": run.spec})

    def begun(self, name: StepName) -> bool:
        """Whether the run has come to a step."""
        return windows.step(self.run, name) is not None

    def completed(self, name: StepName) -> bool:
        """Whether a step is over."""
        step = windows.step(self.run, name)
        return step is not None and step.completed_at is not None

    async def begin(
        self,
        name: StepName,
        message: str,
        *,
        release: Iterable[ComponentImage] = (),
        witnesses: Sequence[ClockWitness] = (),
        early: Finding | None = None,
    ) -> None:
        """A step begins now, unless it has begun.

        Args:
            name: of the step.
            message: for people.
            release: with the first step, the images that are listened to.
            witnesses: with the first step, clocks that show whether ours steps from here on.
            early: why the run ended before its last step.
        """
        now = self._now()

        def change(run: ExperimentRun) -> None:
            if windows.step(run, name) is not None:
                return  # it was written, only the answer was lost
            run.status.steps.append(Step(name=name, started_at=now, message=message))
            run.status.step = name
            run.status.release = list(release) or run.status.release
            run.status.clock_witnesses = list(witnesses) or run.status.clock_witnesses
            run.status.started_at = run.status.started_at or now
            _end_early(run, early)
            self._set_conditions(run, conditions.in_progress(Reason(name), message))

        await self._write(change)
        log.info("step_begun", run=self.run.metadata.name, step=name)

    async def complete(
        self, name: StepName, *, message: str | None = None, states: Mapping[str, FaultState] | None = None
    ) -> None:
        """A step is over. What hands report is written with it."""
        now = self._now()

        def change(run: ExperimentRun) -> None:
            _set_states(run, states or {})
            step = windows.step(run, name)
            if step is not None and step.completed_at is None:
                step.completed_at = now
                step.message = message or step.message

        await self._write(change)

    async def complete_baseline(self, baseline: MeasuredBaseline | None, broken: Finding | None) -> None:
        """The baseline is over: what the verdict needs of it is kept with that, and why there will be none, if so."""
        now = self._now()

        def change(run: ExperimentRun) -> None:
            step = windows.step(run, StepName.BASELINE)
            if step is None or step.completed_at is not None:
                return  # it was written, only the answer was lost
            step.completed_at = now
            if baseline is not None:
                run.status.baseline, run.status.windows = baseline.record, [baseline.window]
                run.status.crowd = baseline.crowd
            _end_early(run, broken)

        await self._write(change)

    async def note_targets(
        self, pods: Sequence[ChosenPod], at: str, *, deferred: bool, changes: Sequence[ChangeRecord] = ()
    ) -> None:
        """The step `Injecting` begins, with everything that is about to be hit: the note before the effect.

        Args:
            pods: the targets of all faults.
            at: when, as RFC 3339.
            deferred: the note was made elsewhere, by the run's creation.
            changes: of objects, with what was there before.
        """

        def change(run: ExperimentRun) -> None:
            if windows.step(run, StepName.INJECTING) is not None:
                return  # it was written, only the answer was lost
            status = run.status
            status.steps.append(Step(name=StepName.INJECTING, started_at=at, message="before the first call"))
            status.step = StepName.INJECTING
            status.started_at = status.started_at or at
            status.targets = [records.record(pod, at) for pod in records.named(run, pods)]
            status.faults = records.faults(run, pods)
            status.changes = list(changes)
            self._set_conditions(run, conditions.in_progress(Reason.INJECTING, f"hits {len(pods)} pods"))

        if deferred:
            self._defer(change)
        else:
            await self._write(change)

    async def flush(self) -> None:
        """Write what is deferred now."""
        if self._deferred:
            await self._write()

    async def note_states(self, states: Mapping[str, FaultState]) -> None:
        """Write what hands report: at once what is news, figures that only grow now and then."""
        if _is_news(self.run, states) or time.monotonic() - self._noted > self._note_seconds:
            self._noted = time.monotonic()
            await self._write(lambda run: _set_states(run, states))

    async def note_restarts(self, restarts: Mapping[str, str]) -> None:
        """Which container of a target was restarted, by UID of the target, in words."""
        await self._note({uid: {"restarted": words[:256]} for uid, words in restarts.items()})

    async def note_gone(self, gone: Collection[str]) -> None:
        """UIDs of targets that are found to be gone, and were not hit to that end."""
        now = self._now()
        known = {target.uid for target in self.run.status.targets if target.gone_at is not None}
        await self._note({uid: {"gone_at": now} for uid in gone if uid not in known})

    async def note_others_gone(self, pods: Sequence[str]) -> None:
        """Names of pods beside the targets that went, and that no fault of the run was meant to end."""

        def change(run: ExperimentRun) -> None:
            run.status.others_gone = list(pods[:MOST_OTHERS])

        if pods:
            await self._write(change)

    async def _note(self, news: Mapping[str, Mapping[str, str]]) -> None:
        """News of targets, by their UIDs."""

        def change(run: ExperimentRun) -> None:
            run.status.targets = [
                target.model_copy(update=news[target.uid]) if target.uid in news else target
                for target in run.status.targets
            ]

        if news:
            await self._write(change)

    def keep_samples(self, sources: list[SourceRecord]) -> None:
        """What was sampled of sources beside the listeners. It is written with whatever is written next."""
        self._samples = sources

    def keep_bystanders(self, uids: Sequence[str]) -> None:
        """More pods beside the targets that were seen. They are written with whatever is written next."""
        self._bystanders += uids

    async def note_host(self, host: HostRecord) -> None:
        """What is known of the room's managed host."""

        def change(run: ExperimentRun) -> None:
            run.status.host = host

        await self._write(change)

    async def end_early(self, finding: Finding) -> None:
        """Why the run ends before its last step. The first reason stays."""
        await self._write(lambda run: _end_early(run, finding))

    async def show(self, outlook: Outlook) -> None:
        """Show in the conditions what the run waits for, if that is news."""
        ready = conditions.find(self.run.status.conditions, conditions.ConditionType.READY)
        if ready is None or (ready.reason, ready.message) != (outlook.reason, outlook.message):
            await self._write(lambda run: self._set_conditions(run, outlook))

    async def judge(self, judgement: Judgement) -> None:
        """The last step: the verdict, and everything that it rests on."""
        decision = judgement.decision
        build = conditions.succeeded if decision.verdict is Verdict.PASSED else conditions.failed
        outlook = build(decision.reason, f"{decision.verdict}: {decision.message}")
        now = self._now()

        def change(run: ExperimentRun) -> None:
            if run.finished:
                return  # it was written, only the answer was lost
            status = run.status
            status.steps.append(Step(name=StepName.JUDGED, started_at=now, completed_at=now))
            status.step = StepName.JUDGED
            status.windows, status.expectations = judgement.windows, judgement.expectations
            status.outages, status.audible = judgement.outages, judgement.audible
            status.dead_air, status.recovery = judgement.dead_air, judgement.recovery
            status.crowd = judgement.crowd
            status.verdict, status.reason, status.message = decision.verdict, decision.reason, decision.message[:1024]
            status.finished_at = now
            status.started_at = status.started_at or now
            self._set_conditions(run, outlook)

        await self._write(change)
        log.info("run_judged", run=self.run.metadata.name, verdict=decision.verdict, reason=decision.reason)

    def _now(self) -> str:
        return to_timestamp(self._clock.now())

    def _defer(self, change: Change) -> None:
        run = self.run
        self._ahead = run.model_copy(update={"status": run.status.model_copy(deep=True)})
        change(self._ahead)
        self._deferred.append(change)

    async def _write(self, change: Change = lambda _: None) -> None:
        changes = [*self._deferred, change]

        def apply(run: ExperimentRun) -> None:
            for each in changes:
                each(run)
            if self._samples is not None:
                run.status.sources = self._samples
            seen = dict.fromkeys((*run.status.bystanders, *self._bystanders))
            run.status.bystanders = list(seen)[:MOST_BYSTANDERS]

        await self._writer.write(apply)
        self._deferred.clear()
        self._ahead = None

    def _set_conditions(self, run: ExperimentRun, outlook: Outlook) -> None:
        run.status.conditions = conditions.conditions(
            outlook, generation=run.metadata.generation, now=self._now(), previous=run.status.conditions
        )
        run.status.observed_generation = run.metadata.generation


def _end_early(run: ExperimentRun, finding: Finding | None) -> None:
    if finding is not None and run.status.ended_early is None:
        run.status.ended_early = EarlyEnd(
            reason=finding.reason, message=finding.message[:1024], verdict=finding.verdict
        )


def _set_states(run: ExperimentRun, states: Mapping[str, FaultState]) -> None:
    """Write faults, targets and changes as hands report them. Of targets that Injections have, only the worst."""
    whole = records.named_whole(run)
    run.status.faults = [
        states[record.name].record if record.name in states else record for record in run.status.faults
    ]
    others = [target for target in run.status.targets if target.fault not in states]
    each = [target for name, state in states.items() if name in whole for target in state.targets]
    some = [target for name, state in states.items() if name not in whole for target in state.targets]
    run.status.targets = others + each + records.worst(some)
    changed = {change.key: change for state in states.values() for change in state.changes}
    run.status.changes = [changed.get(change.key, change) for change in run.status.changes]


def _is_news(run: ExperimentRun, states: Mapping[str, FaultState]) -> bool:
    """Whether a fault was proven, reverted or cut short, or a target that the status names, or a change, is another."""
    whole = records.named_whole(run)
    known_changes = {change.key: change for change in run.status.changes}
    for record in run.status.faults:
        if (state := states.get(record.name)) is None:
            continue
        now = state.record
        if (record.proven, record.reverted, record.cut_short) != (now.proven, now.reverted, now.cut_short):
            return True
        known = [target for target in run.status.targets if target.fault == record.name]
        if record.name in whole and known != list(state.targets):
            return True
        if any(known_changes.get(change.key) != change for change in state.changes):
            return True
    return False
