"""Hold: faults that last are kept up for as long as each is declared to last, and watched meanwhile."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from showstopper.api.experiment import Fault, longest
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, StepName
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.runs import windows
from showstopper.engine.runs.context import RunContext
from showstopper.engine.runs.steps.inject import recorded


class Hold:
    """Keep the Lease and the faults. Lift each at its end. A run of kills alone has nothing to hold."""

    closing: ClassVar[bool] = False
    failed: ClassVar[Reason] = Reason.API_SERVER_FAILED

    async def run(self, context: RunContext) -> Finding | None:
        """Returns what ended a fault before its time."""
        record = context.record
        lasting = [each for each in recorded(context.run) if each.fault.spec.is_held]
        if not lasting or record.begun(StepName.REVERTING):
            return None
        # After a restart the Lease is nobody's until it is held again.
        if (trouble := await context.hands.start(context.run, lasting, again=True)) is not None:
            return trouble
        seconds = longest(context.run.spec.faults).total_seconds()
        await record.begin(StepName.ACTIVE, f"the faults last {seconds:g} s")
        return await self._until_over(context, _ends(context))

    async def _until_over(self, context: RunContext, left: dict[str, float]) -> Finding | None:
        """Hold each fault until its end, then lift it until nothing is left to do. The last ones are left to Revert.

        To lift may take several calls: a crowd is taken down in steps, and the API server may refuse a write.
        """
        ending: set[str] = set()
        while left:
            states = await context.observe()
            await context.record.note_states(states)
            if (trouble := _trouble(states, left)) is not None:
                return trouble
            over = {name for name, end in left.items() if context.clock.now() >= end or _done(states, name)}
            left = {name: end for name, end in left.items() if name not in over}
            if (trouble := _lifted_early(states, left)) is not None:
                return trouble
            ending = over | {name for name in ending if _is_left(states, name)}
            if ending:
                await context.hands.lift(context.run, ending)
            if (since := windows.injected_at(context.run)) is not None:
                context.check_abort(since, context.clock.now())
            await context.hands.follow(context.run, left.keys())
            if left:
                await context.wait.pause(min(context.pace.look, max(0.0, min(left.values()) - context.clock.now())))
        return None


def _ends(context: RunContext) -> dict[str, float]:
    """When each fault is to end, in Unix seconds. A signal that asks processes to end gets them some time."""
    step = windows.step(context.run, StepName.ACTIVE)
    assert step is not None
    began = from_timestamp(step.started_at)
    return {
        fault.name: began + (fault.duration.total_seconds() if fault.duration else context.pace.end)
        for fault in _lasting(context.run)
    }


def _lasting(run: ExperimentRun) -> list[Fault]:
    return [fault for fault in run.spec.faults if fault.spec.is_held]


def _done(states: Mapping[str, FaultState], name: str) -> bool:
    return name in states and states[name].done


def _is_left(states: Mapping[str, FaultState], name: str) -> bool:
    """Whether a fault that was lifted is not over yet. One whose Injections somebody deleted has nothing left."""
    return name in states and not states[name].over


def _trouble(states: Mapping[str, FaultState], names: Collection[str]) -> Finding | None:
    for name in sorted(names):
        if name not in states:
            return Finding(Reason.INJECTION_LOST, f"fault {name} has no Injection any more: somebody deleted it")
        if (trouble := states[name].trouble) is not None:
            return trouble
    return None


def _lifted_early(states: Mapping[str, FaultState], names: Collection[str]) -> Finding | None:
    """A fault whose end was asked for, though it is not over: an operator that died had begun to end the run."""
    early = sorted(name for name in names if states[name].lifting)
    if not early:
        return None
    message = f"fault {', '.join(early)} was lifted before its end, and the record does not say why: run it again"
    return Finding(Reason.LIFTED_EARLY, message)
