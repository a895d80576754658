"""Session: one Injection at its executor, from arming its targets under the lease to the last look for leftovers."""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from typing import TypeVar

import structlog

from showstopper.api.injection import LEASE_SECONDS, InjectedTarget, Injection, TargetState
from showstopper.clock import Clock, to_timestamp
from showstopper.errors import LeaseLost
from showstopper.executor.hit import Hit, Hits
from showstopper.executor.renewals import Renewals
from showstopper.executor.reporting import PACE_SECONDS, Reporter
from showstopper.executor.status import EndReason, InjectionState, ending_of, over, status
from showstopper.faults import registry

log = structlog.get_logger()
T = TypeVar("T")

# How soon hits are looked at after arming, and how much longer each time until every target was touched.
FIRST_LOOK_SECONDS = 0.01
SLOWER = 1.5
SLOWEST_LOOK_SECONDS = 0.25


class Session:
    """Arms, renews, counts and lifts. Of several reasons for its end the first counts."""

    def __init__(
        self,
        injection: Injection,
        *,
        factory: Hits,
        renewals: Renewals,
        reporter: Reporter,
        clock: Clock,
        workers: Executor,
    ) -> None:
        self.injection = injection
        self._factory, self._renewals = factory, renewals
        self._reporter, self._clock, self._workers = reporter, clock, workers
        self._hits: list[Hit] = []
        self._state = InjectionState()
        self._peers = injection.spec.peers or ()
        self._status = injection.status
        self._generation = injection.metadata.generation
        self._over = False
        self._rung = asyncio.Event()
        self._log = log.bind(injection=injection.metadata.name, run=injection.spec.run.name, fault=injection.spec.fault)

    @property
    def lease(self) -> tuple[str, str]:
        """Namespace and name of the Lease that it is under."""
        return self.injection.metadata.namespace, self.injection.spec.lease

    def end(self, ending: EndReason, why: str = "") -> None:
        """Have it ended now."""
        if self._state.ending is None:
            self._state = replace(self._state, ending=ending, why=why)
            self._rung.set()

    def seen(self, generation: int, peers: tuple[str, ...]) -> None:
        """Its spec is of that generation now, and means these peers. Reports from now on are of that generation."""
        moved, self._generation = generation != self._generation, generation
        if peers != self._peers:
            self._peers = peers
            self._rung.set()
        if moved and self._over:
            self._say(urgent=True)

    def renewed(self) -> None:
        """Its lease was renewed, or is gone."""
        self._rung.set()

    async def run(self) -> None:
        """Do all of it. Returns when it is over and everything is reported."""
        if self._was_begun():
            return
        try:
            if await self._may_begin():
                await self._arm()
                await self._keep()
        except Exception as error:
            self.end(EndReason.AGENT_FAILED, f"the {self._factory.executor} made a mistake: {error!r}")
            raise
        finally:
            self.end(EndReason.AGENT_STOPPED, f"the {self._factory.executor} ended, and lifted the fault before")
            await self._lift()
            self._say(urgent=True)
            self._over = True
            self._log.info("fault_over", ending=self._state.ending, message=self._status.message)

    def _was_begun(self) -> bool:
        """Whether an earlier life of the executor had it: what it armed then was swept, and is not armed again."""
        if self._status.observed_generation < 0 and not self._factory.begun(self.injection):
            return False
        ending = ending_of(self._status)
        why = f"the {self._factory.executor} started anew: what it had armed was removed"
        if ending is None and self._state.ending is EndReason.LIFTED:
            self._state = InjectionState()  # its end was asked for while nobody was here: it had ended before
        self.end(ending or EndReason.AGENT_RESTARTED, (self._status.message or "") if ending else why)
        if ending is None:
            left = self._factory.left(self.injection)
            self._say(over(self._status.targets, why, now=self._now(), left=left), urgent=True)
        self._over = True
        return True

    async def _may_begin(self) -> bool:
        """Wait for a renewal of the lease, for as long as one would hold. Refuse what must not be armed."""
        spec = self.injection.spec
        if problems := list(registry.of_injection(spec).refusals(spec)):
            self.end(EndReason.REFUSED, "; ".join(problems))
        patience = time.monotonic() + LEASE_SECONDS
        while self._state.ending is None and self._left() <= 0:
            if time.monotonic() >= patience:
                self.end(EndReason.LEASE_LOST, f"nobody renewed the lease {self.lease[1]}: nothing was armed")
            await self._ring(patience)
        return self._state.ending is None

    async def _arm(self) -> None:
        self._hits += self._factory.of(self.injection)
        self._factory.begin(self.injection)
        await self._do(self._arm_one, [hit for hit in self._hits if hit.record.message is None])
        method = next((hit.method for hit in self._hits if hit.method), None)
        self._state = replace(self._state, backend=method)
        self._log.info("fault_armed", targets=len(self._hits), backend=self._state.backend)

    def _arm_one(self, hit: Hit) -> None:
        if self._state.ending is None:
            hit.arm(self._until() or 0.0)
        else:
            hit.record.message = "it was ended before this target was armed"

    async def _keep(self) -> None:
        """Renew and count until it ends."""
        armed_until, pause = self._until(), FIRST_LOOK_SECONDS
        look, peers = time.monotonic(), self.injection.spec.peers or ()
        self._say(urgent=True)
        while self._state.ending is None:
            until = self._until()
            if self._left() <= 0:
                self.end(
                    EndReason.LEASE_LOST, f"the lease {self.lease[1]} was not renewed: the fault has lifted itself"
                )
                return
            if until != armed_until:
                armed_until = until
                await self._refresh(until or 0.0)
            if peers != self._peers:
                peers = await self._follow()
            if time.monotonic() >= look:
                started = time.monotonic()
                first = any(await self._do(lambda hit: hit.look(), self._hits))
                took = time.monotonic() - started
                pause = min(max(pause * SLOWER, 2 * took), SLOWEST_LOOK_SECONDS)
                look = time.monotonic() + (PACE_SECONDS if self._all_touched() else pause)
                self._say(urgent=first and (self._all_touched() or self._touched() == 1))
            await self._ring(min(look, until or look))

    async def _refresh(self, until: float) -> None:
        try:
            await self._do(lambda hit: hit.refresh(until), self._hits)
        except LeaseLost as lost:
            self.end(EndReason.LEASE_LOST, str(lost))

    async def _follow(self) -> tuple[str, ...]:
        """Have every target mean the peers of now. Returns them."""
        peers = self._peers
        await self._do(lambda hit: hit.follow(peers), self._hits)
        self._log.info("peers_followed", peers=len(peers))
        return peers

    def _all_touched(self) -> bool:
        return all(hit.record.touched for hit in self._hits if hit.record.state is TargetState.ARMED)

    def _touched(self) -> int:
        return sum(hit.record.touched for hit in self._hits)

    def _until(self) -> float | None:
        return self._renewals.until(self.lease)

    def _left(self) -> float:
        until = self._until()
        return until - time.monotonic() if until is not None else 0.0

    async def _ring(self, at: float) -> None:
        """Wait until somebody rings, or that monotonic time."""
        try:
            async with asyncio.timeout(max(0.0, at - time.monotonic())):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()

    async def _lift(self) -> None:
        """End it on every target. Nobody knows what a hit has left that breaks meanwhile, so it has left something."""
        for hit, result in zip(self._hits, await self._try(lambda hit: hit.lift(), self._hits), strict=True):
            if isinstance(result, BaseException):
                hit.record.state = TargetState.LEFT_OVER
                hit.record.message = f"the {self._factory.executor} made a mistake as it lifted it: {result!r}"[:1024]
                self._log.error("lift_broke", pod=hit.record.pod, exc_info=result)

    async def _do(self, work: Callable[[Hit], T], hits: Iterable[Hit]) -> list[T]:
        """Do something to every target. What a hit raises is raised when all others are done with it.

        Were it raised at once, a hit that is still being armed would be lifted before there is anything to lift, and
        would hold after the Injection is over.
        """
        results = await self._try(work, hits)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if not isinstance(result, BaseException)]

    async def _try(self, work: Callable[[Hit], T], hits: Iterable[Hit]) -> list[T | BaseException]:
        loop = asyncio.get_running_loop()
        calls = (loop.run_in_executor(self._workers, work, hit) for hit in hits)
        return list(await asyncio.gather(*calls, return_exceptions=True))

    def _say(self, targets: list[InjectedTarget] | None = None, *, urgent: bool = False) -> None:
        until = self._until()
        if until is not None:
            lease_until = to_timestamp(self._clock.now() + until - time.monotonic())
            self._state = replace(self._state, lease_until=lease_until)
        records = [hit.record.model_copy() for hit in self._hits] or self._status.targets
        self._status = status(
            self.injection.spec,
            records if targets is None else targets,
            self._state,
            generation=self._generation,
            now=self._now(),
            before=self._status,
        )
        self._reporter.tell(self._status, urgent=urgent)

    def _now(self) -> str:
        return to_timestamp(self._clock.now())
