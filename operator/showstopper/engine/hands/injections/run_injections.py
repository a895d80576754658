"""The Injections of one run, and the Lease that they live under: what the hands of executors share."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from showstopper.api.experiment import Fault
from showstopper.api.injection import Injection
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, TargetRecord
from showstopper.availability.verdict import Finding
from showstopper.cluster.client import Object
from showstopper.engine.hands.injections import answers, times, totals
from showstopper.engine.hands.injections.answers import Answers
from showstopper.engine.hands.injections.client import InjectionClient
from showstopper.engine.hands.injections.lease import RunLease
from showstopper.engine.hands.pace import Pace
from showstopper.engine.hands.protocol import FaultState
from showstopper.engine.planning.policies import agents_disabled
from showstopper.errors import AgentsDisabled, Forbidden
from showstopper.faults.crowd import CrowdFigures


class RunInjections:
    """What is asked of executors for one run.

    Args:
        run: whose Injections they are.
        client: writes them.
        lease: of the run.
        news: called whenever one of them changes.
    """

    def __init__(
        self, run: ExperimentRun, client: InjectionClient, lease: RunLease, *, pace: Pace, news: Callable[[], None]
    ) -> None:
        self._client = client
        self._pace = pace
        self._reader = client.injections.subscribe(run, news)
        self.lease = lease
        self.untouched = False
        self._placed: dict[str, tuple[Injection, float, Injection]] = {}

    async def all(self) -> list[Injection]:
        """All that there are now.

        Raises:
            AgentsDisabled: the operator may not list them any more.
            ClusterError: they could not be listed, not once.
        """
        with _rights():
            return await self._reader.all()

    async def take_up(self, run: ExperimentRun) -> None:
        """Renew the Lease of a run that an earlier life of the operator has begun.

        Raises:
            AgentsDisabled: the operator may not any more.
        """
        with _rights():
            await self.lease.hold(run)

    async def state(
        self,
        run: ExperimentRun,
        fault: Fault,
        *,
        gates: int = 0,
        heard: str = "",
        remains: str = "",
        said: CrowdFigures | None = None,
    ) -> FaultState | None:
        """What executors report of a fault, or None if nothing was asked of them.

        Args:
            run: as its record is now.
            fault: of the run.
            gates: how many gates belong to it beside its targets.
            heard: what else is known of why it did nothing.
            remains: what is still there that is no agent's to remove.
            said: what the pod of a fault of the crowd has said of it at its end. Once said, the record knows it.
        """
        injections = [self._on_our_clock(run, each) for each in await self.all() if each.spec.fault == fault.name]
        record = next((record for record in run.status.faults if record.name == fault.name), None)
        known = said or (record.storm or record.flood if record is not None else None)
        answer = answers.answers(injections, fault, remains=remains, said=known)
        if record is None or not (answer.wanted or remains):
            return None
        if not answer.wanted:
            left = {"reverted": False, "message": f"left behind: {remains}"}
            return FaultState(record.model_copy(update=left), tuple(_recorded(run, fault)), touched=True)
        return FaultState(
            totals.record_of(record, answer, heard),
            tuple(totals.targets_of(run, answer)),
            touched=True,
            armed=answer.armed,
            done=fault.spec.instant and answer.proven,
            lifting=any(each.spec.lift for each in injections),
            over=answer.over and not remains,
            silent=answer.silent,
            trouble=answer.trouble or self._lost(run, fault, answer, gates) or self._silent(fault),
        )

    async def ask(self, run: ExperimentRun, bodies: Iterable[Object]) -> Finding | None:
        """Make the Lease and these Injections, all at once. Returns why nobody can be asked."""
        attempts = await asyncio.gather(self.lease.hold(run), self.start(bodies), return_exceptions=True)
        problems = [problem for problem in attempts if isinstance(problem, BaseException)]
        for problem in problems:
            if not isinstance(problem, Forbidden):
                raise problem
        self.untouched = len(problems) == len(attempts)
        return agents_disabled(problems[0]) if problems else None

    async def start(self, bodies: Iterable[Object]) -> None:
        """Make Injections. Those that exist already are left as they are."""
        await self._client.start(bodies)

    async def lift(self, injections: Iterable[Injection]) -> None:
        """Ask the executors to end these faults now."""
        with _rights():
            await self._client.lift(injections)

    async def set_peers(self, injection: Injection, peers: Sequence[str]) -> None:
        """Replace the addresses of an Injection's peers."""
        with _rights():
            await self._client.set_peers(injection, peers)

    async def peers(self, run: ExperimentRun, components: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The addresses that these components of the run's room have now."""
        return await self._client.addresses(run.room, components)

    def watch(self) -> None:
        """Begin to watch Injections, unless that has begun."""
        self._client.injections.start()

    async def sweep(self, run: ExperimentRun) -> None:
        """Delete them all, and the Lease. That is renewed no more: a renewal that misses it would make it anew."""
        self.lease.let_go()
        with _rights():
            await self._client.delete(run, await self.all())

    def close(self) -> None:
        """Have nothing more to do with them: the Lease is no longer renewed."""
        self.lease.let_go()
        self._reader.end()

    def _on_our_clock(self, run: ExperimentRun, injection: Injection) -> Injection:
        """The Injection with its agent's times on the operator's clock. Made once for each status and offset."""
        recorded = times.recorded_offset(run, injection)
        seen = self._reader.offset(injection)
        offset = seen if recorded is None else min(seen, recorded)
        source, used, placed = self._placed.get(injection.metadata.uid, (None, 0.0, injection))
        if source is not injection or used != offset:
            placed = times.placed(injection, offset)
            self._placed[injection.metadata.uid] = injection, offset, placed
        return placed

    def _lost(self, run: ExperimentRun, fault: Fault, answer: Answers, gates: int) -> Finding | None:
        planned = totals.planned(run, fault.name) + gates
        if answer.wanted >= planned:
            return None
        missing = f"{answer.wanted} of {planned} targets of fault {fault.name} have an Injection"
        why = "somebody deleted one, or the operator ended before all were made"
        return Finding(Reason.INJECTION_LOST, f"{missing}: {why}")

    def _silent(self, fault: Fault) -> Finding | None:
        silent = [each for each in self._reader.silent(self._pace.silent) if each.spec.fault == fault.name]
        return answers.unheard(silent, self._pace.silent)


@contextmanager
def _rights() -> Iterator[None]:
    """What the operator may not do to Injections and Leases that it has made, it was allowed to when it made them."""
    try:
        yield
    except AgentsDisabled:
        raise
    except Forbidden as error:
        raise AgentsDisabled(str(error), status=error.status, reason=error.reason) from error


def _recorded(run: ExperimentRun, fault: Fault) -> Iterator[TargetRecord]:
    return (target for target in run.status.targets if target.fault == fault.name)
