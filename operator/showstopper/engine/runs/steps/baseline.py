"""Baseline: the room is heard, its release has settled, and listeners are watched before the fault."""

from typing import ClassVar

from showstopper.api import conditions
from showstopper.api.reasons import Reason
from showstopper.api.run import StepName
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.planning import policies
from showstopper.engine.rooms import LiveRoom
from showstopper.engine.rooms.listening.collector import REPORTING_SECONDS
from showstopper.engine.rooms.releases import DeployedReleases
from showstopper.engine.runs import crowds, judging, windows
from showstopper.engine.runs.context import RunContext
from showstopper.errors import InvalidResource


class Baseline:
    """Watch the room for as long as the baseline lasts. A run without one goes straight to its injection."""

    closing: ClassVar[bool] = False
    failed: ClassVar[Reason] = Reason.API_SERVER_FAILED

    async def run(self, context: RunContext) -> Finding | None:
        """Returns why the room is in no state to tell what a fault does to it."""
        record, seconds = context.record, context.run.spec.timing.baseline.total_seconds()
        if not seconds or record.begun(StepName.INJECTING):
            return None
        context.first = None  # what was planned when the run was created may have changed by the end of this
        if not record.begun(StepName.BASELINE):
            if (refused := await context.sampler.sample() or crowds.nobody(context.run)) is not None:
                return refused
            await _wait_for_room(context, context.pace.room)
            deployed = await _wait_for_release(context)
            if (other := context.room_changed() or _several_releases(context, deployed)) is not None:
                return other
            context.hold_fleet()
            context.note_bystanders()
            message = f"watches the room for {seconds:g} s before the fault"
            await record.begin(StepName.BASELINE, message, release=deployed.images, witnesses=context.witnesses())
        step = windows.step(context.run, StepName.BASELINE)
        assert step is not None
        end = from_timestamp(step.started_at) + seconds
        await context.wait.until(end)
        if not record.completed(StepName.BASELINE) and (broken := await _measure(context, end)) is not None:
            return broken
        context.snapshot = await context.services.snapshots.of_run(context.run)
        return policies.served_by_others(context.snapshot)


async def _measure(context: RunContext, end: float) -> Finding | None:
    """Measure the baseline once and for all, and keep that. Returns why no fault would tell anything about the room."""
    await context.until_known(end)
    await context.note_host()
    room, run = context.room(), context.run
    timeline, clocks = (room.timeline, room.hosts.clocks) if room is not None else (None, ())
    counts = room.door.log if room is not None else None
    before = judging.baseline_view(run, timeline, context.residents, host_clocks=clocks, counts=counts)
    crowd = crowds.baseline_view(run, room.crowd.timeline if room is not None else None)
    broken = context.clock_skew() or judging.broken_baseline(run, before, crowd)
    await context.record.complete_baseline(judging.measure_baseline(run, before, context.residents, crowd), broken)
    return broken


async def _wait_for_room(context: RunContext, patience: float, *, since: float | None = None) -> None:
    """Until the room is ready, or has been measured for long enough to say that it is not.

    Args:
        context: of the run.
        patience: seconds after which it is measured anyway.
        since: from when on they count, in Unix seconds. Default: since the room's listeners report.
    """
    while True:
        room = context.room()
        if room is not None:
            begun = since if since is not None else room.reporting_since
            if _is_heard(context, room) or (begun is not None and context.clock.now() - begun > patience):
                return
        message = "waits until the listeners of the room hear the host"
        await context.record.show(conditions.in_progress(Reason.WAITING_FOR_ROOM, message))
        await context.wait.pause(0.5)


def _is_heard(context: RunContext, room: LiveRoom) -> bool:
    """Whether all hear the host of whom the run expects something."""
    crowd = not crowds.is_asked(context.run) or room.crowd.is_live(context.run.room, context.clock.now())
    return room.ready and room.complete and crowd


def _several_releases(context: RunContext, deployed: DeployedReleases) -> Finding | None:
    """Why a verdict would be on no release: not all pods that the run is about are of the same one.

    It is about the components that it aims at, and about those that are heard: a canary that carries no sound would
    pass by what the pods beside it do.
    """
    aimed = {fault.component for fault in context.run.spec.faults}
    room = context.room()
    heard = room.serving_components() if room is not None else frozenset[str]()
    several = [why for component, why in deployed.several.items() if component in aimed | heard]
    if not several:
        return None
    message = (
        f"{several[0]}, and a verdict would be on neither: finish or roll back the canary, or run in a room whose "
        "component selects the pods of one version alone"
    )
    return Finding(Reason.SEVERAL_RELEASES, message[:1024])


async def _wait_for_release(context: RunContext) -> DeployedReleases:
    """Until a rollout is over, or pods had time to start: the run is about the images that are there then.

    After a rollout, or the end of pods that were on their way out, the room has to be heard again: how it bears that is
    not what the run is about. Its listeners lose the last of those pods just when the release is settled.
    """
    patience = context.clock.now() + context.pace.room
    moved = bool(context.run.spec.experiment.released)
    while True:
        try:
            deployed = await context.services.snapshots.deployed(context.run)
        except InvalidResource:  # the room's own status says what is wrong with it; no gate opens on such a run
            return DeployedReleases(())
        if deployed.on_its_way is None and (deployed.unsettled is None or context.clock.now() > patience):
            if not moved:
                return deployed
            moved, ended = False, context.clock.now()
            await context.wait.pause(REPORTING_SECONDS)  # until then it may still look ready
            await _wait_for_room(context, context.pace.rollout, since=ended)
            continue
        moved = True
        await context.record.show(conditions.in_progress(Reason.WAITING_FOR_ROLLOUT, f"waits: {deployed.unsettled}"))
        await context.wait.pause(1.0)
