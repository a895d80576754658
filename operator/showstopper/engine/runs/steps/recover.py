"""Recover: the room is watched after the fault, which is proven meanwhile. An `abortIf` may end it early."""

from typing import ClassVar

from showstopper.api.faults.base import Aim
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, StepName
from showstopper.availability.verdict import Finding
from showstopper.engine.hands import records
from showstopper.engine.planning.plan import Snapshot
from showstopper.engine.runs import interference, judging, windows
from showstopper.engine.runs.context import RunContext
from showstopper.engine.runs.waiting import RunEnded
from showstopper.faults.effects import Pod


class Recover:
    """Watch until the recovery is over and every fault is proven, or can no longer be."""

    closing: ClassVar[bool] = False
    failed: ClassVar[Reason] = Reason.API_SERVER_FAILED

    async def run(self, context: RunContext) -> Finding | None:
        """Returns the first fault that had no effect, or ended while nobody had asked for that."""
        if not context.record.completed(StepName.RECOVERING):
            try:
                await self._watch(context)
            except RunEnded as ended:
                await context.record.end_early(ended.finding)
                raise
        return unproven(context.run) or await _disturbed(context)

    async def _watch(self, context: RunContext) -> None:
        run, record, clock = context.run, context.record, context.clock
        window = windows.judged_window(run)
        assert window is not None, "an injection has a time"
        seconds = run.spec.timing.recovery.total_seconds()
        await record.begin(StepName.RECOVERING, f"watches the room for {seconds:g} s")
        start = windows.ended_at(run) or window.start
        proof_until = max(window.end, start + context.pace.proof)
        while clock.now() < window.end or (not context.proof.complete(context.run) and clock.now() < proof_until):
            await record.note_states(await context.observe())
            if clock.now() < window.end:
                context.check_abort(window.start, start)
            left = window.end - clock.now()
            await context.wait.pause(min(context.pace.poll, left) if left > 0 else context.pace.poll)
        await _note_gone(context)
        await context.until_known(window.end)
        room = context.room()
        if room is not None and judging.undecided(run, room.timeline, context.residents):
            await context.until_known(window.end + judging.FOLLOWING_SECONDS)
        await context.sampler.sample()  # the sample before speaks for the window's last moments only up to this one
        await record.complete(StepName.RECOVERING, states=await context.observe())


async def _disturbed(context: RunContext) -> Finding | None:
    """Why the faults were not alone, or spared somebody. Read once, when all is over: a probe's kill comes late."""
    if not records.by_injections(context.run):
        return None
    snapshot = await context.services.snapshots.of_run(context.run)
    containers = interference.restarted(context.run, _pods(snapshot))
    await context.record.note_restarts(
        {uid: interference.described(container) for uid, container in containers.items()}
    )
    doors = snapshot.fleet.get(Aim.DOOR, ())
    return interference.told_to_end(context.run, containers) or interference.came_beside(context.run, doors)


async def _note_gone(context: RunContext) -> None:
    """Which targets, and pods beside them, are gone when the recovery is over. Who goes later is no cause."""
    snapshot = await context.services.snapshots.of_run(context.run)
    await context.record.note_gone(interference.gone(context.run, _pods(snapshot)))
    await context.record.note_others_gone(context.bystanders.gone(context.run, snapshot.staying))


def _pods(snapshot: Snapshot) -> list[Pod]:
    return [pod for group in (*snapshot.pods.values(), *snapshot.fleet.values()) for pod in group]


def unproven(run: ExperimentRun) -> Finding | None:
    """The first fault that lasts and did nothing to some target, or was cut short. None if there is none."""
    for fault in run.status.faults:
        if fault.cut_short is not None:
            return Finding(Reason.parse(fault.cut_short), fault.message or "it ended before its time")
        if fault.name in records.held(run) and not fault.proven:
            reason = Reason.parse(fault.reason or Reason.NO_EFFECT)
            return Finding(reason, f"fault {fault.name} {fault.message or 'is not proven'}")
    return None
