"""The hands of a run: each fault is carried out by the hand of its kind, and all are asked as one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from showstopper.api.experiment import Fault
from showstopper.api.faults import base as kinds
from showstopper.api.run import ChangeRecord, ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.engine.hands import records
from showstopper.engine.hands.agent.hand import AgentHand
from showstopper.engine.hands.agent.reselect import Reselection
from showstopper.engine.hands.api_server.changes import Changes
from showstopper.engine.hands.api_server.hand import ApiServerHand
from showstopper.engine.hands.crowd.hand import CrowdHand
from showstopper.engine.hands.crowd.jobs import CrowdJobs
from showstopper.engine.hands.injections.cache import InjectionCache
from showstopper.engine.hands.injections.client import InjectionClient
from showstopper.engine.hands.injections.lease import RunLease
from showstopper.engine.hands.injections.run_injections import RunInjections
from showstopper.engine.hands.pace import PACE, Pace
from showstopper.engine.hands.protocol import FaultState, Hand, Pause
from showstopper.engine.hands.stage.hand import StageHand
from showstopper.engine.planning.plan import PlannedFault, Snapshot
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Images

UNDO_SECONDS = 120.0
"""How long it is tried to put back what a run has changed, before it is told what is left."""


class Hands:
    """All hands of one run, as one."""

    def __init__(
        self,
        *,
        api_server: ApiServerHand,
        agents: AgentHand,
        crowd: CrowdHand,
        stage: StageHand,
        asked: RunInjections,
    ) -> None:
        self._asked = asked
        self._crowd = crowd
        self._hands: Mapping[kinds.Hand, Hand] = {
            kinds.Hand.CROWD: crowd,
            kinds.Hand.AGENT: agents,
            kinds.Hand.STAGE: stage,
            kinds.Hand.API_SERVER: api_server,
        }

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Start faults, each by its hand. The crowd goes first, for its pods take longest. Returns what went wrong."""
        for hand in self._hands.values():
            own = [each for each in planned if self._hand_of(each.fault) is hand]
            if own and (trouble := await hand.start(run, own, again=again)) is not None:
                return trouble
        return None

    async def open_gates(self, run: ExperimentRun, planned: Sequence[PlannedFault]) -> bool:
        """Let the crowd begin, once all else is in force. Whether one of these faults is the crowd's."""
        own = [each for each in planned if self._hand_of(each.fault) is self._crowd]
        if own:
            await self._crowd.open(run, own)
        return bool(own)

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What is known of every fault that was started, by name."""
        states: dict[str, FaultState] = {}
        for hand in self._involved(run):
            states |= await hand.observe(run)
        return states

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Follow pods that come and go while these faults last."""
        for hand in self._involved(run):
            await hand.follow(run, faults)

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:
        """Ask for the end of these faults. One hand that cannot keeps no other from it.

        Raises:
            ClusterError: of the first hand that could not.
        """
        hands = self._involved(run)
        done = await asyncio.gather(*(hand.lift(run, faults, late=late) for hand in hands), return_exceptions=True)
        for problem in filter(None, done):
            raise problem

    async def sweep(self, run: ExperimentRun) -> None:
        """Remove what was made for the run and is over: its Injections and its Lease, which executors share."""
        if records.by_injections(run):
            await self._asked.sweep(run)

    @property
    def untouched(self) -> bool:
        """Nothing could be asked of executors, so there is nothing to lift."""
        return self._asked.untouched

    def let_go(self) -> None:
        """Renew the run's Lease no more: what nobody lifts expires."""
        self._asked.lease.let_go()

    def close(self) -> None:
        """Nothing more of the run is done here."""
        self._asked.close()

    def _involved(self, run: ExperimentRun) -> list[Hand]:
        needed = [self._hand_of(fault) for fault in run.spec.faults]
        return [hand for hand in self._hands.values() if hand in needed]

    def _hand_of(self, fault: Fault) -> Hand:
        return self._hands[fault.spec.hand]


@dataclass(frozen=True, slots=True)
class HandFactory:
    """Makes the hands of runs from what all of them share.

    Attributes:
        injections: writes Injections, and knows all that exist.
        crowd: starts and finds the Jobs of the crowd.
        snapshot: a run's room and pods as they are now.
    """

    client: Client
    clock: Clock
    injections: InjectionClient
    crowd: CrowdJobs
    snapshot: Callable[[ExperimentRun], Awaitable[Snapshot]]
    pace: Pace = PACE

    @classmethod
    def sharing(cls, client: Client, clock: Clock, images: Images, snapshots: Snapshots, pace: Pace = PACE) -> Self:
        """The factory, with a cache of Injections and Jobs of its own. `images`: of the pods of the crowd."""
        return cls(
            client=client,
            clock=clock,
            injections=InjectionClient(client, InjectionCache(client, clock)),
            crowd=CrowdJobs(client, clock, images, snapshots.remembered),
            snapshot=snapshots.of_run,
            pace=pace,
        )

    async def undo(self, run: ExperimentRun) -> Sequence[ChangeRecord]:
        """Put back what a run has left changed. Returns the changes of its faults that last, as they are then."""
        changes, held = Changes(self.client, self.clock), records.held(run)
        give_up = time.monotonic() + UNDO_SECONDS
        await changes.undo(run, held)
        while any(change.is_left for change in changes.of(run, held)) and time.monotonic() < give_up:
            await asyncio.sleep(self.pace.note)
            await changes.undo(run, held)
        return changes.of(run, held)

    def hands(self, run: ExperimentRun, *, pause: Pause, news: Callable[[], None]) -> Hands:
        """The hands of a run. `news` is called when something of its injections has changed."""
        lease = RunLease(self.client, self.clock, renew_seconds=self.pace.renew)
        asked = RunInjections(run, self.injections, lease, pace=self.pace, news=news)
        return Hands(
            api_server=ApiServerHand(self.client, self.clock),
            agents=AgentHand(asked, Reselection(asked, self.clock, self.snapshot)),
            crowd=CrowdHand(self.crowd, asked, self.clock, pause),
            stage=StageHand(asked),
            asked=asked,
        )
