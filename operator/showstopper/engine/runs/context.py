"""The context of a run: what its steps share."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom, Host
from showstopper.api.run import ClockWitness, ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability import abort
from showstopper.availability.hosts import HostKnown
from showstopper.availability.indicators import Recovery
from showstopper.availability.spans import Window
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, from_timestamp, to_timestamp
from showstopper.cluster.events import Events
from showstopper.engine.hands.of_run import HandFactory, Hands
from showstopper.engine.hands.pace import PACE, Pace
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.planning.plan import Plan, Snapshot
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import LiveRoom, Rooms
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import clocks, crowds, hosting, judging, views, windows
from showstopper.engine.runs.bystanders import Bystanders
from showstopper.engine.runs.proof import MediaProof
from showstopper.engine.runs.record import RunRecord
from showstopper.engine.runs.sampling import Sampler
from showstopper.engine.runs.waiting import RunEnded, RunWait
from showstopper.engine.sources import Sources


@dataclass(frozen=True, slots=True)
class Proposal:
    """The plan that a run was created with, and why it may not be carried out, which is being confirmed meanwhile."""

    plan: Plan
    confirmation: Awaitable[Finding | None]


@dataclass(frozen=True, slots=True)
class Services:
    """What all runs share.

    Attributes:
        rooms: all rooms that are known, with their listeners.
        hands: makes the hands of a run.
        sources: what expectations can ask beside the listeners.
        events: Events on runs.
        snapshots: what a plan is made from, as it is now, and whether it may be carried out.
        disowned: why whoever asked for a run wants it no more.
        stopped: why everything has to stop.
    """

    rooms: Rooms
    hands: HandFactory
    sources: Sources
    events: Events
    clock: Clock
    snapshots: Snapshots
    disowned: Callable[[ExperimentRun], Finding | None]
    stopped: Callable[[], Finding | None]
    pace: Pace = PACE


@dataclass(slots=True)
class RunContext:
    """One run while it is carried out.

    Attributes:
        first: what the run was created to hit, in this very moment. None if it has to be planned.
        snapshot: what the plan is made from, as the end of the baseline has just read it. None if it was not read.
        resumed: another operator began it, and what that had heard of it has to be read again.
        findings: what forbids a verdict, or ended the run early, in the order in which it was found.
    """

    services: Services
    record: RunRecord
    wait: RunWait
    hands: Hands
    sampler: Sampler
    proof: MediaProof = field(default_factory=MediaProof)
    bystanders: Bystanders = field(default_factory=Bystanders)
    first: Proposal | None = None
    snapshot: Snapshot | None = None
    resumed: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def run(self) -> ExperimentRun:
        """The newest form of the run."""
        return self.record.run

    @property
    def clock(self) -> Clock:
        """The operator's clock."""
        return self.services.clock

    @property
    def pace(self) -> Pace:
        """How often the run looks, and how long it waits."""
        return self.services.pace

    @property
    def residents(self) -> tuple[str, ...]:
        """The residents whom the run is about: those of its snapshot, whatever the room declares meanwhile."""
        return names.residents(self.run.room)

    def hold_fleet(self) -> None:
        """Keep listeners and host as they are from now on, until the run is over."""
        self.services.rooms.hold(self.run.metadata.name, self.run.room)

    def room_changed(self) -> Finding | None:
        """Why the verdict would be on no room: it is declared in another way than when the run was asked for."""
        declared = self.services.rooms.declared(self.run.metadata.namespace, self.run.spec.room.name)
        if declared is None or (declared.metadata.uid == self.run.spec.room.uid and self._same(declared)):
            return None
        message = (
            f"AudioRoom {declared.metadata.name} was changed after the run was requested, so the result counts for "
            "neither form of it: run it again"
        )
        return Finding(Reason.ROOM_CHANGED, message)

    def _same(self, room: AudioRoom) -> bool:
        return room.spec == self.run.spec.room.spec

    def room(self) -> LiveRoom | None:
        """The run's room with its listeners, if it is known."""
        return self.services.rooms.find(self.run.metadata.namespace, self.run.spec.room.name)

    def witnesses(self) -> list[ClockWitness]:
        """Clocks that show whether ours steps from now on."""
        room = self.room()
        return clocks.witnesses(room.timeline.offsets()) if room is not None else []

    def clock_skew(self) -> Finding | None:
        """Why the times of the run are in no order, or the age of what was heard is not known."""
        room, begun = self.room(), self.run.status.started_at
        if room is None or begun is None:
            return None
        elapsed = self.clock.now() - from_timestamp(begun)
        if (by := clocks.moved(self.run, room.timeline.offsets(), elapsed)) is not None:
            message = f"the operator's clock moved by {by:+.1f} s during the run, so that its times are in no order"
            return Finding(Reason.CLOCK_SKEW, f"{message}: run it again")
        if (problem := room.skew.since(from_timestamp(begun))) is not None:
            message = f"{problem}, so that live sound cannot be told from stale: synchronise the clocks of the nodes"
            return Finding(Reason.CLOCK_SKEW, message)
        return None

    def hearing_lost(self) -> Finding | None:
        """Why a run that another operator began is not judged: what was heard since then could not be read again.

        Newcomers' calls that are in no ring any more are missing without a trace, so that no bound holds them.
        """
        room, window = self.room(), windows.judged_window(self.run)
        if not self.resumed or room is None or window is None:
            return None
        known = room.timeline.known_from(room.pods)
        if crowds.is_asked(self.run):
            known = max(known, room.crowd.timeline.known_from(names.crowd_pods(self.run.room)))
        if known <= window.start:
            return None
        since = f"before {to_timestamp(known)}" if known < math.inf else "in the run"
        message = (
            f"the operator was restarted during the run, and what some listener heard {since} could not be read again: "
            "run it again; a listener keeps an hour, until its pod is restarted"
        )
        return Finding(Reason.HEARING_LOST, message)

    def crowd_failed(self) -> Finding | None:
        """Why nothing that the crowd told is relied upon, where an expectation is about it."""
        room, begun = self.room(), self.run.status.started_at
        if room is None or begun is None or not crowds.is_asked(self.run):
            return None
        return crowds.failed(room.crowd.failures(self.run.room, Window(from_timestamp(begun), self.clock.now())))

    async def note_host(self) -> None:
        """Write down what the room's managed host says of itself. What it explains is not the room's."""
        if self._managed and (room := self.room()) is not None:
            await self.record.note_host(hosting.record(hosting.known(self.run, room.hosts, self.clock.now())))

    @property
    def _managed(self) -> bool:
        return self.run.spec.room.spec.program.host is Host.MANAGED

    async def observe(self) -> Mapping[str, FaultState]:
        """What hands and listeners report of every fault that was started. Who is beside the targets is noted, too."""
        self.note_bystanders()
        return self.proof.prove(self.run, await self.hands.observe(self.run), self.room())

    def note_bystanders(self) -> None:
        """Note the pods of the room's components that no fault of the run takes, and that were not seen before."""
        if (room := self.room()) is not None:
            self.record.keep_bystanders(self.bystanders.note(self.run, room.staying))

    async def until_known(self, moment: float) -> None:
        """Wait until all listeners have reported what they heard by that moment of the operator's clock."""
        await self.wait.until_known(moment, self.room, patience=self.pace.feed, poll=self.pace.poll)

    def check_abort(self, since: float, recovery: float) -> None:
        """End the run if one of its `abortIf` conditions is met now.

        Args:
            since: when the fault began, in Unix seconds.
            recovery: when it ended, or now.

        Raises:
            RunEnded: one is met. If the clocks do not tell what was heard, that is the reason, and not the room.
        """
        room, now = self.room(), self.clock.now()
        if room is None or not self.run.spec.abort_if:
            return
        host = hosting.known(self.run, room.hosts, now) if self._managed else HostKnown()
        for condition in judging.abort_conditions(self.run.spec.abort_if):
            finding = abort.breached(
                condition,
                room.timeline,
                self.residents,
                since=since,
                now=now,
                recovery=Recovery(recovery),
                host=host,
                beside=lambda view: views.beside(self.run, view, room.door.log),
            )
            if finding is not None:
                raise RunEnded(self.clock_skew() or replace(finding, verdict=Verdict.ABORTED))

    def tell(self, reason: str, note: str, action: str, *, warning: bool = False) -> None:
        """Post an Event on the run. Nothing waits for it."""
        self.services.events.tell(self.run, reason, note, action=action, kind="Warning" if warning else "Normal")
