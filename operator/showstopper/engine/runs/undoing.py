"""Undoing: what deleted runs have changed is put back, and only then their records may go.

A change in the API server is lifted by nobody but us, and the run's record alone says what was there. So a run that
makes such changes has a finalizer: deleted while no operator runs, it waits for the next one. All other runs have none,
for their faults lift themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import GROUP
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.errors import ClusterError, NotFound

log = structlog.get_logger()

FINALIZER = f"{GROUP}/changes"
RETRY_SECONDS = 5.0


def is_needed(faults: Iterable[Fault]) -> bool:
    """Whether a run of these faults changes objects that are to be put back."""
    return any(fault.spec.hand is Hand.API_SERVER and fault.spec.is_held for fault in faults)


class Undoing:
    """Runs whose records must not go yet."""

    def __init__(self, client: Client, undo: Callable[[ExperimentRun], Awaitable[list[str]]]) -> None:
        """`undo` puts back what a run has changed, and returns what is left of it."""
        self._client = client
        self._undo = undo
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._released: set[str] = set()  # those of whose end will still be told

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
            self._start(run, self._put_back(run, ending))

    def on_finish(self, run: ExperimentRun) -> None:
        """A run is over: its record may be deleted by anybody."""
        if is_needed(run.spec.faults):
            self._start(run, self._release(run))

    def _start(self, run: ExperimentRun, work: Coroutine[Any, Any, None]) -> None:
        uid = run.metadata.uid
        if uid in self._tasks:
            work.close()
            return
        task = self._tasks[uid] = asyncio.get_running_loop().create_task(work, name=f"undoing {run.metadata.name}")
        task.add_done_callback(lambda _: self._tasks.pop(uid, None))

    async def _put_back(self, run: ExperimentRun, ending: asyncio.Task[None] | None) -> None:
        if ending is not None:
            await asyncio.wait([ending])
        while not run.finished and (left := await self._undo(run)):
            log.warning("deleted_run_not_undone", run=run.metadata.name, left=left)
        log.info("deleted_run_undone", run=run.metadata.name)
        if FINALIZER in run.metadata.finalizers:
            self._released.add(run.metadata.uid)
        await self._release(run)

    async def _release(self, run: ExperimentRun) -> None:
        """Remove the finalizer. Tried until the API server has taken it, or the run is gone."""

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            log.warning("finalizer_not_removed", run=run.metadata.name, error=str(error))

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(ClusterError), wait=wait_fixed(RETRY_SECONDS), before_sleep=tell
        )
        async for attempt in retrying:
            with attempt:
                await self._remove_finalizer(run)

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
