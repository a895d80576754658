"""The runner: carries one run from plan to verdict, and goes on from its record after a restart."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

import structlog

from showstopper.api import conditions
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun, StepName
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, from_timestamp
from showstopper.cluster.events import Events
from showstopper.engine.hands.agent.client import AgentHand
from showstopper.engine.hands.agent.reselect import Reselecting
from showstopper.engine.hands.api_server import ApiServerHand
from showstopper.engine.hands.crowd.client import CrowdHand
from showstopper.engine.planning import plan, policies
from showstopper.engine.planning.plan import Plan
from showstopper.engine.rooms import LiveRoom, Rooms, releases
from showstopper.engine.rooms.live import REPORTING_SECONDS
from showstopper.engine.rooms.releases import Deployed
from showstopper.engine.runs import judging
from showstopper.engine.runs.injecting import Injecting
from showstopper.engine.runs.lasting import Lasting
from showstopper.engine.runs.proving import Proving
from showstopper.engine.runs.record import Journal
from showstopper.engine.runs.recovering import Recovering
from showstopper.engine.runs.waiting import Ended, Patience
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import ClusterError, InvalidResource, NotFound, Unavailable

log = structlog.get_logger()

# A room that is still being made gets this long from the moment its listeners report; then the baseline tells.
ROOM_PATIENCE_SECONDS = 30.0
# After a rollout whoever was in has to come back, to relays that have only just started. Longer than a client needs
# (5 to 30 s), shorter than what a run's deadline leaves by default (120 s); then, too, the baseline tells.
ROLLOUT_PATIENCE_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """The plan that a run was created with, and why it may not be carried out: somebody is looking meanwhile."""

    plan: Plan
    confirmation: Awaitable[Finding | None]


@dataclass(frozen=True, slots=True)
class Services:
    """What runners share."""

    rooms: Rooms
    hand: ApiServerHand
    agents: AgentHand
    crowd: CrowdHand
    events: Events
    clock: Clock
    snapshot: Callable[[ExperimentRun], Awaitable[plan.Snapshot]]
    deployed: Callable[[ExperimentRun], Awaitable[Deployed]]
    confirm: Callable[[Plan, AudioRoom], Coroutine[None, None, Finding | None]]
    disowned: Callable[[ExperimentRun], Finding | None]
    stopped: Callable[[], Finding | None]


class Runner:
    """One run. Every decision rests on the record and the room's timeline; nothing that matters is kept in memory."""

    def __init__(self, services: Services, recorder: StatusWriter[ExperimentRun]) -> None:
        self._services = services
        self._clock = services.clock
        self.recorder = recorder
        self._injecting = Injecting(services.hand, services.clock, recorder)
        self._journal = Journal(recorder, self._clock)
        self._patience = Patience(lambda: self.run, self._clock, disowned=services.disowned, stopped=services.stopped)
        self._lasting = Lasting(
            services.agents,
            services.crowd,
            self._clock,
            recorder=recorder,
            journal=self._journal,
            patience=self._patience,
            reselecting=Reselecting(services.agents, self._clock, lambda: self.run, services.snapshot),
        )
        self._recovering = Recovering(
            run=lambda: self.run,
            clock=self._clock,
            journal=self._journal,
            patience=self._patience,
            proving=Proving(services.hand, self._clock, recorder),
            room=self._room,
        )

    @property
    def run(self) -> ExperimentRun:
        """The newest form of the run."""
        return self.recorder.resource

    def seen(self, run: ExperimentRun) -> None:
        """Take note of a change that somebody else made: the abort switch."""
        if run.spec.abort and not self.run.spec.abort:
            self.recorder.resource = self.run.model_copy(update={"spec": run.spec})
        self._patience.wake()

    def wake(self) -> None:
        """Look again: another run is over, or everything has to stop."""
        self._patience.wake()

    async def wait_for_turn(self, blocked_by: Callable[[], ExperimentRun | None]) -> Finding | None:
        """Queue until nobody is ahead. Returns why the run must end without having begun, if it must."""
        try:
            while (ahead := blocked_by()) is not None:
                await self._journal.say(
                    conditions.in_progress("WaitingForRoom", f"waits for run {ahead.metadata.name}, which goes first")
                )
                await self._patience.pause(1.0)
        except Ended as ended:
            return ended.finding
        return None

    async def execute(self, first: Proposal | None, ended: Finding | None) -> None:
        """Carry the run to its verdict. `first`: what it was created to hit, in this very moment."""
        error: Finding | None = None
        doubt: Finding | None = None
        try:
            if ended is None:
                doubt = await self._carry_out(first)
        except Ended as early:
            ended = early.finding
        except (NotFound, Unavailable):
            raise  # the run itself was deleted, or cannot be recorded now: it goes on from its record, if there is one
        except ClusterError as failure:
            error = Finding("APIServerFailed", str(failure))
        except Exception as failure:  # a defect of ours must end in a verdict too, and never in Passed
            log.exception("run_broke", run=self.run.metadata.name)
            error = Finding("EngineFailed", f"{type(failure).__name__}: {failure}; the operator's log has more")
        finally:
            self._lasting.let_go()
        try:
            await self._lasting.revert()
        except Unavailable:
            raise
        except ClusterError as failure:
            error = error or Finding(
                "RevertFailed", f"{failure}: what was injected lifts itself when its lease runs out"
            )
        await self._judge(ended, error, doubt)

    def end(self) -> None:
        """Nothing of the run goes on here; what agents keep up ends with its lease."""
        self._lasting.end()

    async def _carry_out(self, first: Proposal | None) -> Finding | None:
        """All steps up to the judgement. Returns what forbids a verdict, if something does."""
        self._patience.check()  # also after a restart: what was not hit before is not hit any more
        injected = judging.step(self.run, StepName.INJECTING)
        if injected is None:
            if (doubt := await self._before_injection(first)) is not None:
                return doubt
        elif injected.completed_at is None:
            await self._injecting.resume()
        failure = self._injecting.failure()
        if failure is not None:
            return failure
        if self._lasting.any and (trouble := await self._last()) is not None:
            return trouble
        await self._recovering.watch()
        return self._lasting.unproven()

    async def _last(self) -> Finding | None:
        """Let the faults last that do, and end them. Returns what ended one early."""
        trouble = None
        if judging.step(self.run, StepName.REVERTING) is None:
            trouble = await self._lasting.last(self._recovering.check)
        await self._lasting.revert()
        return trouble

    async def _before_injection(self, first: Proposal | None) -> Finding | None:
        baseline = self.run.spec.timing.baseline.total_seconds()
        if baseline > 0:
            await self._baseline(baseline)
            first = None
            if (broken := self._broken_baseline()) is not None:
                return broken
        if first is not None:
            if (refused := await first.confirmation) is not None:
                return refused
            self._patience.check()
            if (trouble := await self._injecting.inject_noted(first.plan, self._lasting)) is not None:
                return trouble
        elif (refused := await self._inject_afresh()) is not None:
            return refused
        hit = ", ".join(f"{target.fault} on {target.pod}" for target in self.run.status.targets)
        self._tell("FaultInjected", hit, "Inject")
        return None

    async def _inject_afresh(self) -> Finding | None:
        """Look, plan, and hit. What the run was created with stays its choice, and counts as hit if it was touched."""
        if self.run.spec.targets and await self._injecting.take_up(self._lasting):
            return None
        spec, snapshot = self.run.spec, await self._services.snapshot(self.run)
        if spec.targets:
            made = plan.again(snapshot, spec.faults, spec.targets, spec.seed)
        else:
            made = plan.make(snapshot, spec.faults, spec.seed)
        if (refused := policies.refusal(made)) is not None:
            return refused
        self._patience.check()
        return await self._injecting.inject(made, self._lasting)

    async def _wait_for_room(self, patience: float = ROOM_PATIENCE_SECONDS, *, since: float | None = None) -> None:
        """Until the room is ready, or has been measured for long enough to say that it is not.

        `since`: from when on it has `patience` seconds; by default since its listeners report.
        """
        while True:
            room = self._room()
            if room is not None:
                begun = since if since is not None else room.reporting_since
                if room.ready or (begun is not None and self._clock.now() - begun > patience):
                    return
            waits = conditions.in_progress("WaitingForRoom", "waits until the listeners of the room hear the host")
            await self._journal.say(waits)
            await self._patience.pause(0.5)

    async def _wait_for_release(self) -> Deployed:
        """Until a rollout is over, or pods had time to start: the run is about the images that are there then.

        After a rollout the room has to be heard again: how it bears the rollout is not what the run is about.
        """
        patience = self._clock.now() + ROOM_PATIENCE_SECONDS
        moved = False
        while True:
            try:
                found = await self._services.deployed(self.run)
            except InvalidResource:  # what is wrong with the room, its own status says; no gate opens on such a run
                return Deployed(())
            if found.moving is None and moved:
                moved, ended = False, self._clock.now()
                await self._patience.pause(REPORTING_SECONDS)  # until then it may still look ready
                await self._wait_for_room(ROLLOUT_PATIENCE_SECONDS, since=ended)
                continue
            if found.moving is None and (found.unsettled is None or self._clock.now() > patience):
                return found
            moved = found.moving is not None
            await self._journal.say(conditions.in_progress("WaitingForRollout", f"waits: {found.unsettled}"))
            await self._patience.pause(1.0)

    async def _baseline(self, seconds: float) -> None:
        found = judging.step(self.run, StepName.BASELINE)
        if found is None:
            await self._wait_for_room()
            deployed = await self._wait_for_release()
            message = f"watches the room for {seconds:g} s before the fault"
            await self._journal.begin(StepName.BASELINE, message, release=deployed.images)
            found = judging.step(self.run, StepName.BASELINE)
        assert found is not None
        end = from_timestamp(found.started_at) + seconds
        await self._patience.until(end)
        await self._patience.until_known(end, self._room)
        await self._journal.complete(StepName.BASELINE)

    def _broken_baseline(self) -> Finding | None:
        """A fault in a room that is broken already would tell nothing: do not inject it."""
        room = self._room()
        found = judging.judge(self.run, room.timeline if room else None, room.residents if room else ())
        reason = found.decision.reason
        return Finding(reason, found.decision.message) if reason in {"BaselineBroken", "TooMuchUnknown"} else None

    async def _judge(self, ended: Finding | None, error: Finding | None, doubt: Finding | None) -> None:
        room = self._room()
        found = tuple(finding for finding in (doubt, ended) if finding is not None)
        aborted = next((finding for finding in found if finding.verdict is Verdict.ABORTED), None)
        doubts = tuple(finding for finding in found if finding is not aborted)
        if doubt is not None and doubt.verdict is Verdict.ERROR:
            error, doubts = error or doubt, ()
        if aborted is None and error is None and not doubts:
            doubts = tuple(filter(None, [await self._other_release()]))
        judged = judging.judge(
            self.run,
            room.timeline if room else None,
            room.residents if room else (),
            aborted=aborted,
            error=error,
            doubts=doubts,
        )
        decision = judged.decision
        await self._journal.judge(judged)
        self._tell(str(decision.verdict), decision.message, "Judge", warning=decision.verdict is not Verdict.PASSED)

    async def _other_release(self) -> Finding | None:
        """Whoever was listened to ran other images in between: the verdict would be on neither release."""
        before, room, begun = self.run.release, self._room(), self.run.status.started_at
        if not before:
            return None
        try:
            found = await self._services.deployed(self.run)
        except Unavailable:
            raise
        except (ClusterError, InvalidResource) as error:
            return Finding("ReleaseUnknown", f"{error}: it is not known which images this is about")
        meanwhile = room.images_since(from_timestamp(begun)) if room is not None and begun else ()
        changed = releases.change(before, (*meanwhile, *found.images))
        if changed is None:
            return None
        return Finding(
            "ReleaseChanged",
            f"{changed}, which did not run when this began: it counts for neither release, run it again",
        )

    def _room(self) -> LiveRoom | None:
        return self._services.rooms.find(self.run.metadata.namespace, self.run.spec.room.name)

    def _tell(self, reason: str, note: str, action: str, *, warning: bool = False) -> None:
        """An event on the run; nobody waits for it."""
        self._services.events.tell(self.run, reason, note, action=action, kind="Warning" if warning else "Normal")
