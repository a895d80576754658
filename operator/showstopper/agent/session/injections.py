"""Injections of this node: what the API has is armed, what it no longer has is lifted, and the stop switch ends all."""

import asyncio
import time
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import structlog

from showstopper.agent.hits.factory import HitFactory
from showstopper.agent.session.renewals import Renewals
from showstopper.agent.session.reporting import Reporter
from showstopper.agent.session.session import Session
from showstopper.agent.session.status import EndReason, invalid
from showstopper.api.injection import LEASE_LABEL, Injection
from showstopper.api.stop_switch import STOP_SWITCH, stop_reason
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP, INJECTION, LEASE
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.cluster.watch import key_of
from showstopper.errors import InvalidResource

log = structlog.get_logger()

# How long lifting and the last words on it may take when the agent ends; the pod has ten seconds.
LAST_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class _Served:
    """An Injection that is worked on, until it is gone.

    Attributes:
        session: None: it cannot be read.
    """

    session: Session | None
    gone: asyncio.Event


class Injections:
    """Watches Injections of its node, Leases of runs and the stop switch. Each Injection has a session of its own."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        node_name: str,
        namespace: str,
        means: HitFactory,
        workers: Executor,
    ) -> None:
        self._client, self._clock, self._means = client, clock, means
        self._workers = workers
        self._renewals = Renewals()
        self._served: dict[str, _Served] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: str | None = None
        self._injections = Mirror(
            client, INJECTION, fields={"spec.node": node_name}, keep=_whole, on_change=self._injection_changed
        )
        self._leases = Mirror(client, LEASE, labels={LEASE_LABEL: ""}, keep=_spec, on_change=self._lease_changed)
        self._stop_switch = Mirror(
            client,
            CONFIG_MAP,
            namespace,
            fields={"metadata.name": STOP_SWITCH},
            keep=_whole,
            on_change=self._stop_switch_changed,
        )

    async def run(self) -> None:
        """Work until cancelled. Then lift everything, and report it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._leases.run())
                group.create_task(self._stop_switch.run())
                # Whether everything has to stop is known before anything begins.
                await self._stop_switch.synced()
                group.create_task(self._injections.run())
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
                means=replace(self._means, clock=clock),
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
            self._means.once.forget(uid)

    async def _end_all(self) -> None:
        for uid in self._served:
            self._end(uid, EndReason.AGENT_STOPPED, "the agent was ended, and lifted the fault before")
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_SECONDS)
            if late:
                log.warning("last_words_not_written", injections=len(late))


def _whole(body: Object) -> Object:
    return body


def _spec(body: Object) -> Object:
    return body.get("spec") or {}
