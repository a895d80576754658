"""Runs: all that are known, a task for each that is not over, and the history that is kept."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.room import AudioRoom, ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import Metadata
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.planning import backing
from showstopper.engine.planning.plan import Plan
from showstopper.engine.planning.policies import refusal
from showstopper.engine.rooms import LiveRoom
from showstopper.engine.runs import draft, queue
from showstopper.engine.runs.context import Proposal, Services
from showstopper.engine.runs.requests import Request, order
from showstopper.engine.runs.runner import Runner
from showstopper.engine.runs.sharing import share
from showstopper.engine.runs.undoing import PendingUndos
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import ClusterError, Conflict, NotFound

log = structlog.get_logger()

RECORD_RETRY_SECONDS = 5.0
"""The API server has been away for longer than a write is tried: go on from the record."""

MOST_NOTED = 100
"""A run that hits more is not created with its targets: it writes them into its status first."""


class Runs:
    """Every run that is known. `on_change` is told of a run whenever its record changes."""

    def __init__(
        self, client: Client, clock: Clock, services: Services, on_change: Callable[[ExperimentRun], None]
    ) -> None:
        self._client = client
        self._clock = clock
        self._services = services
        self._on_change = on_change
        self.judged = 0  # since this process started
        self._known: dict[str, ExperimentRun] = {}
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._creating: dict[tuple[str, str], ExperimentRun] = {}
        self._undoing = PendingUndos(client, services.hands.undo)

    def all(self) -> list[ExperimentRun]:
        """Every run that is known, in its newest form."""
        return [self._runners[uid].run if uid in self._runners else run for uid, run in self._known.items()]

    def of(self, experiment: Experiment) -> list[ExperimentRun]:
        """The runs of this very experiment."""
        return [run for run in self.all() if run.spec.experiment.uid == experiment.metadata.uid]

    def of_day(self, day: GameDay) -> list[ExperimentRun]:
        """The runs of this very game day, of all its performances."""
        return [run for run in self.all() if (of := run.spec.experiment.game_day) and of.uid == day.metadata.uid]

    def active(self) -> list[str]:
        """The names of the runs that are under way or queued."""
        return [run.metadata.name for run in self.all() if not run.finished]

    def wake(self) -> None:
        """Have every run look whether it has to end."""
        for runner in self._runners.values():
            runner.wake()

    def on_change(self, run: ExperimentRun) -> None:
        """A run as the API has it: carry it on if it is not over. What is older than what is known is no news."""
        uid = run.metadata.uid
        if run.metadata.deletion_timestamp is not None:
            self.on_delete(run)
            return
        if (runner := self._runners.get(uid)) is not None:
            runner.on_change(run)
            return
        if (known := self._known.get(uid)) is not None and run.metadata.version < known.metadata.version:
            return  # told late: it would go on from where it was then
        self._known[uid] = run
        if not run.finished:
            self._start(run, None)
        else:
            self._undoing.on_finish(run)  # an operator may have died between the verdict and that
        self._on_change(run)

    def knows(self, metadata: Mapping[str, Any]) -> bool:
        """Whether this is no news: a run that is being made or carried on here, with nothing asked of it that is new,
        or one in a version that is not newer than what is known.
        """
        if (metadata["namespace"], metadata["name"]) in self._creating:
            return True
        if (runner := self._runners.get(metadata["uid"])) is not None:
            return runner.run.metadata.generation == metadata.get("generation")
        known = self._known.get(metadata["uid"])
        return known is not None and known.metadata.version >= int(metadata["resourceVersion"])

    def on_delete(self, run: ExperimentRun) -> None:
        """A run was deleted, or is about to be: nothing of it goes on, and what it has changed is put back."""
        uid = run.metadata.uid
        if (runner := self._runners.get(uid)) is not None:
            run.status = runner.run.status  # it knows what has not been told yet
        self._known.pop(uid, None)
        self._undoing.on_delete(run, self._tasks.get(uid))
        self.leave(run)
        self._on_change(run)

    def leave(self, run: ExperimentRun) -> None:
        """Do nothing more of a run. Whoever is told of it next goes on from its record."""
        if (task := self._tasks.get(run.metadata.uid)) is not None:
            task.cancel()

    async def create(
        self,
        experiment: Experiment,
        request: Request,
        room: AudioRoom,
        release: list[ComponentImage],
        plan: Plan,
    ) -> ExperimentRun:
        """Make the run that a request asks for, with the plan's seed. Asked for twice, it is made once.

        A run that begins with its injection, and shares nothing with another, is created with its targets: that is
        the note before the effect, and while it is written the plan is confirmed.
        """
        run = draft.draft(experiment, request, room, release, plan, now=self._clock.now(), others=self.all())
        confirmation = None
        if self._at_once(run, plan):
            run = draft.with_targets(run, plan)
            confirmation = asyncio.get_running_loop().create_task(self._services.snapshots.confirm(plan, room))
            confirmation.add_done_callback(lambda done: done.cancelled() or done.exception())  # who waits is told
        self._creating[run.key] = run
        try:
            made = await self._client.create(EXPERIMENT_RUN, draft.body_of(run), brief=True)
            run.metadata = Metadata.model_validate(made["metadata"])
        except Conflict:
            run, confirmation = ExperimentRun.parse(await self._client.get(EXPERIMENT_RUN, *run.key)), None
        finally:
            del self._creating[run.key]
            self.wake()
        if run.metadata.uid not in self._known:
            self._known[run.metadata.uid] = run
            if not run.finished:
                self._start(run, Proposal(plan, confirmation) if confirmation else None)
        log.info("run_created", run=run.metadata.name, experiment=experiment.metadata.name)
        return run

    def _at_once(self, run: ExperimentRun, plan: Plan) -> bool:
        """Whether the run begins with its injection, and nobody has to wait for anybody."""
        targets = sum(len(planned.targets) for planned in plan.faults)
        if run.spec.timing.baseline or targets > MOST_NOTED or self._services.stopped() is not None:
            return False
        if backing.is_needed(run.spec.faults):
            return False  # what is there is written down first, in its status
        if refusal(plan) is not None:
            return False
        others = [other for other in self._rivals() if not other.finished]
        return not any(share(run, other) for other in (*others, *self._undoing.pending))

    def _rivals(self) -> list[ExperimentRun]:
        """Every run that another may have to wait for, those included that are being created."""
        return [*self.all(), *self._creating.values()]

    def _blocker(self, run: ExperimentRun) -> ExperimentRun | None:
        """The run that has to end before this one may go on, or be undone before this one may begin."""
        pending = () if queue.begun(run) else self._undoing.pending
        shared = (other for other in pending if other.metadata.uid != run.metadata.uid and share(run, other))
        return next(shared, None) or queue.blocker(run, self._rivals())

    def _start(self, run: ExperimentRun, first: Proposal | None) -> None:
        runner = Runner(self._services, StatusWriter(self._client, EXPERIMENT_RUN, run, self._recorded))
        self._runners[run.metadata.uid] = runner
        if queue.begun(run):
            self._services.rooms.hold(run.metadata.name, run.room)  # before the room's fleet is looked at
        task = asyncio.get_running_loop().create_task(self._carry(runner, first), name=f"run {run.metadata.name}")
        self._tasks[run.metadata.uid] = task

    async def _carry(self, runner: Runner, first: Proposal | None) -> None:
        uid, name = runner.run.metadata.uid, runner.run.metadata.name
        try:
            with structlog.contextvars.bound_contextvars(run=name):
                if self._blocker(runner.run) is not None:
                    first = None  # by its turn the plan may not hold any more
                while not runner.run.finished:
                    await self._go_on(runner, first)
                    first = None
        except NotFound:
            log.warning("run_deleted", run=name)
        finally:
            runner.end()
            if uid in self._known:
                self._known[uid] = runner.run
            if runner.run.finished:
                self._undoing.on_finish(runner.run)
            self._runners.pop(uid, None)
            self._tasks.pop(uid, None)
            if (room := self._room_of(runner.run)) is not None and room.under_experiment == name:
                room.under_experiment = None
            self._services.rooms.release(name, runner.run.room)
            self.wake()

    async def _go_on(self, runner: Runner, first: Proposal | None) -> None:
        """Carry a run to its end, or as far as it can be recorded now. Raises NotFound: it was deleted."""
        try:
            ended = await runner.wait_for_turn(lambda: self._blocker(runner.run))
            if (room := self._room_of(runner.run)) is not None:
                room.under_experiment = runner.run.metadata.name
            await runner.execute(first, ended)
        except NotFound:
            raise
        except ClusterError as error:
            log.warning("run_not_recorded", error=str(error))
            await asyncio.sleep(RECORD_RETRY_SECONDS)
        except Exception:
            log.exception("run_broke")  # its room is nobody else's while it has no verdict: go on from its record
            await asyncio.sleep(RECORD_RETRY_SECONDS)
        else:
            self.judged += 1

    def _room_of(self, run: ExperimentRun) -> LiveRoom | None:
        return self._services.rooms.find(run.metadata.namespace, run.spec.room.name)

    def _recorded(self, run: ExperimentRun) -> None:
        self._known[run.metadata.uid] = run
        self._on_change(run)

    def of_name(self, experiment: Experiment) -> list[ExperimentRun]:
        """The runs of all experiments that have, or had, its name, without those that are written in a game day."""
        return [
            run
            for run in self.all()
            if run.metadata.namespace == experiment.metadata.namespace
            and run.spec.experiment.name == experiment.metadata.name
            and not run.inline
        ]

    async def trim(self, experiment: Experiment) -> None:
        """Delete the oldest finished runs of an experiment beyond its historyLimit, whatever its UID was."""
        await self.keep_newest(self.of_name(experiment), experiment.spec.history_limit)

    async def keep_newest(self, runs: Iterable[ExperimentRun], most: int) -> None:
        """Delete the oldest of these runs that are over."""
        for run in sorted((run for run in runs if run.finished), key=order)[:-most]:
            try:
                await self._client.delete(EXPERIMENT_RUN, *run.key, uid=run.metadata.uid)
            except (NotFound, Conflict):
                pass  # somebody else was first
            except ClusterError as error:
                log.warning("history_not_trimmed", run=run.metadata.name, error=str(error))
                return
            self._known.pop(run.metadata.uid, None)
