"""Injections of one executor: what the API has is armed, what it no longer has is lifted."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from showstopper.api.injection import LEASE_LABEL, Injection
from showstopper.api.stop_switch import STOP_SWITCH, stop_reason
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP, INJECTION, LEASE
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.cluster.watch import key_of
from showstopper.errors import InvalidResource
from showstopper.executor.hit import Hits
from showstopper.executor.renewals import Renewals
from showstopper.executor.reporting import Reporter
from showstopper.executor.session import Session
from showstopper.executor.status import EndReason, invalid

log = structlog.get_logger()

LAST_SECONDS = 8.0
"""How long lifting and the last words on it may take when an agent ends. Its pod has some more."""


@dataclass(frozen=True, slots=True)
class _Served:
    """An Injection that is worked on, until it is gone.

    Attributes:
        session: None: it cannot be read.
    """

    session: Session | None
    gone: asyncio.Event


class Injections:
    """Watches an executor's Injections, and the Leases of their runs. Each Injection has a session of its own.

    Args:
        client: with the right to watch them, and to write the statuses of these Injections.
        clock: of the executor.
        mine: by which fields of theirs the API server selects the executor's Injections.
        namespace: where they are, "" for everywhere.
        stop_switch: namespace of the stop switch, which ends all. None: the operator alone heeds it.
        factory: makes hits.
        workers: where hits are armed, looked at and lifted.
        last_seconds: how long lifting, and the last words on it, may take at the end.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        mine: Mapping[str, str],
        namespace: str = "",
        stop_switch: str | None = None,
        factory: Hits,
        workers: Executor,
        last_seconds: float = LAST_SECONDS,
    ) -> None:
        self._client, self._clock, self._factory = client, clock, factory
        self._workers, self._last_seconds = workers, last_seconds
        self._renewals = Renewals()
        self._served: dict[str, _Served] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: str | None = None
        self._injections = Mirror(
            client, INJECTION, namespace, fields=mine, keep=_whole, on_change=self._injection_changed
        )
        self._leases = Mirror(
            client, LEASE, namespace, labels={LEASE_LABEL: ""}, keep=_spec, on_change=self._lease_changed
        )
        self._stop_switch = (
            Mirror(
                client,
                CONFIG_MAP,
                stop_switch,
                fields={"metadata.name": STOP_SWITCH},
                keep=_whole,
                on_change=self._stop_switch_changed,
            )
            if stop_switch is not None
            else None
        )

    async def run(self) -> None:
        """Work until cancelled. Then lift everything, and report it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._leases.run())
                if self._stop_switch is not None:
                    group.create_task(self._stop_switch.run())
                    # Whether everything has to stop is known before anything begins.
                    await self._stop_switch.synced()
                group.create_task(self._injections.run())
                await self._injections.synced()
                self._factory.keep(self._served.keys())
        finally:
            await self._end_all()

    def _injection_changed(self, change: Change[Object]) -> None:
        if change.type is ChangeType.DELETED:
            self._end(change.uid, EndReason.DELETED)
        else:
            self._see(change.value)

    def _lease_changed(self, change: Change[Object]) -> None:
        if change.type is ChangeType.DELETED:
            self._renewals.forget(change.key)
        else:
            self._renewals.see(change.key, change.value, time.monotonic(), fresh=not change.listed)
        for served in self._served.values():
            if served.session and served.session.lease == change.key:
                served.session.renewed()

    def _stop_switch_changed(self, change: Change[Object]) -> None:
        self._stop(None if change.type is ChangeType.DELETED else stop_reason(change.value))

    def _stop(self, reason: str | None) -> None:
        if reason != self._stopped:
            log.warning("stop_switch", reason=reason)
        self._stopped = reason
        for uid in self._served if reason else ():
            self._end(uid, EndReason.STOPPED, f"stopped for everybody: {reason}")

    def _see(self, body: Object) -> None:
        uid = body["metadata"]["uid"]
        if uid not in self._served:
            self._begin(uid, body)
        if session := self._served[uid].session:
            session.seen(body["metadata"]["generation"], tuple((body.get("spec") or {}).get("peers") or ()))
        if (body.get("spec") or {}).get("lift"):
            self._end(uid, EndReason.LIFTED)
        if self._stopped:
            self._end(uid, EndReason.STOPPED, f"stopped for everybody: {self._stopped}")

    def _begin(self, uid: str, body: Object) -> None:
        reporter = Reporter(self._client, key_of(body), uid)
        session, clock = None, self._clock.steady()  # the times of one Injection keep their distances
        try:
            session = Session(
                Injection.parse(body),
                factory=self._factory.on(clock),
                renewals=self._renewals,
                reporter=reporter,
                clock=clock,
                workers=self._workers,
            )
        except InvalidResource as error:
            log.warning("injection_invalid", injection=body["metadata"]["name"], error=str(error))
            reporter.tell(invalid(body, str(error), now=to_timestamp(self._clock.now())), urgent=True)
        served = self._served[uid] = _Served(session, asyncio.Event())
        task = asyncio.create_task(self._serve(served, reporter))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, served: _Served, reporter: Reporter) -> None:
        """Do a session, and say what is to be said until its Injection is gone."""
        writing = asyncio.create_task(reporter.run())
        try:
            if served.session:
                await served.session.run()
        except Exception:
            # Our own mistake. The session has lifted what it had armed, and said so; the others go on.
            log.exception("session_broke")
        await served.gone.wait()
        await reporter.told()
        writing.cancel()

    def _end(self, uid: str, ending: EndReason, why: str = "") -> None:
        served = self._served.get(uid)
        if served and served.session:
            served.session.end(ending, why)
        if served and ending in {EndReason.DELETED, EndReason.AGENT_STOPPED}:
            served.gone.set()
        if ending is EndReason.DELETED:
            self._served.pop(uid, None)
            self._factory.forget(uid)

    async def _end_all(self) -> None:
        why = f"the {self._factory.executor} was ended, and lifted the fault before"
        for uid in self._served:
            self._end(uid, EndReason.AGENT_STOPPED, why)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._last_seconds)
            if late:
                log.warning("last_words_not_written", injections=len(late))


def _whole(body: Object) -> Object:
    return body


def _spec(body: Object) -> Object:
    return body.get("spec") or {}
