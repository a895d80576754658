"""The crowd as a hand: pods in Jobs, what they send counted at the targets, and let pass by a gate.

A fault is started in two calls. `start` starts the pods, which send nothing yet, and has the agents count what arrives
at the targets. `open` opens the gates, each towards the targets of its fault: nothing may begin before it is counted,
and nothing before all other faults of the run are in force.

It ends the other way round, each fault for itself: first its gate is shut. What has passed it is counted to the last
packet, so the counting ends when it is open no more. Only then the Job is deleted, for until then its pod can still be
asked what came of it, or why it sent nothing. That does not wait for other faults of the run, which may last for much
longer than a Job stays that has ended.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.injection import Injection
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.engine.hands.crowd import gates, job
from showstopper.engine.hands.crowd.job import CrowdPod
from showstopper.engine.hands.crowd.jobs import CrowdJobs
from showstopper.engine.hands.injections import answers
from showstopper.engine.hands.injections.run_injections import RunInjections
from showstopper.engine.hands.protocol import FaultState, Pause
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.planning.policies import agents_disabled
from showstopper.errors import Forbidden
from showstopper.faults.crowd import CrowdFigures
from showstopper.faults.effects import Pod

LOOK_SECONDS = 0.1
HEAR_SECONDS = 3.0
"""How long a pod gets to say what came of its fault, or why nothing did."""


class CrowdHand:
    """The faults of one run that pods of the crowd carry out."""

    def __init__(self, jobs: CrowdJobs, injections: RunInjections, clock: Clock, pause: Pause) -> None:
        self._jobs = jobs
        self._injections = injections
        self._clock = clock
        self._pause = pause
        self._pods: dict[str, Pod] = {}
        self._is_open = False
        self._asked: dict[str, float] = {}
        self._heard: dict[str, CrowdPod] = {}
        self._remaining: set[str] = set()

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Start the pods and the counting. After a restart only the Lease is taken up: what is open stays so."""
        if again:
            await self._injections.take_up(run)
            self._is_open = True
            return None
        try:
            await self._injections.lease.hold(run)
        except Forbidden as error:
            self._injections.untouched = True
            return agents_disabled(error)
        self._injections.watch()
        if (absent := await self._gather(run, planned)) is not None:
            return absent
        await self._injections.start(
            body for each in planned for body in gates.arrivals(run, each, self._pods[each.fault.name])
        )
        return None

    async def open(self, run: ExperimentRun, planned: Sequence[PlannedFault]) -> None:
        """Open the gates of faults that were started: what is counted by now may be sent."""
        self._is_open = True
        await self._injections.start(
            body for each in planned for body in gates.gate(run, each, self._pods[each.fault.name])
        )

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What agents report of each fault, at its gate and at its targets, and what its pod has said at its end."""
        states = {}
        for fault in _own(run):
            remains = f"Job {job.name(run, fault.name)}" if fault.name in self._remaining else ""
            pod = self._heard.get(fault.name, CrowdPod())
            heard, said = job.excuse(fault, pod), _figures(fault, pod)
            state = await self._injections.state(
                run, fault, gates=int(self._is_open), heard=heard, remains=remains, said=said
            )
            if state is not None:
                states[fault.name] = state
        return states

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Take from the gates the addresses of targets that are gone: whoever gets one next is not hit."""
        injections = await self._injections.all()
        for gate in gates.open_gates(injections):
            if gate.spec.fault not in faults:
                continue
            lost = await self._jobs.lost(run, gates.led_to(gate, injections))
            left = gates.still_there(gate, injections, lost)
            if not left:
                await self._injections.lift([gate])
            elif left != gate.spec.peers:
                await self._injections.set_peers(gate, left)

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:
        """Shut each gate, then end its counting, then delete its Job: as far as it can be done by now.

        Whether its pod has to be asked what came of it is known when the last packet is counted, and not before.
        """
        own = [fault for fault in _own(run) if fault.name in faults]
        if not own:
            return
        injections = await self._injections.all()
        shut = [fault for fault in own if late or gates.shut(_of(fault, injections))]
        await self._injections.lift(
            each for fault in own for each in _of(fault, injections) if fault in shut or gates.is_gate(each)
        )
        nobody_asks = late or run.spec.abort
        counted = [fault for fault in shut if nobody_asks or answers.answers(injections, fault).over]
        waited = [fault for fault in counted if _has_to_say(fault, injections)]
        silent = await self._hear(run, [fault.name for fault in waited], late=late)
        names = [fault.name for fault in counted if fault.name not in silent]
        ended = await asyncio.gather(*(self._jobs.end(run, name) for name in names))
        gone = {name for name, is_gone in zip(names, ended, strict=True) if is_gone}
        self._remaining = (self._remaining | {fault.name for fault in own}) - gone

    async def _gather(self, run: ExperimentRun, planned: Sequence[PlannedFault]) -> Finding | None:
        """Start the pods, and wait until they are there. They send nothing yet. Returns why they are not."""
        try:
            await asyncio.gather(*(self._jobs.start(run, each) for each in planned))
        except Forbidden as error:
            return Finding(Reason.AGENT_DISABLED, f"{error}: install the chart with agent.enabled=true", Verdict.ERROR)
        give_up = self._clock.now() + job.GATHER.total_seconds()
        while True:
            pods = await self._jobs.all(run, [each.fault.name for each in planned])
            missing = {name: pod for name, pod in pods.items() if pod.pod is None}
            if not missing:
                self._pods = {name: pod.pod for name, pod in pods.items() if pod.pod is not None}
                return None
            if self._clock.now() > give_up or any(pod.over for pod in missing.values()):
                return _absent(run, *next(iter(missing.items())))
            await self._pause(LOOK_SECONDS)

    async def _hear(self, run: ExperimentRun, faults: Sequence[str], *, late: bool) -> set[str]:
        """Ask the pods of these faults what they said at their end. Returns those that are still waited for.

        It waits itself for none: other faults may have to be lifted meanwhile. In a run that is aborted nobody waits.
        """
        unheard = [name for name in faults if name not in self._heard]
        pods = await self._jobs.all(run, unheard) if unheard else {}
        for name, pod in pods.items():
            waited = time.monotonic() - self._asked.setdefault(name, time.monotonic())
            if pod.over or late or run.spec.abort or waited > HEAR_SECONDS:
                self._heard[name] = pod
        return set(unheard) - self._heard.keys()


def _own(run: ExperimentRun) -> list[Fault]:
    return [fault for fault in run.spec.faults if fault.spec.hand is Hand.CROWD]


def _of(fault: Fault, injections: Sequence[Injection]) -> list[Injection]:
    return [each for each in injections if each.spec.fault == fault.name]


def _has_to_say(fault: Fault, injections: Sequence[Injection]) -> bool:
    """Whether its pod is asked at its end: what came of it, or why nothing did."""
    return job.behaviour(fault).reports or not answers.answers(injections, fault).proven


def _figures(fault: Fault, pod: CrowdPod) -> CrowdFigures | None:
    return None if pod.report is None else job.behaviour(fault).figures_of(pod.report)


def _absent(run: ExperimentRun, name: str, pod: CrowdPod) -> Finding:
    fault = run.fault(name)
    kind = job.behaviour(fault)
    ended = "its pod ended before it could begin"
    why = pod.problem if not pod.over else job.excuse(fault, pod) or ended
    return Finding(
        kind.missing,
        f"the {kind.role} of fault {name} is not there: {why}; look at kubectl --namespace {run.metadata.namespace} "
        f"describe job,pod --selector batch.kubernetes.io/job-name={job.name(run, name)}",
    )
