"""Revert: everything is lifted, hands say that nothing is left, and that is written down.

It acts first and records when it can: what is recorded too late is found again, and what is lifted too late is heard.
So the calls that lift go out beside the write that begins the step, and that write says why the run ends early, if it
does: an operator that dies in between finds either the reason in the record, or faults that nobody else has lifted.

The Lease is renewed until all hands are done, and let go whatever happens: what nobody could lift expires with it.
"""

import asyncio
import time
from typing import ClassVar

from showstopper.api.reasons import Reason
from showstopper.api.run import StepName
from showstopper.availability.verdict import Finding
from showstopper.engine.hands import records
from showstopper.engine.runs.context import RunContext


class Revert:
    """Lift, verify, sweep. May be done again."""

    closing: ClassVar[bool] = True
    failed: ClassVar[Reason] = Reason.REVERT_FAILED

    async def run(self, context: RunContext) -> Finding | None:
        """Returns nothing: what is left over is in the faults' records."""
        record, early = context.record, next(iter(context.findings), None)
        if not record.begun(StepName.INJECTING) or record.completed(StepName.REVERTING):
            return None
        faults = records.held(context.run)
        if not faults or (context.hands.untouched and not context.run.status.changes):
            if early is not None:
                await record.end_early(early)
            return None
        try:
            await self._begin(context, faults, early)
            await self._until_over(context, faults)
            await context.hands.sweep(context.run)
        finally:
            context.hands.let_go()
        return None

    async def _begin(self, context: RunContext, faults: set[str], early: Finding | None) -> None:
        message = "lifts the faults, and looks for what is left of them"
        recorded = asyncio.ensure_future(context.record.begin(StepName.REVERTING, message, early=early))
        try:
            await context.hands.lift(context.run, faults)
        finally:
            await recorded

    async def _until_over(self, context: RunContext, faults: set[str]) -> None:
        give_up = time.monotonic() + context.pace.lift
        late = False
        while True:
            states = await context.hands.observe(context.run)
            if late or all(state.over for name, state in states.items() if name in faults):
                break
            await context.wait.for_news(context.pace.look)
            late = time.monotonic() > give_up
            await context.hands.lift(context.run, faults, late=late)
        await context.record.complete(StepName.REVERTING, states=states)
