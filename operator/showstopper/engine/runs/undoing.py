"""Undoing: what runs have left changed is put back, and only then their records may go.

A change in the API server is lifted by nobody but us, and the run's record alone says what was there. So a run that
makes such changes has a finalizer: deleted while no operator runs, it waits for the next one. All other runs have none,
for their faults lift themselves.

A run does not wait for ever: after a while it is judged, as not reverted. What it has left is put back here, for as
long as it takes. Until then no other run begins where it would find it: it would measure a room with that change in it,
or note the fault's value as what was there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.run import ChangeRecord, ExperimentRun
from showstopper.api.schema.base import GROUP
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import ClusterError, NotFound

log = structlog.get_logger()

FINALIZER = f"{GROUP}/changes"
RETRY_SECONDS = 5.0


def is_needed(faults: Iterable[Fault]) -> bool:
    """Whether a run of these faults changes objects that are to be put back."""
    return any(fault.spec.hand is Hand.API_SERVER and fault.spec.is_held for fault in faults)


class PendingUndos:
    """Runs whose records must not go yet."""

    def __init__(self, client: Client, undo: Callable[[ExperimentRun], Awaitable[Sequence[ChangeRecord]]]) -> None:
        """`undo` puts back what a run has changed, and returns the changes as they are then."""
        self._client = client
        self._undo = undo
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pending: dict[str, ExperimentRun] = {}
        self._released: set[str] = set()  # those of whose end will still be told

    @property
    def pending(self) -> Collection[ExperimentRun]:
        """Runs that are over, or deleted, and of whose changes not all may be put back: nobody is to begin there."""
        return self._pending.values()

    def on_delete(self, run: ExperimentRun, ending: asyncio.Task[None] | None) -> None:
        """A run was deleted, or will be when its finalizer is gone. Told again, nothing.

        `ending`: its own task, which has to be over before anything is put back.
        """
        uid = run.metadata.uid
        if uid in self._released:
            if FINALIZER not in run.metadata.finalizers:
                self._released.discard(uid)  # nothing more will be told of it
            return
        if is_needed(run.spec.faults):
            self._start(run, ending)

    def on_finish(self, run: ExperimentRun) -> None:
        """A run is over: its record may be deleted by anybody, once nothing is left to be put back.

        Where the API server goes on to refuse that, a person removes the finalizer. Then it is no more of ours.
        """
        uid = run.metadata.uid
        if FINALIZER in run.metadata.finalizers:
            if uid not in self._released:
                self._start(run, None)
        elif uid in self._tasks:
            self._tasks[uid].cancel()

    def _start(self, run: ExperimentRun, ending: asyncio.Task[None] | None) -> None:
        uid = run.metadata.uid
        if uid in self._tasks:
            return
        if not run.finished or any(change.is_left for change in run.status.changes):
            self._pending[uid] = run
        work = self._put_back(run, ending)
        task = self._tasks[uid] = asyncio.get_running_loop().create_task(work, name=f"undoing {run.metadata.name}")
        task.add_done_callback(lambda _: self._forget(uid))

    def _forget(self, uid: str) -> None:
        self._tasks.pop(uid, None)
        self._pending.pop(uid, None)

    async def _put_back(self, run: ExperimentRun, ending: asyncio.Task[None] | None) -> None:
        if ending is not None:
            await asyncio.wait([ending])
        changes = await self._undo(run)
        while left := [change.message for change in changes if change.is_left]:
            log.warning("run_not_undone", run=run.metadata.name, left=left)
            changes = await self._undo(run)
        if self._pending.pop(run.metadata.uid, None) is not None:
            log.info("run_undone", run=run.metadata.name)
        if FINALIZER in run.metadata.finalizers:
            self._released.add(run.metadata.uid)
        await self._release(run, changes)

    async def _release(self, run: ExperimentRun, changes: Sequence[ChangeRecord]) -> None:
        """Remove the finalizer. Tried until the API server has taken it, or the run is gone."""

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            log.warning("finalizer_not_removed", run=run.metadata.name, error=str(error))

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(ClusterError), wait=wait_fixed(RETRY_SECONDS), before_sleep=tell
        )
        async for attempt in retrying:
            with attempt:
                if run.finished:
                    await self._note(run, changes)
                await self._remove_finalizer(run)

    async def _note(self, run: ExperimentRun, changes: Sequence[ChangeRecord]) -> None:
        """Have the record of a run that is over tell what was put back since. Nothing, if that is nothing."""
        try:
            await StatusWriter(self._client, EXPERIMENT_RUN, run).write(lambda newest: _tell(newest, changes))
        except NotFound:
            return

    async def _remove_finalizer(self, run: ExperimentRun) -> None:
        try:
            body = await self._client.get(EXPERIMENT_RUN, *run.key)
        except NotFound:
            return
        held = body["metadata"].get("finalizers", [])
        if body["metadata"]["uid"] != run.metadata.uid or FINALIZER not in held:
            return
        path, others = "/metadata/finalizers", [name for name in held if name != FINALIZER]
        change = [{"op": "test", "path": path, "value": held}, {"op": "replace", "path": path, "value": others}]
        await self._client.patch(EXPERIMENT_RUN, *run.key, change)


def _tell(run: ExperimentRun, changes: Sequence[ChangeRecord]) -> None:
    """Write down what was put back after the verdict, which stays: the run was judged with what was left then."""
    late = {change.fault for change in run.status.changes if change.is_left}
    newest = {change.key: change for change in changes}
    run.status.changes = [newest.get(change.key, change) for change in run.status.changes]
    for record in run.status.faults:
        if record.name in late:
            own = [change for change in run.status.changes if change.fault == record.name]
            record.reverted = all(change.restored_at for change in own)
            said = "; ".join(change.message for change in own if change.message)
            record.message = (said or "was put back only after the run was judged")[:1024]
