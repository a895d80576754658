"""Injections of this node: what the API has is armed, what it no longer has is lifted, and the stop switch ends all."""

import asyncio
import time
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from showstopper.agent.hits.factory import HitFactory
from showstopper.agent.session.renewals import Renewals
from showstopper.agent.session.reporting import Reporter
from showstopper.agent.session.session import Session
from showstopper.agent.session.status import EndReason, invalid
from showstopper.api.injection import LEASE_LABEL, Injection
from showstopper.api.stop_switch import STOP_SWITCH, stop_reason
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import CONFIG_MAP, INJECTION, LEASE
from showstopper.cluster.watching import Object, Seen, changes, key
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
    """Watches Injections of its node, Leases of runs and the stop switch; a session of its own does each Injection."""

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
        self._node_name, self._namespace, self._workers = node_name, namespace, workers
        self._renewals = Renewals()
        self._served: dict[str, _Served] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: str | None = None
        self._switch_known = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; then lift everything and say so."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_leases())
                group.create_task(self._watch_stop_switch())
                group.create_task(self._watch_injections())
        finally:
            await self._end_all()

    async def _watch_injections(self) -> None:
        # Whether everything has to stop is known before anything begins.
        await self._switch_known.wait()
        watch = changes(self._client, INJECTION, fields={"spec.node": self._node_name})
        async for seen, body in watch:
            match seen:
                case Seen.LISTED | Seen.CHANGED:
                    self._see(body)
                case Seen.DELETED:
                    self._end(body["metadata"]["uid"], EndReason.DELETED)

    async def _watch_leases(self) -> None:
        async for seen, body in changes(self._client, LEASE, labels={LEASE_LABEL: ""}):
            if seen is Seen.SYNCED:
                continue
            if seen is Seen.DELETED:
                self._renewals.forget(key(body))
            else:
                spec = body.get("spec") or {}
                self._renewals.see(key(body), spec, time.monotonic(), fresh=seen is Seen.CHANGED)
            for served in self._served.values():
                if served.session and served.session.lease == key(body):
                    served.session.renewed()

    async def _watch_stop_switch(self) -> None:
        fields = {"metadata.name": STOP_SWITCH}
        async for seen, body in changes(self._client, CONFIG_MAP, self._namespace, fields=fields):
            match seen:
                case Seen.LISTED | Seen.CHANGED:
                    self._stop(stop_reason(body))
                case Seen.DELETED:
                    self._stop(None)
                case Seen.SYNCED:
                    self._switch_known.set()

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
        reporter = Reporter(self._client, key(body), uid)
        session = None
        try:
            session = Session(
                Injection.parse(body),
                means=self._means,
                renewals=self._renewals,
                reporter=reporter,
                clock=self._clock,
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
