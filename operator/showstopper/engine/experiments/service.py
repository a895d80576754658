"""Experiments: all that are known, each reconciled when it, its room or one of its runs changes."""

from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.events import Events
from showstopper.engine.experiments import deciding
from showstopper.engine.experiments.reconciler import MIRROR_SECONDS, Reconciler
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Rooms
from showstopper.engine.runs.service import Runs
from showstopper.engine.work_queue import WorkQueue


class Experiments(WorkQueue[Experiment]):
    """Every experiment that is known."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        snapshots: Snapshots,
        events: Events,
        *,
        rooms: Rooms,
        runs: Runs,
    ) -> None:
        super().__init__(clock)
        self._reconciler = Reconciler(client, clock, snapshots, events, rooms)
        self._runs = runs

    async def reconcile(self, resource: Experiment, seen_seconds: float) -> float | None:
        """One pass of the reconciler."""
        return await self._reconciler.reconcile(resource, self._runs, seen_seconds)

    def forget(self, resource: Experiment) -> None:
        """It is gone, or another one has its name."""
        self._reconciler.forget(resource.metadata.uid)

    def newest(self, namespace: str) -> dict[str, Experiment]:
        """The experiments of a namespace by name, each with the status that was written last."""
        return {each.metadata.name: self._reconciler.newest(each) for each in self.all() if each.key[0] == namespace}

    def on_change(self, resource: Experiment) -> None:
        """An experiment as the API has it. A run of it that waits may have to end now, and asks."""
        super().on_change(resource)
        for run in self._runs.of(resource):
            if not run.finished and deciding.unwanted(resource, run) is not None:
                self._runs.on_change(run)

    def on_delete(self, resource: Experiment) -> None:
        """An experiment was deleted: its runs end themselves, for they ask whether it is there."""
        super().on_delete(resource)
        for run in self._runs.all():
            if run.spec.experiment.uid == resource.metadata.uid and not run.finished:
                self._runs.on_change(run)

    def run_changed(self, run: ExperimentRun) -> None:
        """A run's record changed: mirror it, but not while the run itself needs the loop to inject."""
        key = run.metadata.namespace, run.spec.experiment.name
        self.enqueue_later(key, MIRROR_SECONDS)

    def room_changed(self, namespace: str, name: str) -> None:
        """A room came, went or changed: whoever waits for it looks again."""
        for key, experiment in self._known.items():
            if key[0] == namespace and experiment.spec.room_ref.name == name:
                self.enqueue(key)

    def disowned(self, run: ExperimentRun) -> Finding | None:
        """Why a run is to end: its experiment is there no longer (a recreated one is another), or wants it no more.

        A run whose experiment is written in a game day is the day's alone.
        """
        if run.inline:
            return None
        known = self.find(run.metadata.namespace, run.spec.experiment.name)
        if known is not None and known.metadata.uid == run.spec.experiment.uid:
            return deciding.unwanted(known, run)
        return Finding(Reason.EXPERIMENT_DELETED, "the experiment was deleted while it ran", Verdict.ABORTED)
