"""Faults that agents do: asked of the agents, kept alive by the run's Lease, proven, lifted, and seen to be gone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

import structlog

from showstopper.api.experiment import longest
from showstopper.api.faults.base import Hand
from showstopper.api.injection import Injection
from showstopper.api.run import ExperimentRun, StepName
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, from_timestamp
from showstopper.engine.hands.agent import injections
from showstopper.engine.hands.agent.client import AgentHand
from showstopper.engine.hands.agent.injections import Answers
from showstopper.engine.hands.agent.reselect import Reselecting
from showstopper.engine.hands.crowd import flood_gate, flooder_job
from showstopper.engine.hands.crowd.client import CrowdHand
from showstopper.engine.planning.plan import Plan
from showstopper.engine.runs import judging, totals
from showstopper.engine.runs.flooding import Flooding
from showstopper.engine.runs.record import Journal
from showstopper.engine.runs.waiting import Patience
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import ClusterError, Forbidden
from showstopper.faults.observed import DESERTED, NO_EFFECT, TARGETS_GONE

log = structlog.get_logger()

RENEW_SECONDS = 2.0
LOOK_SECONDS = 0.1
NOTE_SECONDS = 1.0
"""How often figures that only grow are written down."""
ARM_SECONDS = 8.0
"""How long agents get to set everything up, and (at most the lease, and a little more) to take it down."""
LIFT_SECONDS = 15.0
END_SECONDS = 15.0
"""How long processes get to end after a signal that asks them to."""


class Lasting:
    """What agents do of one run. Whatever happens, `revert` ends it; nothing of it needs what is in memory."""

    def __init__(
        self,
        hand: AgentHand,
        crowd: CrowdHand,
        clock: Clock,
        *,
        recorder: StatusWriter[ExperimentRun],
        journal: Journal,
        patience: Patience,
        reselecting: Reselecting,
    ) -> None:
        self._hand = hand
        self._flooding = Flooding(crowd, hand, clock, patience, lambda: self._run)
        self._clock = clock
        self._recorder = recorder
        self._journal = journal
        self._patience = patience
        self._reselecting = reselecting
        self._told = hand.told(self._run, patience.wake)
        self._renewing: asyncio.Task[None] | None = None
        self._noted = 0.0
        self._nothing_made = False
        self._heard: Mapping[str, str] | None = None

    @property
    def _run(self) -> ExperimentRun:
        return self._recorder.resource

    @property
    def any(self) -> bool:
        """Whether the run has such faults at all."""
        return any(fault.spec.hand.takes_injections for fault in self._run.spec.faults)

    async def begun(self) -> bool:
        """Whether agents were asked for anything."""
        return self.any and bool(await self._told.all())

    async def ask(self, made: Plan) -> Finding | None:
        """Ask the agents, and begin to renew the Lease; all at once. Returns why it could not be asked for."""
        if not self.any:
            return None
        self._hand.injections.follow()
        planned = [each for each in made.faults if each.fault.spec.hand.takes_injections]
        peers = await self._reselecting.peers([each.fault for each in planned])
        if (nobody := injections.without_peers(peers)) is not None:
            self._nothing_made = True
            return nobody
        flooded = [each for each in planned if each.fault.spec.hand is Hand.CROWD]
        if flooded:
            try:
                await self._hold()
            except Forbidden as error:
                self._nothing_made = True
                return _disabled(error)
            if (trouble := await self._flooding.gather(flooded)) is not None:
                return trouble
        others = [each for each in planned if each not in flooded]
        bodies = [body for each in others for body in injections.compose(self._run, each, peers)]
        start = self._hand.start([*bodies, *self._flooding.arrivals()])
        asked = await asyncio.gather(self._hold(), start, return_exceptions=True)
        failed = [problem for problem in asked if isinstance(problem, BaseException)]
        for problem in failed:
            if not isinstance(problem, Forbidden):
                raise problem
        if not failed:
            return None
        self._nothing_made = len(failed) == len(asked)
        return _disabled(failed[0])

    async def last(self, check: Callable[[], Awaitable[None]]) -> Finding | None:
        """Keep the faults for as long as each lasts, or until what was asked to end has ended.

        Returns what ended one early. `check` may raise Ended.
        """
        await self._hold()
        injecting = judging.step(self._run, StepName.INJECTING)
        if injecting is not None and injecting.completed_at is None:  # the operator was restarted meanwhile
            if (trouble := await self.armed()) is not None:
                return trouble
            await self._journal.complete(StepName.INJECTING)
        step = judging.step(self._run, StepName.ACTIVE)
        if step is None:
            seconds = longest(self._run.spec.faults).total_seconds()
            await self._journal.begin(StepName.ACTIVE, f"the faults last {seconds:g} s")
            step = judging.step(self._run, StepName.ACTIVE)
        assert step is not None
        began = from_timestamp(step.started_at)
        left = {name: began + self._seconds(name) for name in self._names()}
        instant = {fault.name for fault in self._run.spec.faults if fault.spec.instant}
        while left:
            found = await self._told.all()
            await self._note(found)
            if (trouble := self._trouble(found, set(left))) is not None:
                return trouble
            await self._flooding.narrow(found)
            done = {name for name in instant if self._answers(found, name, lifting=False).proven}
            for name in [name for name, end in left.items() if self._clock.now() >= end or name in done]:
                await self._lift([one for one in found if one.spec.fault == name])
                del left[name]
            await check()
            await self._reselecting.look(found, left.keys() - instant - set(self._flooding.names))
            if left:
                await self._patience.pause(min(LOOK_SECONDS, max(0.0, min(left.values()) - self._clock.now())))
        return None

    async def revert(self) -> None:
        """Lift everything, wait until agents say that nothing is left, and write that down. May be done again."""
        if not self.any or self._nothing_made or judging.step(self._run, StepName.INJECTING) is None:
            return
        step = judging.step(self._run, StepName.REVERTING)
        if step is not None and step.completed_at is not None:
            return
        try:
            found = await self._told.all()
            # Acted first: what is recorded too late is found again, what is lifted too late is heard.
            recorded = asyncio.ensure_future(self._begin_reverting())
            try:
                await self._lift(_liftable(found, late=False))
            finally:
                await recorded
            give_up = self._clock.now() + LIFT_SECONDS
            while True:
                found = await self._told.all()
                late = self._clock.now() > give_up
                await self._lift(_liftable(found, late=late))
                left = await self._end_floods(found, late=late)
                asked = self._asked(found, lifting=True)
                for name in left:
                    asked[name] = replace(asked[name], remains=f"Job {flooder_job.name(self._run, name)}")
                if late or (not left and all(each.over for each in asked.values())):
                    break
                # Of a Job's end nobody tells.
                await self._told.wait(LOOK_SECONDS if left else give_up - self._clock.now())
            noted = partial(totals.note, asked=asked, heard=self._heard or {})
            await self._journal.complete(StepName.REVERTING, noted)
            await self._hand.forget(self._run, found)
        finally:
            self.let_go()

    async def _begin_reverting(self) -> None:
        if judging.step(self._run, StepName.REVERTING) is None:
            await self._journal.begin(StepName.REVERTING, "lifts the faults, and looks for what is left of them")

    def let_go(self) -> None:
        """Renew the Lease no more: what nobody lifts lifts itself."""
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None

    def end(self) -> None:
        """Do nothing more of it here."""
        self.let_go()
        self._told.end()

    def unproven(self) -> Finding | None:
        """The first fault of theirs that did nothing to some target, or ended while nobody had asked for that."""
        for record in self._run.status.faults:
            if record.cut_short is not None:
                return Finding(record.cut_short, record.message or "it ended before its time")
            if record.name in self._names() and not record.proven:
                deserted = (record.message or "").startswith(DESERTED)
                reason = TARGETS_GONE if deserted else NO_EFFECT
                return Finding(reason, f"fault {record.name} {record.message or 'is not proven'}")
        return None

    async def _end_floods(self, found: list[Injection], *, late: bool) -> list[str]:
        """End the flooders when their gates are shut: until then they have to be there. Which are there still."""
        if not late and not flood_gate.shut(found):
            return self._flooding.names
        if self._heard is None:
            self._heard = await self._flooding.hear(self._in_vain(found))
        return await self._flooding.end()

    def _in_vain(self, found: list[Injection]) -> list[str]:
        """The floods that are not proven."""
        return [name for name in self._flooding.names if not self._answers(found, name, lifting=True).proven]

    def _names(self) -> list[str]:
        return [fault.name for fault in self._run.spec.faults if fault.spec.hand.takes_injections]

    def _seconds(self, name: str) -> float:
        fault = self._run.fault(name)
        return fault.duration.total_seconds() if fault.duration else END_SECONDS

    async def _hold(self) -> None:
        if self._renewing is None:
            await self._hand.hold(self._run)
            self._renewing = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._hand.renew(self._run)
            except ClusterError as error:  # tried again in time, or everything lifts itself
                log.warning("lease_not_renewed", run=self._run.metadata.name, error=str(error))

    async def armed(self) -> Finding | None:
        """Wait until agents have set everything up, and let floods begin then. Returns why they could not."""
        if not self.any:
            return None
        if self._flooding.gathered:
            if (trouble := await self._until_armed(gated=False)) is not None:
                return trouble
            await self._hand.start(self._flooding.gates())
        return await self._until_armed(gated=True)

    async def _until_armed(self, *, gated: bool) -> Finding | None:
        give_up = self._clock.now() + ARM_SECONDS
        while True:
            found = await self._told.all()
            if (trouble := self._trouble(found, set(self._names()), gated=gated)) is not None:
                return trouble
            asked = self._asked(found, lifting=False)
            if all(each.armed for each in asked.values()):
                await self._note(found)
                return None
            if self._clock.now() > give_up:
                return injections.unanswered(list(asked.values()))
            await self._patience.pause(LOOK_SECONDS)

    def _asked(self, found: list[Injection], *, lifting: bool) -> dict[str, Answers]:
        """What agents say of each fault."""
        return {name: self._answers(found, name, lifting=lifting) for name in self._names()}

    def _answers(self, found: list[Injection], name: str, *, lifting: bool) -> Answers:
        return injections.answers(found, self._run.fault(name), lifting=lifting)

    def _trouble(self, found: list[Injection], names: set[str], *, gated: bool = True) -> Finding | None:
        for name in sorted(names):
            asked = self._answers(found, name, lifting=False)
            if asked.trouble is not None:
                return asked.trouble
            planned = totals.targets_of(self._run, name) + (gated and name in self._flooding.names)
            if asked.wanted < planned:
                message = f"{asked.wanted} of {planned} targets of fault {name} have an Injection"
                return Finding(
                    "InjectionLost", f"{message}: somebody deleted one, or the operator ended before all were made"
                )
        silent = self._told.silent(injections.SILENT_SECONDS)
        return injections.unheard([one for one in silent if one.spec.fault in names])

    async def _lift(self, chosen: list[Injection]) -> None:
        await asyncio.gather(*(self._hand.lift(one) for one in chosen if not one.spec.lift))

    async def _note(self, found: list[Injection]) -> None:
        """Write down what the agents say; figures that only grow, now and then."""
        asked = self._asked(found, lifting=False)
        known = {record.name: record for record in self._run.status.faults}
        news = any(
            (known[name].proven, known[name].reverted) != (totals.proven(self._run, name, each), each.reverted)
            for name, each in asked.items()
            if name in known
        )
        if news or self._clock.now() - self._noted > NOTE_SECONDS:
            self._noted = self._clock.now()
            await self._recorder.write(partial(totals.note, asked=asked, heard={}))


def _disabled(error: BaseException) -> Finding:
    return Finding("AgentDisabled", f"{error}: install the chart with agent.enabled=true", Verdict.ERROR)


def _liftable(found: list[Injection], *, late: bool) -> list[Injection]:
    """What passes a gate is counted to the last packet: arrivals are lifted when no gate is open any more."""
    return [one for one in found if late or flood_gate.shut(found) or one.spec.flood_arrivals is None]
