"""Inject: the targets are written down, then hit. Never twice, wherever the operator dies.

The note comes before the effect. A run that begins with its injection is created with its targets: then that is the
note, and the step is recorded together with the answers.

What lasts is armed first, and kills come last: a kill whose partner could not be armed would test nothing, and is not
done, in no life of the operator.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, StepName
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import to_timestamp
from showstopper.engine.hands import records
from showstopper.engine.hands.injections import answers
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.planning import plan
from showstopper.engine.planning.plan import Plan, PlannedFault
from showstopper.engine.runs.context import RunContext


class Inject:
    """Plan, note, and hit. After a restart hit only what is certainly untouched."""

    closing: ClassVar[bool] = False
    failed: ClassVar[Reason] = Reason.API_SERVER_FAILED

    async def run(self, context: RunContext) -> Finding | None:
        """Returns why nothing was injected, or not everything."""
        record = context.record
        if record.completed(StepName.INJECTING):
            return _nothing_hit(context.run)
        if record.begun(StepName.INJECTING) or await self._begun_before(context):
            planned: Sequence[PlannedFault] = recorded(context.run)
            again = True
        else:
            made = await self._plan(context)
            if isinstance(made, Finding):
                return made
            context.wait.check()
            context.hold_fleet()
            # The creation of a run with its targets was the note: then the step is written with the answers.
            deferred = context.first is not None
            at = to_timestamp(context.clock.now())
            await record.note_targets(plan.chosen(made), at, deferred=deferred, changes=plan.changes(made, at))
            planned, again = made.faults, False
        trouble = await self._inject(context, planned, again=again)
        return trouble or _nothing_hit(context.run)

    async def _begun_before(self, context: RunContext) -> bool:
        """Whether an earlier life of the operator has touched a target of a run that was created with them.

        If so, all of it is noted as of the run's creation. If every pod is there untouched, and no agent was asked,
        the run begins anew.
        """
        run = context.run
        if not run.spec.targets or context.first is not None:
            return False
        noted = run.model_copy(update={"status": run.status.model_copy(deep=True)})
        created = run.metadata.creation_timestamp
        noted.status.targets = [records.record(pod, created) for pod in run.spec.targets]
        noted.status.faults = records.faults(run, run.spec.targets)
        states = await context.hands.observe(noted)
        if not any(state.touched for state in states.values()):
            return False
        await context.record.note_targets(run.spec.targets, created, deferred=False)
        return True

    async def _plan(self, context: RunContext) -> Plan | Finding:
        """The confirmed plan that the run was created with, or one from what there is now."""
        if context.first is not None:
            return await context.first.confirmation or context.first.plan
        spec, snapshot = context.run.spec, context.snapshot or await context.services.snapshots.of_run(context.run)
        if spec.targets:
            made = plan.again(snapshot, spec.faults, spec.targets, spec.seed)
        else:
            made = plan.make(snapshot, spec.faults, spec.seed)
        return await context.services.snapshots.objection(made, context.run.room) or made

    async def _inject(self, context: RunContext, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        lasting = [each for each in planned if each.fault.spec.is_held]
        kills = [each for each in planned if not each.fault.spec.is_held]
        if lasting and (trouble := await self._arm(context, lasting, again=again)) is not None:
            return trouble
        if kills:
            await context.hands.start(context.run, kills, again=again)
        states = await context.hands.observe(context.run)
        hit = sum(fault.targets for fault in context.run.status.faults)
        await context.record.complete(StepName.INJECTING, message=f"{hit} targets", states=states)
        pods = ", ".join(f"{target.fault} on {target.pod}" for target in context.run.status.targets)
        context.tell(Reason.FAULT_INJECTED, pods, "Inject")
        return None

    async def _arm(self, context: RunContext, lasting: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Start what lasts, and wait until all of it is in force. Gates of the crowd open when everything else is."""
        try:
            trouble = await context.hands.start(context.run, lasting, again=again)
        finally:  # whatever was asked for must be found in the record to be lifted
            await context.record.flush()
        trouble = trouble or await self._until_armed(context)
        if trouble is None and not again and await context.hands.open_gates(context.run, lasting):
            trouble = await self._until_armed(context)
        return trouble

    async def _until_armed(self, context: RunContext) -> Finding | None:
        """Wait until everything that lasts is set up. Returns why it could not be."""
        give_up = context.clock.now() + context.pace.arm
        names = records.held(context.run)
        while True:
            states = await context.hands.observe(context.run)
            lasting = [states[name] for name in sorted(names) if name in states]
            if (trouble := next((state.trouble for state in lasting if state.trouble), None)) is not None:
                return trouble
            if len(lasting) == len(names) and all(state.armed for state in lasting):
                return None
            if context.clock.now() > give_up:
                return _not_armed(names, states)
            await context.wait.pause(context.pace.look)


def _not_armed(names: Collection[str], states: Mapping[str, FaultState]) -> Finding:
    """Why not everything was set up in time: agents that do not answer, or that were never asked."""
    if states and (unasked := sorted(set(names) - states.keys())):
        message = f"fault {', '.join(unasked)} has no Injection: the operator ended before all were made"
        return Finding(Reason.INJECTION_LOST, message)
    return answers.unanswered({executor for state in states.values() for executor in state.silent})


def recorded(run: ExperimentRun) -> list[PlannedFault]:
    """The faults of a run with the targets that its record names."""
    return [
        PlannedFault(
            fault, tuple(records.pod_of(run, target) for target in run.status.targets if target.fault == fault.name), ()
        )
        for fault in run.spec.faults
    ]


def _nothing_hit(run: ExperimentRun) -> Finding | None:
    """Why there is nothing to watch: not one call had an effect."""
    targets = run.status.targets
    if len(records.kills(run)) < len(targets) or not all(records.missed(target) for target in targets):
        return None
    message = "; ".join(sorted({target.message or "" for target in targets}))
    reasons = {target.reason for target in targets}
    reason = next((reason for reason in records.MISSED if reason in reasons), Reason.INJECTION_FAILED)
    ours = reason in {Reason.INJECTION_FORBIDDEN, Reason.INJECTION_FAILED}
    return Finding(reason, message, Verdict.ERROR if ours else Verdict.INCONCLUSIVE)
