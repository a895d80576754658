"""Changes of objects: made once, watched while they last, and put back, by what the run's record says of them.

The record has what was there before anything is changed. So whoever goes on from it, this life of the operator or the
next one, asks the object alone what is left to do: a field that holds what the fault writes, by this run, is to be put
back, one that holds what it held before is not touched, and anything else is somebody else's, and stays.
"""

import json
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import structlog

from showstopper.api.reasons import Reason
from showstopper.api.run import ChangeRecord, ExperimentRun
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, NODE, STATEFUL_SET, Kind
from showstopper.engine.hands import records
from showstopper.engine.hands.api_server import ownership
from showstopper.errors import ClusterError, Conflict, Forbidden, NotFound
from showstopper.faults.workloads import fields

log = structlog.get_logger()

KINDS = {kind.name: kind for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CONFIG_MAP, NODE)}
LOOK_SECONDS = 1.0
"""Between two looks at what others may have done to a change that lasts."""
RETRY_SECONDS = 0.5
"""Between two attempts to put something back."""
ATTEMPTS = 10
"""How often a change is tried that meets another one's. Controllers write statuses often, right after a change."""


May = Callable[[ExperimentRun, ChangeRecord, Object], bool]
"""Whether a field may be written, by the object that has it."""


class Changes:
    """The changes of one run."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[tuple[str, str, str, str], ChangeRecord] = {}
        self._looked = float("-inf")
        self._tried: dict[tuple[str, str, str, str], float] = {}

    def of(self, run: ExperimentRun, faults: Collection[str]) -> tuple[ChangeRecord, ...]:
        """Those of these faults, by the record and by what has happened since it was written."""
        return tuple(self._known.get(each.key, each) for each in run.status.changes if each.fault in faults)

    async def make(self, run: ExperimentRun, faults: Sequence[str]) -> None:
        """Make those that are not made, in their order. After one that fails its fault makes no other."""
        for fault in faults:
            for change in self.of(run, {fault}):
                made = change
                if change.changed_at is None and change.reason is None:
                    made = self._known[change.key] = await self._make(run, change)
                if made.changed_at is None:
                    break

    async def look(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """See whether those that last still do, once a second."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        for change in self.of(run, faults):
            if change.changed_at is not None and change.reason is None and change.is_left:
                self._known[change.key] = await self._seen(run, change)

    async def undo(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Put back those that last, in the order in which they were made. What fails is tried again by the next call.

        Also those that are not known to be made: an operator may have died before it knew.

        After one that fails nothing more of its fault is put back: pods that are replaced read what a ConfigMap holds
        then, and nobody replaces them a second time.
        """
        for fault in sorted(faults):
            for change in self.of(run, {fault}):
                if change.is_left and (await self._try_undo(run, change)).is_left:
                    break

    async def _make(self, run: ExperimentRun, change: ChangeRecord) -> ChangeRecord:
        bound = log.bind(run=run.metadata.name, fault=change.fault, object=_title(change), field=change.field)
        try:
            manager = ownership.manager(run, change)
            body, written = await self._set(run, change, change.after, manager=manager, may=ownership.is_free)
        except Forbidden as error:
            bound.warning("change_forbidden", error=str(error))
            return _failed(change, Reason.INJECTION_FORBIDDEN, f"{_title(change)} could not be changed: {error}")
        except NotFound:
            return _failed(change, Reason.TARGETS_GONE, f"{_title(change)} was deleted before it could be changed")
        except ClusterError as error:
            bound.warning("change_failed", error=str(error))
            return _failed(change, Reason.INJECTION_FAILED, f"{_title(change)} could not be changed: {error}")
        value = fields.read(body, change.field)
        if not (value == change.after if written else ownership.is_ours(run, change, body)):
            return _failed(change, Reason.CHANGED_MEANWHILE, _taken(run, change, body))
        bound.info("change_made")
        # When an earlier life has made it is not known, but not before it was written down.
        at = self._now() if written else records.noted_at(run)
        return change.model_copy(update={"changed_at": at})

    async def _seen(self, run: ExperimentRun, change: ChangeRecord) -> ChangeRecord:
        try:
            value = fields.read(await self._read(run, change), change.field)
        except NotFound:
            return _failed(change, Reason.CHANGED_MEANWHILE, f"{_title(change)} was deleted while the fault lasted")
        except ClusterError:
            return change  # it is not known now: the next look tells
        if value == change.after:
            return change
        message = (
            f"{_named(change)} was changed to {fields.shown(value)} by somebody else while the fault lasted: have "
            "GitOps controllers and autoscalers leave it alone during experiments"
        )
        return _failed(change, Reason.CHANGED_MEANWHILE, message)

    async def _try_undo(self, run: ExperimentRun, change: ChangeRecord) -> ChangeRecord:
        """The same, put back if it can be, unless it was tried only just now."""
        if time.monotonic() - self._tried.get(change.key, float("-inf")) < RETRY_SECONDS:
            return change
        self._tried[change.key] = time.monotonic()
        undone = self._known[change.key] = await self._undo(run, change)
        return undone

    async def _undo(self, run: ExperimentRun, change: ChangeRecord) -> ChangeRecord:
        bound = log.bind(run=run.metadata.name, fault=change.fault, object=_title(change), field=change.field)
        try:
            manager = ownership.RESTORER
            body, written = await self._set(run, change, change.before, manager=manager, may=ownership.is_ours)
        except NotFound:
            gone = {"restored_at": self._now(), "reason": change.reason or Reason.CHANGED_MEANWHILE}
            return change.model_copy(
                update={**gone, "message": f"{_title(change)} was deleted meanwhile, and the change with it"}
            )
        except ClusterError as error:
            bound.warning("change_not_undone", error=str(error))
            message = f"{_named(change)} could not be put back: {error}; {_remedy(run, change)}"
            return change.model_copy(update={"message": message[:1024]})
        if fields.read(body, change.field) == change.before:
            if written:
                await self._disown(run, change, body)
            bound.info("change_undone")
            return _restored(change, self._now())
        message = _theirs(run, change, body)
        return _failed(change, Reason.CHANGED_MEANWHILE, message).model_copy(update={"left_at": self._now()})

    async def _disown(self, run: ExperimentRun, change: ChangeRecord, body: Object) -> None:
        """Leave nobody's name on what was put back. It is back without that, too: an attempt that fails is told."""
        try:
            for _ in range(ATTEMPTS):
                patch, place = fields.disown(body, ownership.RESTORER), (run.metadata.namespace, change.name)
                with suppress(Conflict):
                    await self._client.patch(KINDS[change.kind], *place, patch)
                    return
                body = await self._read(run, change)
        except ClusterError as error:
            log.warning("change_not_disowned", run=run.metadata.name, object=_title(change), error=str(error))

    async def _set(
        self, run: ExperimentRun, change: ChangeRecord, wanted: str | None, *, manager: str, may: May
    ) -> tuple[Object, bool]:
        """Give the field the wanted value if it may be written. Returns the object then, and whether it was written.

        Raises:
            NotFound: the object is gone, or another one has its name.
        """
        for _ in range(ATTEMPTS):
            body = await self._read(run, change)
            if not may(run, change, body):
                return body, False
            patch, place = fields.patch(body, change.field, wanted), (run.metadata.namespace, change.name)
            try:
                return await self._client.patch(KINDS[change.kind], *place, patch, manager=manager), True
            except Conflict:
                continue
        raise Conflict(f"{_title(change)} is changed by others all the time", status=409)

    def _now(self) -> str:
        return to_timestamp(self._clock.now())

    async def _read(self, run: ExperimentRun, change: ChangeRecord) -> Object:
        """The object, if it is still that very one."""
        kind: Kind = KINDS[change.kind]
        body = await self._client.get(kind, run.metadata.namespace, change.name)
        if body["metadata"]["uid"] != change.uid:
            raise NotFound(f"{_title(change)} is another one by now", status=404)
        return body


def _restored(change: ChangeRecord, now: str) -> ChangeRecord:
    """What is left to be known of it: of a text that may be anything, its hash."""
    message = change.message if change.reason is not None else None
    if change.kind != CONFIG_MAP.name:
        return change.model_copy(update={"restored_at": now, "message": message})
    hashes = {"before": fields.digest(change.before), "after": fields.digest(change.after)}
    return change.model_copy(update={"restored_at": now, "message": message, **hashes})


def _failed(change: ChangeRecord, reason: Reason, message: str) -> ChangeRecord:
    return change.model_copy(update={"reason": reason, "message": message[:1024]})


def _title(change: ChangeRecord) -> str:
    return f"{change.kind} {change.name}"


def _named(change: ChangeRecord) -> str:
    """The field, for a person: "spec.replicas of Deployment relay"."""
    return f"{fields.named(change.field)} of {_title(change)}"


def _taken(run: ExperimentRun, change: ChangeRecord, body: Object) -> str:
    """Why a change was not made."""
    value = fields.shown(fields.read(body, change.field))
    if (uid := ownership.other_run(run, change, body)) is not None:
        return (
            f"{_named(change)} is {value}, which the run with UID {uid} wrote and has not put back: wait for its end; "
            "if there is no such run any more, put it back by hand"
        )
    was = fields.shown(change.before)
    return f"{_named(change)} is {value}, by somebody else, and was {was} when the run began: run it again"


def _theirs(run: ExperimentRun, change: ChangeRecord, body: Object) -> str:
    """Why a change was not undone. What the run itself never made is no person's to put back."""
    value, was = fields.read(body, change.field), fields.shown(change.before)
    message = f"{_named(change)} is {fields.shown(value)}, which somebody else wrote, and was left so"
    if value == change.after:
        return f"{message}: the run has not changed it, or not last; it was {was} when the run began"
    return f"{message}: it was {was} before the run; {_remedy(run, change)}"


def _remedy(run: ExperimentRun, change: ChangeRecord) -> str:
    """How a person puts it back, where that is short."""
    if change.before is None or len(change.before) > 100:
        return f"status.changes of run {run.metadata.name} has what it was"
    patch = json.dumps([{"op": "add", "path": change.field, "value": json.loads(change.before)}])
    return f"kubectl -n {run.metadata.namespace} patch {change.kind.lower()} {change.name} --type=json -p='{patch}'"
