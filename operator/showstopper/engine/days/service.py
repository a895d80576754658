"""Game days: all that are known, each looked at when it, its runs, or what it refers to changes."""

from collections.abc import Callable

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.events import Events
from showstopper.engine.days import programme
from showstopper.engine.days.reconciler import DayReconciler
from showstopper.engine.experiments.reconciler import MIRROR_SECONDS
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.runs.service import Runs
from showstopper.engine.work_queue import WorkQueue


class GameDays(WorkQueue[GameDay]):
    """Every game day that is known."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        snapshots: Snapshots,
        events: Events,
        runs: Runs,
        *,
        find_room: Callable[[str, str], AudioRoom | None],
        find_experiment: Callable[[str, str], Experiment | None],
        stopped: Callable[[], Finding | None],
    ) -> None:
        super().__init__(clock)
        self._reconciler = DayReconciler(
            client,
            clock,
            snapshots,
            events,
            find_room=find_room,
            find_experiment=find_experiment,
            stopped=stopped,
        )
        self._runs = runs

    async def reconcile(self, resource: GameDay, seen_seconds: float) -> float | None:
        """One pass of the reconciler."""
        return await self._reconciler.reconcile(resource, self._runs, seen_seconds)

    def forget(self, resource: GameDay) -> None:
        """It is gone, or another one has its name."""
        self._reconciler.forget(resource.metadata.uid)

    def on_change(self, resource: GameDay) -> None:
        """A game day as the API has it. Its run may have to end now, and asks."""
        super().on_change(resource)
        self._wake(resource)

    def on_delete(self, resource: GameDay) -> None:
        """A game day was deleted: its run ends itself, for it asks whether the day is there."""
        super().on_delete(resource)
        self._wake(resource)

    def run_changed(self, run: ExperimentRun) -> None:
        """A run's record changed: follow it, but not while the run itself needs the loop to inject."""
        if (origin := run.spec.experiment.game_day) is not None:
            key = run.metadata.namespace, origin.name
            self.enqueue_later(key, MIRROR_SECONDS)

    def neighbour_changed(self, namespace: str) -> None:
        """A room or an experiment came, went or changed: a day that waits for it looks again."""
        for key, day in self._known.items():
            if key[0] == namespace and not day.finished:
                self.enqueue(key)

    def disowned(self, run: ExperimentRun) -> Finding | None:
        """Why a run of a game day is to end: the day was deleted, aborted, or changed to another programme."""
        origin = run.spec.experiment.game_day
        if origin is None:
            return None
        day = self.find(run.metadata.namespace, origin.name)
        if day is None or day.metadata.uid != origin.uid:
            return Finding(Reason.GAME_DAY_DELETED, f"game day {origin.name} was deleted while it ran", Verdict.ABORTED)
        if day.spec.abort:
            return Finding(Reason.ABORT_REQUESTED, f"spec.abort was set on game day {origin.name}", Verdict.ABORTED)
        if programme.digest(day) != origin.hash:
            return Finding(Reason.SUPERSEDED, f"game day {origin.name} was changed while it ran", Verdict.ABORTED)
        return None

    def _wake(self, day: GameDay) -> None:
        for run in self._runs.of_day(day):
            if not run.finished and self.disowned(run) is not None:
                self._runs.on_change(run)
